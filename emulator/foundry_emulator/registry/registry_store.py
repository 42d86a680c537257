"""The content of the registry: blobs on disk by digest, manifests and tags by repository."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foundry_emulator.media_types import INDEXES
from foundry_emulator.registry.image_reference import DIGEST
from foundry_emulator.store import Store

Json = dict[str, object]
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index, with its exact bytes.

    Attributes:
        digest: ``sha256:`` and 64 hex digits.
        media_type: The media type of the push.
        raw: The bytes.
        parsed: The bytes as JSON.
    """

    digest: str
    media_type: str
    raw: bytes
    parsed: Json

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests, one per platform."""
        return self.media_type in INDEXES

    def blobs(self) -> list[str]:
        """Digests of the configuration and the layers, without layers that are stored elsewhere."""
        config = self.parsed.get("config")
        entries = [config] if isinstance(config, dict) else []
        entries += [entry for entry in descriptors(self.parsed, "layers") if not entry.get("urls")]
        return [str(entry.get("digest")) for entry in entries]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of an image: a tar file, compressed as its media type says."""

    digest: str
    media_type: str
    path: Path


class RegistryStore:
    """Images of every registry of the local Azure.

    The first segment of a repository name is the ARM registry's name (see ``arm.catalog.login_server``). Content
    may be pushed before that registry exists in ARM; an agent can pull it only afterwards. Bytes are stored once,
    and belong to the repositories that they were pushed or mounted to. Blobs are never removed.

    Args:
        folder: The folder of blobs and unfinished uploads; created when missing.
        store: The store of manifests and tags.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self._blobs = folder / "blobs" / "sha256"
        self._uploads = folder / "uploads"
        for path in (self._blobs, self._uploads):
            path.mkdir(parents=True, exist_ok=True)
        self._manifests = store.collection("registry_manifests")
        self._tags = store.collection("registry_tags")
        self._links = store.collection("registry_blobs")

    # Images.

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return the image manifest for linux/amd64 of a tag or digest, resolving an index."""
        found = self.stored_manifest(repository, reference)
        return self.for_linux_amd64(repository, found) if found else None

    def stored_manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return the manifest or index of a tag or digest, as it was pushed."""
        digest = reference
        if not DIGEST.fullmatch(reference):
            tag = self._tags.get(f"{repository}:{reference}")
            if tag is None:
                return None
            digest = str(tag["digest"])
        kept = self._manifests.get(f"{repository}@{digest}")
        path = self.blob_path(digest)
        if kept is None or path is None:
            return None
        raw = path.read_bytes()
        return Manifest(digest=digest, media_type=str(kept["media_type"]), raw=raw, parsed=json.loads(raw))

    def for_linux_amd64(self, repository: str, manifest: Manifest) -> Manifest | None:
        """Return a manifest unchanged, or the one for linux/amd64 of an index; None when the index lists none."""
        if not manifest.is_index:
            return manifest
        for entry in descriptors(manifest.parsed, "manifests"):
            platform = entry.get("platform")
            if isinstance(platform, dict) and (platform.get("os"), platform.get("architecture")) == ("linux", "amd64"):
                return self.manifest(repository, str(entry.get("digest")))
        return None

    def config(self, manifest: Manifest) -> Json:
        """Return an image's configuration; empty when it has no readable one."""
        descriptor = manifest.parsed.get("config")
        path = self.blob_path(str(descriptor.get("digest"))) if isinstance(descriptor, dict) else None
        if path is None:
            return {}
        try:
            config = json.loads(path.read_bytes())
        except ValueError:
            return {}
        return config if isinstance(config, dict) else {}

    def layers(self, manifest: Manifest) -> list[Layer]:
        """Return those layers of an image that are stored here, lowest first."""
        found = []
        for entry in descriptors(manifest.parsed, "layers"):
            path = self.blob_path(str(entry.get("digest")))
            if path is not None:
                found.append(Layer(digest=str(entry["digest"]), media_type=str(entry.get("mediaType")), path=path))
        return found

    def put_manifest(self, repository: str, manifest: Manifest, tag: str | None) -> None:
        """Store a manifest, assign its blobs to the repository, and point a tag to it."""
        self.put_blob(manifest.raw)
        for digest in manifest.blobs():
            self.link(repository, digest)
        self._manifests.put(f"{repository}@{manifest.digest}", {"media_type": manifest.media_type})
        if tag is not None:
            self._tags.put(f"{repository}:{tag}", {"digest": manifest.digest})

    def referring(self, repository: str, digest: str) -> Iterator[Manifest]:
        """Yield the manifests of a repository whose ``subject`` is that digest, oldest first."""
        prefix = f"{repository}@"
        digests = [key.removeprefix(prefix) for key, _ in self._manifests.items() if key.startswith(prefix)]
        for manifest in (self.stored_manifest(repository, referring) for referring in digests):
            subject = manifest.parsed.get("subject") if manifest else None
            if manifest is not None and isinstance(subject, dict) and subject.get("digest") == digest:
                yield manifest

    def delete_manifest(self, repository: str, reference: str) -> bool:
        """Remove a tag, or a manifest with all its tags; return whether it existed."""
        if not DIGEST.fullmatch(reference):
            return self._tags.delete(f"{repository}:{reference}")
        for key, tag in self._tags.items():
            if key.startswith(f"{repository}:") and tag["digest"] == reference:
                self._tags.delete(key)
        return self._manifests.delete(f"{repository}@{reference}")

    def tags(self, repository: str) -> list[str]:
        """Return a repository's tags, sorted."""
        prefix = f"{repository}:"
        return sorted(key.removeprefix(prefix) for key, _ in self._tags.items() if key.startswith(prefix))

    def repositories(self) -> list[str]:
        """Return every repository that holds a manifest, sorted."""
        return sorted({key.partition("@")[0] for key, _ in self._manifests.items()})

    # Blobs.

    def blob_path(self, digest: str) -> Path | None:
        """Return the file of a blob, or None."""
        if not DIGEST.fullmatch(digest):
            return None
        path = self._blobs / digest.removeprefix("sha256:")
        return path if path.is_file() else None

    def link(self, repository: str, digest: str) -> None:
        """Assign a blob to a repository."""
        if not self.has_blob(repository, digest):
            self._links.put(f"{repository}@{digest}", {})

    def has_blob(self, repository: str, digest: str) -> bool:
        """Return whether a repository has a blob."""
        return self._links.get(f"{repository}@{digest}") is not None and self.blob_path(digest) is not None

    def put_blob(self, raw: bytes) -> str:
        """Store bytes and return their digest."""
        upload = self.start_upload()
        self.append(upload, raw)
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        self.finish_upload(upload, digest)
        return digest

    # Uploads: one file each, so that they survive a restart.

    def start_upload(self) -> str:
        """Start an upload and return its id."""
        upload = str(uuid.uuid4())
        (self._uploads / upload).touch()
        return upload

    def upload_size(self, upload: str) -> int | None:
        """Return the number of bytes received, or None for an unknown upload."""
        try:
            path = self._uploads / str(uuid.UUID(upload))
        except ValueError:
            return None
        return path.stat().st_size if path.is_file() else None

    def append(self, upload: str, chunk: bytes) -> None:
        """Add bytes to an upload."""
        with (self._uploads / upload).open("ab") as file:
            file.write(chunk)

    def finish_upload(self, upload: str, digest: str) -> bool:
        """Turn an upload into a blob if its bytes have the digest; else drop it and return False."""
        path = self._uploads / upload
        if f"sha256:{_sha256(path)}" != digest:
            path.unlink()
            return False
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(self._blobs / digest.removeprefix("sha256:"))
        return True

    def drop_upload(self, upload: str) -> None:
        """Delete an unfinished upload."""
        (self._uploads / upload).unlink(missing_ok=True)


def descriptors(parsed: Json, key: str) -> Iterator[Json]:
    """Yield the valid descriptors in a list of a manifest."""
    listed = parsed.get(key)
    if isinstance(listed, list):
        yield from (entry for entry in listed if isinstance(entry, dict))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
