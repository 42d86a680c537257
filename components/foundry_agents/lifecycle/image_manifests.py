"""What an image's manifests say: OCI's and Docker's, an index within an index, and documents that are neither.

A registry's bytes are checked against their digest by whoever reads them; what they hold is anybody's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from foundry_agents.lifecycle.inputs.image_reference import PLATFORM
from foundry_agents.lifecycle.views import ImageView

DEEPEST = 3
"""Indexes within indexes that are followed; BuildKit and buildx write one [ours]."""
MOST_DOCUMENTS = 32
"""Manifests and configurations that are read of one image [ours]."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_UNKNOWN = "unknown"

Read = Callable[[str], bytes | None]
"""Returns the bytes of a digest; None when the registry does not have it."""


class NotAnImageError(Exception):
    """A document is not what a container image has; the text says in words what it is."""


@dataclass
class ImageReader:
    """Finds the image for linux/amd64 below a digest, and describes it.

    Attributes:
        manifest: Reads a manifest or an index.
        blob: Reads a configuration.
    """

    manifest: Read
    blob: Read
    _documents: int = field(default=0, init=False)
    _platforms: set[str] = field(default_factory=set, init=False)

    def view(self, digest: str) -> ImageView | None:
        """Describe an image; None when the registry does not have the digest."""
        try:
            document = self._document(self.manifest, digest, "its manifest")
            if document is None:
                return None
            found = next(self._fits(digest, document, DEEPEST), None)
        except NotAnImageError as problem:
            return ImageView(digest, (), problem=str(problem))
        if found is None:
            return ImageView(digest, tuple(sorted(self._platforms)))
        return ImageView(digest, (PLATFORM,), _command(found), _ports(found))

    def _fits(self, digest: str, document: Mapping[str, object], depth: int) -> Iterator[Mapping[str, object]]:
        """Yield the configurations for linux/amd64, in the order in which a container engine takes them."""
        if "manifests" not in document:
            config = self._config(digest, document)
            name = _platform(config)
            if _UNKNOWN not in name:
                self._platforms.add(name)
            if name == PLATFORM:
                yield config
            elif depth == DEEPEST and name == f"{_UNKNOWN}/{_UNKNOWN}":
                raise NotAnImageError("it is not a container image: its configuration names no platform")
            return
        if not depth:
            raise NotAnImageError(f"it has indexes within indexes, more than {DEEPEST} deep")
        for entry in _entries(document):
            name = _platform_of(entry)
            if name not in {PLATFORM, _UNKNOWN}:
                self._platforms.add(name)
                continue
            inner_digest = _digest_in(entry, f"an entry of its index {digest}")
            inner = self._document(self.manifest, inner_digest, f"the manifest {inner_digest}")
            if inner is None:
                raise NotAnImageError(f"its index names {inner_digest}, which is not in the registry")
            yield from self._fits(inner_digest, inner, depth - 1)

    def _config(self, digest: str, manifest: Mapping[str, object]) -> Mapping[str, object]:
        descriptor = manifest.get("config")
        if not isinstance(descriptor, dict):
            raise NotAnImageError(f"it is not a container image: the manifest {digest} names no configuration")
        named = _digest_in(descriptor, f"the configuration of {digest}")
        config = self._document(self.blob, named, f"the configuration {named}")
        if config is None:
            raise NotAnImageError(f"its configuration {named} is not in the registry")
        return config

    def _document(self, read: Read, digest: str, what: str) -> Mapping[str, object] | None:
        self._documents += 1
        if self._documents > MOST_DOCUMENTS:
            raise NotAnImageError(f"more than {MOST_DOCUMENTS} manifests would have to be read")
        raw = read(digest)
        if raw is None:
            return None
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            raise NotAnImageError(f"it is not a container image: {what} is not JSON") from None
        if not isinstance(document, dict):
            raise NotAnImageError(f"it is not a container image: {what} is not a JSON object")
        return document


def _entries(index: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    """Return the entries of an index that may be images, those with a platform and no variant of it first."""
    listed = index.get("manifests")
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise NotAnImageError("it is not a container image: its index has another form")
    return sorted((entry for entry in listed if not _is_attestation(entry)), key=_rank)


def _is_attestation(entry: Mapping[str, object]) -> bool:
    """Return whether BuildKit put the entry beside an image: provenance and the like are for no platform."""
    return bool(entry.get("platform")) and _platform_of(entry) == f"{_UNKNOWN}/{_UNKNOWN}"


def _rank(entry: Mapping[str, object]) -> int:
    platform = entry.get("platform")
    if not isinstance(platform, dict) or not platform:
        return 2
    return 1 if platform.get("variant") else 0


def _platform_of(entry: Mapping[str, object]) -> str:
    """Return the platform that an index gives an entry; "unknown" where it may give none, as OCI allows."""
    platform = entry.get("platform")
    return _platform(platform) if isinstance(platform, dict) and platform else _UNKNOWN


def _platform(described: Mapping[str, object]) -> str:
    return f"{_word(described.get('os'))}/{_word(described.get('architecture'))}"


def _word(value: object) -> str:
    return value if isinstance(value, str) and value else _UNKNOWN


def _digest_in(descriptor: Mapping[str, object], what: str) -> str:
    digest = descriptor.get("digest")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):  # it becomes a part of a URL
        raise NotAnImageError(f"it is not a container image: {what} has no digest")
    return digest


def _command(config: Mapping[str, object]) -> tuple[str, ...]:
    inner = config.get("config")
    return (*_texts(inner, "Entrypoint"), *_texts(inner, "Cmd"))


def _ports(config: Mapping[str, object]) -> tuple[str, ...]:
    inner = config.get("config")
    ports = inner.get("ExposedPorts") if isinstance(inner, dict) else None
    return tuple(sorted(ports)) if isinstance(ports, dict) else ()


def _texts(inner: object, name: str) -> tuple[str, ...]:
    found = inner.get(name) if isinstance(inner, dict) else None
    return tuple(text for text in found if isinstance(text, str)) if isinstance(found, list) else ()
