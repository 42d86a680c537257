"""How images are named: repositories, tags, and the tag of a content."""

from __future__ import annotations

import re

from foundry_agents.lifecycle.schema.report import shown

PLATFORM = "linux/amd64"
"""The only platform of hosted agents [docs]."""

PORT = 8088
"""Where the container listens, unless it follows the variable PORT [docs]."""

CONTENT_TAG_DIGITS = 32

# The grammar of OCI's distribution specification, and Docker's for the host. A host is compared with Azure's before it
# receives a token, and a URL is made of it: a character that has a meaning in URLs must not be in it.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")
_SEGMENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def content_tag(content: str) -> str:
    """Return the tag that names an image by what it was built from; ``content`` is hexadecimal."""
    return f"ctx-{content[:CONTENT_TAG_DIGITS]}"


def tag_names(content: str, revision: str | None) -> list[str]:
    """Return the content's tag, and a hint for people: files that git ignores, targets and arguments move that one."""
    return [content_tag(content), *([f"git-{revision}"] if revision else [])]


_USER_INFO = (
    "leave out the user name and password before the @: Docker's settings and Azure's sign-in have the credentials"
)


def is_host(text: str) -> bool:
    """Return whether a text is a registry's host, with or without a port, and nothing else."""
    return _HOST.fullmatch(text) is not None


def repository_problem(repository: str) -> str | None:
    """Return what is wrong with ``host/path``, or None."""
    if "@" in repository:  # not shown: a password may be in it
        return _USER_INFO
    if "://" in repository:
        return f"{shown(repository)} is not a repository: leave out https:// or the like"
    host, slash, path = repository.partition("/")
    if not slash or not path:
        return f"{shown(repository)} is not a repository: write the registry's host, a slash, and a path in lower case"
    if not is_host(host):
        return (
            f"{shown(repository)} is not a repository: {shown(host)} is no registry's host, which has letters, digits, "
            "dots and hyphens, or is an IPv6 address in brackets, and may have a port"
        )
    if not _PATH.fullmatch(path):
        return (
            f"{shown(repository)} is not a repository: its path is in lower case, letters and digits with single dots, "
            "slashes, one or two underscores, or hyphens between them"
        )
    return None


def prefix_problem(prefix: str) -> str | None:
    """Return what is wrong with ``host`` or ``host/path``, to which a repository's name is added, or None."""
    return repository_problem(f"{prefix}/x") if prefix else "a registry's host is missing"


def tag_problem(reference: str) -> str | None:
    """Return what is wrong with ``host/path:tag``, or None."""
    name, at, digest = reference.partition("@")
    if at:
        pinned_already = f"{shown(reference)} has a digest already: use AgentImage.pinned(…)"
        return pinned_already if digest.startswith("sha256:") else _USER_INFO
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return f"{shown(reference)} has no tag: write registry/repository:tag"
    if not _TAG.fullmatch(tag):
        return f"{shown(tag)} is not a tag: up to 128 letters, digits, dots, hyphens and underscores"
    return repository_problem(repository)


def pin_problem(reference: str) -> str | None:
    """Return what is wrong with ``host/path@sha256:…``, or None; a tag may stand before the digest."""
    name, _, digest = reference.partition("@")
    if "@" in digest:
        return _USER_INFO
    if not digest:
        return f"{shown(name)}: a tag can move; pin it: AgentImage.from_tag(…), or {_without_tag(name)}@sha256:…"
    if not _DIGEST.fullmatch(digest):
        return f"{shown(reference)}: a digest is sha256: and 64 hexadecimal digits"
    return repository_problem(_without_tag(name))


def pinned(reference: str) -> str:
    """Return a good reference without its tag: beside a digest it has no effect, and it may move."""
    name, _, digest = reference.partition("@")
    return f"{_without_tag(name)}@{digest}"


def _without_tag(name: str) -> str:
    before, colon, tag = name.rpartition(":")
    return before if colon and _TAG.fullmatch(tag) else name
