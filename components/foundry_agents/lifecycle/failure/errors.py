"""Every error this library raises on purpose.

FoundryAgentsError
├── InputError                  every problem in the inputs, each with its property path; raised before any request
├── OwnershipError              it exists and this stack does not own it; nothing was changed
├── DuplicateDeclarationError   two resources of one program stand for the same thing; nothing was changed
├── RemovalRefusedError         .subject: a run that is limited to targets would delete it; it stays, in state too
├── ServiceError                .status .code .request_id .operation: the service refused the request
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
├── WaitTimeoutError            .last .polls .waited_s: the deadline passed; carries the last observed state
├── VersionGoneError            .last: a version was deleted by someone else while it was waited for
├── SmokeTestError              .detail: a version did not answer as it should
├── TrafficConflictError        .seen: someone else changes the same traffic
├── RolloutError                .restored: traffic could not be moved; says where it is now
└── ContractError               what another stack publishes does not exist, or can't be read

The text of each is a finished message: what failed, where, what state things are in, what to do, and the request
id where there is one. It never holds an environment value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foundry_agents.lifecycle.failure.catalog import cause
from foundry_agents.lifecycle.roles import FOUNDRY_PROJECT_MANAGER, FOUNDRY_USER

if TYPE_CHECKING:
    from foundry_agents.lifecycle.views import VersionView


class FoundryAgentsError(Exception):
    """The root: catch this to catch all of them."""


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
    """Builds the one layout that every error text has; parts that are not known are left out."""
    if said is not None and request_id:
        said = f"{said} (request {request_id})"
    elif request_id:
        said = f"(request {request_id})"
    parts = (("Where", where), ("Why", why), ("State", state), ("Do", do), ("Service said", said))
    return "\n".join([what, *(f"  {label}: {text}" for label, text in parts if text)])


class OwnershipError(FoundryAgentsError):
    """The agent, or another thing of the project, exists and this stack has not made it.

    Attributes:
        agent: Its name.
        owner: The stack that made it, as ``organization/project/stack``; None when it carries no mark.
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
                do=f"choose another {name_input}, or set take_over=True to manage it from this stack. Has this stack "
                "been renamed: run `pulumi up` without --replace, and rename a component with an alias",
            )
            + "\n  State: No changes were made."
        )


class DuplicateDeclarationError(FoundryAgentsError):
    """Two resources of one program stand for the same agent, toolbox or store."""

    def __init__(self, subject: str, one: str, other: str) -> None:
        super().__init__(
            message(
                f"{one} and {other} both declare the {subject}",
                why="two declarations of one thing would take each other's versions and traffic away",
                state=f"{one} was not deployed, and nothing of it was changed",
                do="remove one of them, or give it another name",
            )
        )


class RemovalRefusedError(FoundryAgentsError):
    """A thing would go in a run that can't see whether something else declares it.

    Attributes:
        subject: What stays.
    """

    def __init__(self, subject: str, *, option: str, unseen: str = "", destroys: bool = False) -> None:
        self.subject = subject
        if option:
            why = f"{option} limits this run to a part of the stack, so it can't see what else declares it"
            do = "take it out of the program and run `pulumi up`" + (
                f"; or destroy the whole stack: `pulumi destroy` without {option}" if destroys else f" without {option}"
            )
        else:
            why = f"it is not known whether this run is an `up` or a `destroy`: {unseen}"
            do = (
                "run it with the `pulumi` command; or, where the engine is built into another program and the run is "
                "about the whole stack, set the environment variable FOUNDRY_AGENTS_RUN to `up` or `destroy`"
            )
        super().__init__(
            message(
                f"{subject} was not deleted",
                why=why,
                state="it is as it was, and stays in the stack's state",
                do=do,
            )
        )


