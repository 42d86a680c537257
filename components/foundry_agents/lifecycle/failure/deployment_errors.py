"""Errors of versions, toolboxes, vector stores and rollouts while they are created, awaited or changed."""

from __future__ import annotations

from collections.abc import Mapping

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, message
from foundry_agents.lifecycle.failure.service_errors import ServiceError, ThrottledError
from foundry_agents.lifecycle.views import VersionView


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
        state: str = "it was left as it is; nothing else was changed",
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
                state=state,
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
