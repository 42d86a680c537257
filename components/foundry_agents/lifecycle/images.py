"""Images in a registry: how they are named, what is looked up, and whether one can run as a hosted agent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from foundry_agents.lifecycle.errors import FoundryAgentsError, ImageUnfit
from foundry_agents.lifecycle.ports import Progress

PLATFORM = "linux/amd64"
"""The only platform of hosted agents [docs]."""

PORT = 8088
"""Where the container is called, unless it follows the variable PORT [docs]."""

CONTENT_TAG_DIGITS = 32

_HOST = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?"
_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
_REPOSITORY = re.compile(rf"(?P<host>{_HOST})/(?P<path>{_PATH})")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class ImageView:
    """An image as its registry describes it.

    Attributes:
        digest: What it is pinned by: of the index, when it is one.
        platforms: Those it is there for, ``os/architecture``.
        command: What starts: entry point and command of the linux/amd64 image; empty when neither is set.
        ports: Exposed ports of that image, such as ``8088/tcp``.
    """

    digest: str
    platforms: tuple[str, ...]
    command: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()


class ImageRegistry(Protocol):
    """What is asked of registries. ``repository`` is the whole name, host first."""

    def digest_of(self, repository: str, reference: str) -> str | None:
        """The digest behind a tag or digest; None on a definite 404."""
        ...

    def inspect(self, repository: str, digest: str) -> ImageView | None:
        """An image; None on a definite 404."""
        ...

    def require_push(self, repository: str, *, sign_in: bool, progress: Progress) -> None:
        """Makes sure that Docker could push from here.

        With ``sign_in``, a token for this registry is left with Docker where Docker has none that works.

        Raises:
            RegistryRefused: It could not.
        """
        ...


def content_tag(content: str) -> str:
    """The tag that names an image by what it was built from; ``content`` is hexadecimal."""
    return f"ctx-{content[:CONTENT_TAG_DIGITS]}"


def tag_names(content: str, revision: str | None) -> list[str]:
    """The content's tag, and one for people to find the commit by."""
    return [content_tag(content), *([f"git-{revision}"] if revision else [])]


def repository_problem(repository: str) -> str | None:
    """What is wrong with ``host/path``, or None."""
    if _REPOSITORY.fullmatch(repository):
        return None
    return f'"{repository}" is no repository: write the registry\'s host, a slash, and a path in lower case'


def tag_problem(reference: str) -> str | None:
    """What is wrong with ``host/path:tag``, or None."""
    if "@" in reference:
        return f'"{reference}" has a digest already: AgentImage.pinned(…) takes it as it is'
    repository, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        return f'"{reference}" names no tag: write registry/repository:tag'
    if not _TAG.fullmatch(tag):
        return f'"{tag}" is no tag: up to 128 letters, digits, dots, hyphens and underscores'
    return repository_problem(repository)


def check_image(registry: ImageRegistry, reference: str, progress: Progress, warn: Progress) -> None:
    """Refuses an image that can't run as a hosted agent, before anything is posted.

    What can't be read is no evidence against the image: it is told and let through. So is a port that the image does
    not name, because the platform sets PORT.

    Raises:
        ImageUnfit: It is not in its registry, not for linux/amd64, or says nothing to start.
    """
    repository, _, digest = reference.partition("@")
    try:
        seen = registry.inspect(repository, digest)
    except FoundryAgentsError as error:
        warn(f"image not checked: {' '.join(str(error).split())}")
        return
    if seen is None:
        raise ImageUnfit(
            reference,
            [f"there is no such digest in {repository}"],
            do="push it, or correct the digest: `docker buildx imagetools inspect REGISTRY/REPOSITORY:TAG` prints it",
        )
    problems = _problems(seen)
    if problems:
        raise ImageUnfit(reference, problems, do=f"build it with `--platform {PLATFORM}` and an ENTRYPOINT or CMD")
    if seen.ports and f"{PORT}/tcp" not in seen.ports:
        warn(f"image exposes {', '.join(seen.ports)} and not {PORT}: the agent must listen where PORT says")
    progress(f"image checked: {PLATFORM}, starts {seen.command[0]}")


def _problems(seen: ImageView) -> Sequence[str]:
    if PLATFORM not in seen.platforms:
        return [f"it is for {', '.join(seen.platforms) or 'no platform'}, and hosted agents run {PLATFORM} only"]
    if not seen.command:
        return ["it has neither an ENTRYPOINT nor a CMD, so nothing would start"]
    return []