class ServiceError(FoundryAgentsError):
    """The service refused, and nothing says that trying again would help.

    Attributes:
        status: HTTP status; None when no answer came.
        code: The service's own code, for example ``invalid_payload``; None when it sent none.
        detail: The service's own words.
        request_id: What Azure support asks for; None when none was sent.
        operation: What was being done, as method and URL without its query.
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
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.operation = operation
        super().__init__(self.text())

    def text(self, *, state: str | None = None) -> str:
        """Gives the whole message; ``state`` is what a caller further up knows about the state of things."""
        prefix = f"[{self.code}] " if self.code else ""
        status = f", HTTP {self.status}" if self.status else ""
        why, do = cause(self.status, self.code, self.detail) or (None, None)
        return message(
            f"{self.what}{status}",
            where=self.operation,
            why=why,
            state=state,
            do=do or self.do,
            said=f"{prefix}{self.detail}",
            request_id=self.request_id,
        )


class AccessDeniedError(ServiceError):
    """The caller may not do this on the Foundry data plane (401 or 403)."""

    what = "the signed-in principal may not do this"
    do = (
        f"give the deploying principal the role Foundry User ({FOUNDRY_USER}) or Foundry "
        f"Project Manager ({FOUNDRY_PROJECT_MANAGER}) on the project; Owner and Contributor do not "
        "include it. A role granted a moment ago takes a few minutes to reach the service"
    )


class NetworkDeniedError(AccessDeniedError):
    """The account takes no calls from where this one came from (403 about public access)."""

    what = "the Foundry account takes no calls from this network"
    do = (
        "run Pulumi where the account's private endpoint is reached (a machine or agent in its virtual network), or "
        "make a private endpoint for it; a role does not help"
    )


class PreviewRequiredError(ServiceError):
    """The service asks for the opt-in to a preview feature; no role opens that gate."""

    what = "the service asks for a preview feature"
    do = (
        "use what is generally available in this region, or a release of this library that sends the opt-in which the "
        "service names"
    )


class ProjectNotFoundError(ServiceError):
    """The project, or the host name of its account, is not there (yet)."""

    what = "the Foundry project was not found"
    do = (
        "check project_endpoint; a project made a moment ago answers like this for some minutes: "
        "then run `pulumi up` again"
    )


class ConflictError(ServiceError):
    """Something else still uses what was to be changed or deleted (409)."""

    what = "the service has a conflict"


class NotReadyError(ServiceError):
    """The version is active, and the container behind the session does not answer yet (424, or 400 of that name)."""

    what = "the agent is not ready to answer"


class ThrottledError(ServiceError):
    """Too many requests (429): the service did nothing and says when to ask again.

    Attributes:
        retry_after_s: Seconds to wait, from either form of Retry-After; None when the service gave none.
    """

    what = "the service is throttling"
    do = "run `pulumi up` again later, or ask for more quota; what was made meanwhile is found by its mark and adopted"

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
    """The request may or may not have been carried out: look before asking again."""

    what = "the service did not answer properly"
    do = "run `pulumi up` again: what was made meanwhile is found by its mark and adopted"


class UnreachableError(ServiceError):
    """No connection could be made, so nothing was sent."""

    what = "the Foundry endpoint could not be reached"
    do = "check project_endpoint, DNS, proxy and private endpoint from this machine, then run `pulumi up` again"


class SignInError(FoundryAgentsError):
    """No credential gave a token."""

    def __init__(self, detail: str, *, endpoint: str) -> None:
        super().__init__(
            message(
                "no token for the Foundry data plane",
                where=endpoint,
                state="nothing was sent to the service",
                do="sign in: `az login`, or a workload or managed identity in the environment of the Pulumi process",
                said=detail,
            )
        )


OTHER_WAYS = (
    "AgentImage.remote_build(…) builds in Azure, without Docker; AgentImage.pinned(…) and AgentImage.from_tag(…) "
    "name an image that is in a registry already"
)
"""The end of every error of a build: an image can be had without it."""


class UnsuitableImageError(FoundryAgentsError):
    """An image is not there, or can't run as a hosted agent.

    Attributes:
        reference: The image.
    """

    def __init__(self, reference: str, why: Sequence[str], *, do: str, off: str = "check=False") -> None:
        self.reference = reference
        super().__init__(
            message(
                f"image {reference} can't run as a hosted agent",
                why="; ".join(why),
                state="nothing was posted",
                do=f"{do}; or switch this check off: AgentImage…({off})",
            )
        )


class RegistryAccessError(FoundryAgentsError):
    """A registry does not let this machine read or push.

    Attributes:
        registry: Its host.
        status: HTTP status; None when it could not be reached.
    """

    def __init__(self, registry: str, *, operation: str, detail: str, status: int | None, do: str) -> None:
        self.registry = registry
        self.status = status
        answer = f", HTTP {status}" if status else ""
        super().__init__(
            message(
                f"registry {registry} refused{answer}" if status else f"registry {registry} could not be reached",
                where=operation,
                state="nothing was built, pushed or posted",
                do=f"{do}. {OTHER_WAYS}",
                said=detail,
            )
        )


class BuilderUnavailableError(FoundryAgentsError):
    """There is no builder on this machine."""

    def __init__(self, why: str, *, do: str) -> None:
        super().__init__(
            message(
                "no image can be built here",
                why=why,
                state="nothing was built, pushed or posted",
                do=f"{do}. {OTHER_WAYS}",
            )
        )


class RemoteBuildError(FoundryAgentsError):
    """A run of the registry's tasks did not make the image.

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
                state="no version was posted; a run that goes on is followed by the next `pulumi up`",
                do=f"mend what the log says and run `pulumi up` again; `az acr task logs --run-id {run_id}` has all",
            )
            + f"\n  Log:\n{shown}"
        )


