"""Every error that this library raises on purpose.

FoundryAgentsError
├── InputError                  every problem in the inputs, each with its property path; raised before any request
├── OwnershipError              it exists and this stack does not own it; nothing was changed
├── DuplicateDeclarationError   two resources of one program stand for the same thing; nothing was changed
├── RemovalRefusedError         .subject: a run that is limited to targets would delete it; it stays, in state too
├── ServiceError                .status .code .request_id .operation: a request to a service of Azure failed
│   ├── AccessDeniedError           401 or 403: who lacks which role, and where
│   │   └── NetworkDeniedError          403: the account accepts no calls from this network; no role helps
│   ├── PreviewRequiredError        403 preview_feature_required: the service wants an opt-in that is not sent
│   ├── ProjectNotFoundError        the project or its host name does not exist; says nothing about its content
│   ├── ConflictError               409: something still uses it
│   ├── NotReadyError               424: the version is active, and its container does not answer yet
│   ├── ThrottledError              .retry_after_s: too many requests (429); nothing was done
│   ├── ResponseLostError           the request may have been carried out (5xx, connection lost after sending)
│   └── UnreachableError            no connection, so nothing was sent
├── SignInError                 no access token could be acquired
├── UnsuitableImageError        .reference: the image does not exist or can't run as a hosted agent; nothing was posted
├── RegistryAccessError         .registry .status: the registry does not let this machine do what a build needs
├── BuilderUnavailableError     nothing on this machine can build an image
├── RemoteBuildError            .run_id .log: a build in Azure failed or did not end in time
├── VersionFailedError          .code .detail .last: the service gave up on a version; final
├── VersionGoneError            .last: a version was deleted by someone else while it was waited for
├── VersionNotFoundError        .agent .version: the service has no such version
├── VectorStoreError            .store .files: files could not be indexed, or the store was deleted meanwhile
├── WaitTimeoutError            .last .polls .waited_s .error: the deadline passed; carries the last observed state
├── SmokeTestError              .detail: a version did not answer as it should
├── PromotionConflictError      .seen: someone else changes the default version of the same toolbox
├── TrafficConflictError        .seen: someone else changes the same traffic
├── RolloutError                .restored: traffic could not be moved; says where it is now
└── ContractError               what another stack publishes does not exist, or can't be read

The text of each is a finished message: what failed, where, why, the state things are in, what to do, and the request id
where there is one. "Service said" holds the service's own words and nothing else. No text holds an environment value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foundry_agents.lifecycle.failure.catalog import refusal_cause
from foundry_agents.lifecycle.roles import FOUNDRY_PROJECT_MANAGER, FOUNDRY_USER

if TYPE_CHECKING:
    from foundry_agents.lifecycle.views import VersionView


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
    parts = (("Where", where), ("Why", why), ("State", state), ("Do", do), ("Service said", said))
    return "\n".join([what, *(f"  {label}: {text}" for label, text in parts if text)])


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
                why=reason,
                state="No changes were made.",
                do=f"choose another {name_input}, or set take_over=True to manage it from this stack. If this stack "
                "was renamed, run `pulumi up` without --replace, and rename a component with an alias",
            )
        )


class DuplicateDeclarationError(FoundryAgentsError):
    """Two resources of one program stand for the same agent, toolbox or store."""

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


class ServiceError(FoundryAgentsError):
    """A request to a service of Azure failed, and nothing says that trying again would help.

    Attributes:
        status: HTTP status; None when there was no response.
        code: The service's own code, for example ``invalid_payload``; None when it sent none.
        detail: The service's own words; without a response, why there was none.
        request_id: What Azure support asks for; None when none was sent.
        operation: The request, as method and URL without its query.
    """

    what = "the service refused"
    do: str | None = None

    def __init__(
        self,
        detail: str,
        *,
        operation: str,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        what: str | None = None,
        state: str | None = None,
        do: str | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.operation = operation
        if what:
            self.what = what
        super().__init__(self._text(state, do))

    def _text(self, state: str | None, do: str | None) -> str:
        prefix = f"[{self.code}] " if self.code else ""
        why, remedy = refusal_cause(self.status, self.code, self.detail) or (None, None)
        said = f"{prefix}{self.detail}" if self.status else None
        return message(
            f"{self.what}, HTTP {self.status}" if self.status else self.what,
            where=self.operation,
            why=why if said else self.detail,
            state=state,
            do=do or remedy or self.do,
            said=said,
            request_id=self.request_id,
        )


class AccessDeniedError(ServiceError):
    """The caller may not do this on the Foundry data plane (401 or 403)."""

    what = "the signed-in principal may not do this"
    do = (
        f"give the deploying principal the role Foundry User ({FOUNDRY_USER}) or Foundry "
        f"Project Manager ({FOUNDRY_PROJECT_MANAGER}) on the project; Owner and Contributor do not "
        "include it. A new role assignment takes a few minutes to reach the service"
    )


class NetworkDeniedError(AccessDeniedError):
    """The account accepts no calls from this network (403 about public access)."""

    what = "the Foundry account accepts no calls from this network"
    do = (
        "run Pulumi where the account's private endpoint can be reached (a machine or agent in its virtual network), "
        "or create a private endpoint for it; a role does not help"
    )


class PreviewRequiredError(ServiceError):
    """The service requires the opt-in to a preview feature; no role replaces it."""

    what = "the service requires a preview feature"
    do = (
        "use what is generally available in this region, or a release of this library that sends the opt-in named by "
        "the service"
    )


class ProjectNotFoundError(ServiceError):
    """The project, or the host name of its account, does not exist (yet)."""

    what = "the Foundry project was not found"
    do = "check project_endpoint. A new project may answer like this for a few minutes: then run `pulumi up` again"


class ConflictError(ServiceError):
    """Something still uses what was to be changed or deleted (409)."""

    what = "the request conflicts with the current state"

    def explained(self, *, state: str, do: str) -> ConflictError:
        """Return the same error with what a caller knows: the state things are in, and what to do."""
        return ConflictError(
            self.detail,
            operation=self.operation,
            status=self.status,
            code=self.code,
            request_id=self.request_id,
            state=state,
            do=do,
        )


class NotReadyError(ServiceError):
    """The version is active, and the container behind the session does not answer yet (424, or 400 of that name)."""

    what = "the agent is not ready to answer"


class ThrottledError(ServiceError):
    """Too many requests (429): the service did nothing and says when to try again.

    Attributes:
        retry_after_s: Seconds to wait, from either form of Retry-After; None when the service gave none.
    """

    what = "the service is throttling"
    do = "run `pulumi up` again later, or ask for more quota; it adopts what was created meanwhile"

    def __init__(
        self,
        detail: str,
        *,
        operation: str,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(detail, operation=operation, status=status, code=code, request_id=request_id)


class ResponseLostError(ServiceError):
    """The request may or may not have been carried out: read before sending it again."""

    what = "the response was lost or is not usable"
    do = "run `pulumi up` again: it adopts what was created meanwhile"


class UnreachableError(ServiceError):
    """No connection could be made, so nothing was sent."""

    what = "the endpoint could not be reached"
    do = (
        "check project_endpoint or the host named above, DNS, proxy and private endpoint from this machine, then run "
        "`pulumi up` again"
    )


class SignInError(FoundryAgentsError):
    """No credential gave an access token."""

    def __init__(self, detail: str, *, endpoint: str) -> None:
        super().__init__(
            message(
                "no access token could be acquired",
                where=endpoint,
                why=detail,
                state="nothing was changed",
                do="sign in: `az login`, or a workload or managed identity in the environment of the Pulumi process",
            )
        )


OTHER_WAYS = (
    "AgentImage.remote_build(…) builds in Azure, without Docker; AgentImage.pinned(…) and AgentImage.from_tag(…) "
    "use an image that is in a registry already"
)
"""The end of every error of a build: how to get an image without it."""


class UnsuitableImageError(FoundryAgentsError):
    """An image does not exist, or can't run as a hosted agent.

    Attributes:
        reference: The image.
    """

    def __init__(self, reference: str, why: Sequence[str], *, do: str, off: str = "check=False") -> None:
        self.reference = reference
        super().__init__(
            message(
                f"image {reference} is not suitable",
                why="; ".join(why),
                state="nothing was posted",
                do=f"{do}; or disable this check with {off} of the AgentImage",
            )
        )


class RegistryAccessError(FoundryAgentsError):
    """A registry does not let this machine read, push or build.

    Attributes:
        registry: Its host.
        status: HTTP status; None when it could not be reached.
    """

    def __init__(
        self,
        registry: str,
        *,
        operation: str,
        detail: str,
        status: int | None,
        do: str,
        state: str = "no version was posted",
    ) -> None:
        self.registry = registry
        self.status = status
        failed = f"{'was not found' if status == _NOT_FOUND else 'refused'}, HTTP {status}"
        if status is None:
            failed = "could not be reached"
        super().__init__(
            message(
                f"registry {registry} {failed}",
                where=operation,
                why=None if status else detail,
                state=state,
                do=f"{do}. {OTHER_WAYS}",
                said=detail if status else None,
            )
        )


_NOT_FOUND = 404


class BuilderUnavailableError(FoundryAgentsError):
    """This machine has no builder."""

    def __init__(self, why: str, *, do: str) -> None:
        super().__init__(
            message(
                "no image can be built on this machine",
                why=why,
                state="nothing was built, pushed or posted",
                do=f"{do}. {OTHER_WAYS}",
            )
        )


class RemoteBuildError(FoundryAgentsError):
    """A run of the registry's tasks did not build the image.

    Attributes:
        run_id: The run.
        log: The last lines of its log.
    """

    def __init__(self, run_id: str, *, why: str, log: Sequence[str]) -> None:
        self.run_id = run_id
        self.log = tuple(log)
        shown = "\n".join(f"    | {line}" for line in log) or "    | (the log is empty)"
        super().__init__(
            message(
                f"run {run_id} did not build the image",
                why=why,
                state="no version was posted; if the run is still under way, the next `pulumi up` follows it",
                do="fix the error in the log and run `pulumi up` again; "
                f"`az acr task logs --run-id {run_id}` prints the whole log",
            )
            + f"\n  Log:\n{shown}"
        )


class VersionFailedError(FoundryAgentsError):
    """The service gave up on a version. Final: the same version never becomes active.

    Attributes:
        code: The service's code, for example ``ImageError``.
        detail: The service's words.
        last: The version as last read.
        lasting: The cause is known and does not pass with time: the same definition fails again.
    """

    def __init__(self, text: str, *, code: str, detail: str, last: VersionView, lasting: bool = False) -> None:
        self.code = code
        self.detail = detail
        self.last = last
        self.lasting = lasting
        super().__init__(text)


class VersionGoneError(FoundryAgentsError):
    """A version that was waited for does not exist any more, or never became visible; this run did not delete it.

    Attributes:
        last: The version as last read; None when it was never seen.
    """

    def __init__(self, subject: str, *, last: VersionView | None) -> None:
        self.last = last
        super().__init__(
            message(
                f"{subject} does not exist " + (f'any more (last seen "{last.status}")' if last else "(never seen)"),
                why="someone else deleted it, or the service lost it",
                state="nothing else was changed",
                do="run `pulumi up` again: it creates the version again",
            )
        )


class VersionNotFoundError(FoundryAgentsError):
    """The service has no version of this number.

    Attributes:
        agent: Name of the agent.
        version: The number.
    """

    def __init__(self, agent: str, version: str) -> None:
        self.agent = agent
        self.version = version
        super().__init__(
            message(
                f"version {agent}:{version} was not found",
                why="the agent does not exist in this project, or has no version of this number",
                state="nothing was changed",
                do="check project_endpoint, the agent's name and the number; the portal lists an agent's versions",
            )
        )


class VectorStoreError(FoundryAgentsError):
    """A vector store can't be used: files could not be indexed, or it was deleted while it was waited for.

    Attributes:
        store: The service's id of the store.
        files: Why each file could not be indexed, by its name in the project; empty for a store that was deleted.
    """

    def __init__(self, store: str, *, what: str, state: str, do: str, files: Mapping[str, str] | None = None) -> None:
        self.store = store
        self.files = dict(files or {})
        said = "; ".join(f"{name}: {reason}" for name, reason in self.files.items())
        super().__init__(message(f"vector store {store} {what}", state=state, do=do, said=said or None))


class WaitTimeoutError(FoundryAgentsError):
    """The deadline passed before the service was done.

    Attributes:
        last: What was read last: a VersionView or another view; None when nothing could be read.
        polls: How many reads were made.
        waited_s: For how long, in seconds.
        error: The error of the last read; None when there was a response.
    """

    def __init__(
        self,
        subject: str,
        *,
        last: object,
        polls: int,
        waited_s: float,
        goal: str = "active",
        seen: str = "",
        error: ServiceError | None = None,
        do: str = "run `pulumi up` again; or raise timeout_s",
    ) -> None:
        self.last = last
        self.polls = polls
        self.waited_s = waited_s
        self.error = error
        reads = f"{polls} reads, {f'last seen {seen}' if seen else 'never seen'}"
        responded = error is not None and error.status is not None
        super().__init__(
            message(
                f"{subject} was not {goal} after {waited_s:.0f} s ({reads})",
                why=_last_error(error, responded=responded) if error else None,
                state="it was left as it is; nothing else was changed",
                do=do,
                said=error.detail if error and responded else None,
                request_id=error.request_id if error else None,
            )
        )


def _last_error(error: ServiceError, *, responded: bool) -> str:
    what = f"the last read failed: {error.what}"
    if isinstance(error, ThrottledError) and error.retry_after_s:
        what += f", and allows the next request after {error.retry_after_s:.0f} s"
    return what if responded else f"{what}: {error.detail}"


class SmokeTestError(FoundryAgentsError):
    """A version did not answer a smoke test as it should.

    Attributes:
        detail: What was asked, expected and answered, for the text of the rollout's error.
    """

    def __init__(self, subject: str, detail: str) -> None:
        self.detail = detail
        super().__init__(message(f"{subject} failed", why=detail))


class PromotionConflictError(FoundryAgentsError):
    """The default version of a toolbox is neither what was found nor what was set: someone else changes it.

    Attributes:
        seen: The default version that was read; None when there was none.
    """

    def __init__(self, toolbox: str, *, seen: str | None, expected: str) -> None:
        self.seen = seen
        super().__init__(
            message(
                f'the default version of toolbox "{toolbox}" was changed by another writer: expected {expected}, '
                f"found {seen or 'none'}",
                state=f"the default is {seen or 'not set'}; nothing more was changed",
                do="find out who else promotes versions of this toolbox; then run `pulumi up` again. Reading before "
                "and after the write narrows this race; it is not a lock",
            )
        )


class TrafficConflictError(FoundryAgentsError):
    """The routing is neither what was found nor what was set: someone else changes the same traffic.

    Attributes:
        seen: The routing that was read, as text.
    """

    def __init__(self, agent: str, *, seen: str, expected: str) -> None:
        self.seen = seen
        super().__init__(
            f'the traffic of agent "{agent}" was changed by another writer: expected {expected}, found {seen}'
        )


class RolloutError(FoundryAgentsError):
    """Traffic could not be moved to the target version.

    Attributes:
        restored: True when the routing that was found is in force again.
    """

    def __init__(self, text: str, *, restored: bool) -> None:
        self.restored = restored
        super().__init__(text)


class ContractError(FoundryAgentsError):
    """What another stack publishes about its agents does not exist, or this release can't read it."""
