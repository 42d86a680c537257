"""How images are named: repositories, tags, and the tag of a content."""

from __future__ import annotations

import re

PLATFORM = "linux/amd64"
"""The only platform of hosted agents [docs]."""

PORT = 8088
"""Where the container listens, unless it follows the variable PORT [docs]."""

CONTENT_TAG_DIGITS = 32

_HOST = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?"
_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
_REPOSITORY = re.compile(rf"(?P<host>{_HOST})/(?P<path>{_PATH})")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def content_tag(content: str) -> str:
    """Return the tag that names an image by what it was built from; ``content`` is hexadecimal."""
    return f"ctx-{content[:CONTENT_TAG_DIGITS]}"


def tag_names(content: str, revision: str | None) -> list[str]:
    """Return the content's tag, and a hint for people: files that git ignores, targets and arguments move that one."""
    return [content_tag(content), *([f"git-{revision}"] if revision else [])]


def repository_problem(repository: str) -> str | None:
    """Return what is wrong with ``host/path``, or None."""
    if _REPOSITORY.fullmatch(repository):
        return None
    return f'"{repository}" is not a repository: write the registry\'s host, a slash, and a path in lower case'


def tag_problem(reference: str) -> str | None:
    """Return what is wrong with ``host/path:tag``, or None."""
    if "@" in reference:
        return f'"{reference}" has a digest already: use AgentImage.pinned(…)'
    repository, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        return f'"{reference}" has no tag: write registry/repository:tag'
    if not _TAG.fullmatch(tag):
        return f'"{tag}" is not a tag: up to 128 letters, digits, dots, hyphens and underscores'
    return repository_problem(repository)
