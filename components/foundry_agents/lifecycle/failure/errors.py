"""The root of all errors, the layout of their texts, and the errors of a program's inputs and declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class FoundryAgentsError(Exception):
    """The root: catch this to catch all of them."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the finished text and the attributes: `__init__` takes other arguments than the text."""
        return _unpickled, (type(self), self.args, self.__dict__)


def _unpickled(kind: type[FoundryAgentsError], args: tuple[object, ...], attributes: Mapping[str, object]) -> object:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with the inputs.

    Attributes:
        path: The property path as the user wrote it, for example ``environment.AGENT_MODE``.
        detail: What is wrong with it and what is accepted instead. Never holds a secret.
    """

    path: str
    detail: str

    def __str__(self) -> str:
        # A detail that begins with the value reads on from the path: `cpu "3": not a tier`.
        return f"{self.path} {self.detail}" if self.detail.startswith('"') else f"{self.path}: {self.detail}"


class InputError(FoundryAgentsError):
    """The inputs can't be used; nothing was sent to the service.

    Attributes:
        problems: Every problem found, sorted by path.
    """

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"{count} in {subject}", *(f"  {problem}" for problem in self.problems)]))


def message(
    what: str,
    *,
    where: str | None = None,
    why: str | None = None,
    state: str | None = None,
    do: str | None = None,
    said: str | None = None,
    request_id: str | None = None,
) -> str:
    """Build the one layout that every error text has; parts that are not known are left out."""
    if said is not None and request_id:
        said = f"{said} (request {request_id})"
    elif request_id:
        said = f"(request {request_id})"
    # Lines of the service's text must not look like parts of ours.
    said = "\n    | ".join(said.splitlines()) if said else said
    parts = (("Where", where), ("Why", why), ("State", state), ("Do", do), ("Service said", said))
    return "\n".join([what, *(f"  {label}: {text}" for label, text in parts if text)])


def headline(error: BaseException) -> str:
    """Return the first line of an error's text, or the name of its class when it has no text."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


class OwnershipError(FoundryAgentsError):
    """The agent, toolbox or version exists, and another stack or none manages it.

    Attributes:
        agent: Its name.
        owner: The stack that manages it, as ``organization/project/stack``; None without ownership metadata.
    """

    def __init__(
        self, agent: str, *, owner: str | None, reason: str, kind: str = "agent", name_input: str = "agent_name"
    ) -> None:
        self.agent = agent
        self.owner = owner
        super().__init__(
            message(
                f'{kind} "{agent}" exists and is not managed by this stack',
                why=" ".join(reason.split()),
                state="No changes were made.",
                do=f"choose another {name_input}, or set take_over=True to manage it from this stack, and replace its "
                "version if nothing else about it changes: `pulumi up --replace URN`. If this stack was renamed, run "
                "`pulumi up` without --replace, and rename a component with an alias",
            )
        )


class DuplicateDeclarationError(FoundryAgentsError):
    """Two resources of one program refer to the same agent, toolbox or store."""

    def __init__(self, subject: str, one: str, other: str) -> None:
        super().__init__(
            message(
                f"{one} and {other} both declare the {subject}",
                why="two declarations of one thing would delete each other's versions and move each other's traffic",
                state=f"{one} was not deployed; what {other} deployed was not changed",
                do="remove one of them, or give it another name",
            )
        )


class RemovalRefusedError(FoundryAgentsError):
    """A run would delete something without knowing whether another resource declares it.

    Attributes:
        subject: What was not deleted.
    """

    def __init__(self, subject: str, *, option: str, unseen: str = "", destroys: bool = False) -> None:
        self.subject = subject
        if option:
            why = f"{option} limits this run to a part of the stack, so it can't see what else declares it"
            do = "remove it from the program and run `pulumi up`" + (
                f"; or destroy the whole stack: `pulumi destroy` without {option}" if destroys else f" without {option}"
            )
        else:
            why = f"this run could be an `up` or a `destroy`: {unseen}"
            do = (
                "use the `pulumi` command; or, if another program embeds the engine and the run covers the whole "
                "stack, set the environment variable FOUNDRY_AGENTS_RUN to `up` or `destroy`"
            )
        super().__init__(
            message(
                f"{subject} was not deleted",
                why=why,
                state="nothing was changed in the service, and the resource stays in the stack's state",
                do=do,
            )
        )


class ContractError(FoundryAgentsError):
    """What another stack publishes about its agents does not exist, or this release can't read it."""
