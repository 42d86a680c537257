"""Images in a registry: whether one can run as a hosted agent."""

from __future__ import annotations

from collections.abc import Sequence

from foundry_agents.lifecycle.failure.errors import FoundryAgentsError
from foundry_agents.lifecycle.failure.image_errors import UnsuitableImageError
from foundry_agents.lifecycle.inputs.image_reference import PLATFORM, PORT
from foundry_agents.lifecycle.service.registries import ImageRegistry
from foundry_agents.lifecycle.views import ImageView, Progress


def check_image(registry: ImageRegistry, reference: str, progress: Progress, warn: Progress) -> None:
    """Refuse an image that can't run as a hosted agent, before anything is posted.

    If the registry can't be read from here, a warning is logged and the deployment continues. So it does for a port
    that the image does not expose, because the platform sets PORT.

    Raises:
        UnsuitableImageError: It is not in its registry, not for linux/amd64, or has no command.
    """
    repository, _, digest = reference.partition("@")
    try:
        seen = registry.inspect(repository, digest)
    except FoundryAgentsError as error:
        warn(f"image not checked: {' '.join(str(error).split())}")
        return
    if seen is None:
        raise UnsuitableImageError(
            reference,
            [f"there is no such digest in {repository}"],
            do="push it, or correct the digest: `docker buildx imagetools inspect REGISTRY/REPOSITORY:TAG` prints it",
        )
    if seen.problem:
        raise UnsuitableImageError(
            reference, [seen.problem], do="push a container image, or correct the digest, and run `pulumi up` again"
        )
    problems = _problems(seen)
    if problems:
        raise UnsuitableImageError(
            reference, problems, do=f"build it with `--platform {PLATFORM}` and an ENTRYPOINT or CMD"
        )
    if seen.ports and f"{PORT}/tcp" not in seen.ports:
        warn(f"image exposes {', '.join(seen.ports)} and not {PORT}: the agent must listen where PORT says")
    progress(f"image checked: {PLATFORM}, starts {seen.command[0]}")


def _problems(seen: ImageView) -> Sequence[str]:
    if PLATFORM not in seen.platforms:
        return [f"it is for {', '.join(seen.platforms) or 'no platform'}, and hosted agents run {PLATFORM} only"]
    if not seen.command:
        return ["it has neither an ENTRYPOINT nor a CMD, so nothing would start"]
    return []
