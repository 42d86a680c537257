"""Errors of images, registries and builds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError, message

OTHER_WAYS = (
    "AgentImage.remote_build(…) builds in Azure, without Docker; AgentImage.pinned(…) and AgentImage.from_tag(…) "
    "use an image that is in a registry already"
)
"""The end of every error of a build: how to get an image without it."""

WITHOUT_TASKS = (
    "AgentImage.build(…) builds with Docker on this machine; AgentImage.pinned(…) and AgentImage.from_tag(…) use an "
    "image that is in a registry already; HostedAgent(code=CodePackage(…)) needs no image"
)
"""The end of every error of a build in Azure."""

TASKS_AND_NETWORK = (
    "the tasks of a registry run outside of its network. Build where the registry can be reached, such as a runner in "
    "its virtual network: AgentImage.build(…). Or allow them: `az resource update --ids {registry_id} --api-version "
    "2025-11-01 --set properties.networkRuleBypassAllowedForTasks=true`"
)
"""What helps when a registry without public access refuses its own tasks [docs]; wants ``registry_id``."""


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
        request_id: str | None = None,
        other_ways: str = OTHER_WAYS,
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
                do=f"{do}. {other_ways}",
                said=detail if status else None,
                request_id=request_id,
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


class DockerSettingsError(FoundryAgentsError):
    """Docker's file of settings can't be read or written, or names a credential store that does not work.

    Attributes:
        path: The file.
        why: What is wrong with it, in words.
    """

    def __init__(self, path: Path, why: str, *, do: str | None = None) -> None:
        self.path = path
        self.why = f"{path}: {why}"
        super().__init__(
            message(
                "Docker's settings can't be used",
                why=self.why,
                state="nothing was built, pushed or posted, and the file is as it was",
                do=do
                or "correct the file, or move it away: `docker login` writes another. With sign_in=False, "
                "AgentImage.build(…) does not write to it",
            )
        )


class RemoteBuildError(FoundryAgentsError):
    """A run of the registry's tasks did not build the image.

    Attributes:
        run_id: The run.
        log: The last lines of its log.
    """

    def __init__(
        self, run_id: str, *, why: str, log: Sequence[str], registry: str = "NAME", do: str | None = None
    ) -> None:
        self.run_id = run_id
        self.log = tuple(log)
        shown = "\n".join(f"    | {line}" for line in log) or "    | (the log is empty)"
        super().__init__(
            message(
                f"run {run_id} did not build the image",
                why=why,
                state="no version was posted; if the run is still under way, the next `pulumi up` follows it",
                do=f"{do or 'fix the error in the log and run `pulumi up` again'}; "
                f"`az acr task logs --registry {registry} --run-id {run_id}` prints the whole log",
            )
            + f"\n  Log:\n{shown}"
        )