class VersionFailedError(FoundryAgentsError):
    """The service gave up on a version. Final: the same version never becomes active.

    Attributes:
        code: The service's code, for example ``ImageError``.
        detail: The service's words.
        last: The version as it was seen last.
        lasting: The cause is known and won't pass with time: the same definition posted again fails again.
    """

    def __init__(self, text: str, *, code: str, detail: str, last: VersionView, lasting: bool = False) -> None:
        self.code = code
        self.detail = detail
        self.last = last
        self.lasting = lasting
        super().__init__(text)


class WaitTimeoutError(FoundryAgentsError):
    """The deadline passed before the service was done.

    Attributes:
        last: What was seen last; None when nothing could be read.
        polls: How many reads were made.
        waited_s: For how long, in seconds.
    """

    def __init__(
        self,
        subject: str,
        *,
        last: VersionView | None,
        polls: int,
        waited_s: float,
        trouble: ServiceError | None = None,
    ) -> None:
        self.last = last
        self.polls = polls
        self.waited_s = waited_s
        seen = f'last seen "{last.status}"' if last else "never seen"
        super().__init__(
            message(
                f"{subject} was not active after {waited_s:.0f} s ({polls} reads, {seen})",
                why=f"the last read failed: {trouble.what}" if trouble else None,
                state="it was left as it is; nothing else was changed",
                do="run `pulumi up` again: it adopts this version and goes on waiting; or raise timeout_s",
                said=trouble.detail if trouble else None,
                request_id=trouble.request_id if trouble else None,
            )
        )


class VersionGoneError(FoundryAgentsError):
    """A version is not there any more, or never became visible; nothing of ours deleted it.

    Attributes:
        last: What was seen last; None when it was never seen.
    """

    def __init__(self, subject: str, *, last: VersionView | None) -> None:
        self.last = last
        super().__init__(
            message(
                f"{subject} is not there" + (f' (last seen "{last.status}")' if last else " (never seen)"),
                why="somebody else deleted it, or the service has forgotten it",
                state="nothing else was changed",
                do="run `pulumi up` again: it makes the version anew",
            )
        )


class SmokeTestError(FoundryAgentsError):
    """A version did not answer a smoke test as it should.

    Attributes:
        detail: What was asked, what was expected and what came, for the text of the rollout's error.
    """

    def __init__(self, subject: str, detail: str) -> None:
        self.detail = detail
        super().__init__(f"{subject} failed\n  Why: {detail}")


class TrafficConflictError(FoundryAgentsError):
    """The routing is neither what was found nor what was set: somebody else moves the same traffic.

    Attributes:
        seen: The routing that was read, in words.
    """

    def __init__(self, agent: str, *, seen: str, expected: str) -> None:
        self.seen = seen
        super().__init__(f'somebody else moves the traffic of agent "{agent}": it says {seen}, expected {expected}')


class RolloutError(FoundryAgentsError):
    """Traffic could not be moved to the target version.

    Attributes:
        restored: True when the routing that was found is in force again.
    """

    def __init__(self, text: str, *, restored: bool) -> None:
        self.restored = restored
        super().__init__(text)


class ContractError(FoundryAgentsError):
    """What another stack publishes of its agents is not there, or this release can't read it."""
