"""Packs a folder into an OCI image, to try an agent without Docker.

The image holds the folder's files below ``app/`` and **no interpreter**: the ``process`` runtime of the local Azure
provides the host's Python. A container runtime can't start it.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from foundry_agents.sources.ignore_file import IgnoreFile
from foundry_agents.sources.reading import read_whole
from foundry_agents.sources.walk import Entry, walk
from foundry_emulator.media_types import OCI_CONFIG, OCI_LAYER_TAR, OCI_MANIFEST

_BUILD_FILES = (".dockerignore", "Dockerfile")  # for the build, not for the image


@dataclass(frozen=True, slots=True)
class PackedImage:
    """An image of one layer, as bytes.

    Attributes:
        digest: The manifest's digest, which pins the image.
        manifest: The manifest's bytes.
        config: The configuration's bytes.
        layer: The layer, an uncompressed tar file.
    """

    digest: str
    manifest: bytes
    config: bytes
    layer: bytes

    @classmethod
    def of_layer(cls, layer: bytes, config: Mapping[str, object]) -> PackedImage:
        """Return an image of one layer for linux/amd64, unless ``config`` says otherwise; ``rootfs`` is added."""
        whole = {"architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:00Z", **config}
        raw = _json({**whole, "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]}})
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": {"mediaType": OCI_CONFIG, "digest": _digest(raw), "size": len(raw)},
                "layers": [{"mediaType": OCI_LAYER_TAR, "digest": _digest(layer), "size": len(layer)}],
            }
        )
        return cls(digest=_digest(manifest), manifest=manifest, config=raw, layer=layer)


def pack(
    folder: Path, *, entrypoint: Sequence[str] = ("python", "main.py"), env: Mapping[str, str] | None = None
) -> PackedImage:
    """Pack a folder into an image: the same bytes on every machine, at any time.

    Entries are sorted, times and owners are zero, and the layer is not compressed (compressors differ between
    builds of zlib). ``.dockerignore`` is respected. What a build of the library leaves out or refuses is left out or
    refused here, too.

    Args:
        folder: The agent's source.
        entrypoint: The image's entry point, run in ``/app``.
        env: The image's environment.

    Raises:
        ValueError: The ignore file or something in the folder can't be read, looks like a credential, or is a symbolic
            link that leads out of the folder.
        NotADirectoryError: The folder does not exist.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    return PackedImage.of_layer(
        _layer(folder),
        {
            "config": {
                "Entrypoint": list(entrypoint),
                "Env": [f"{name}={value}" for name, value in sorted((env or {}).items())],
                "ExposedPorts": {"8088/tcp": {}},
                "WorkingDir": "/app",
            }
        },
    )


def _layer(folder: Path) -> bytes:
    ignore_file = folder / ".dockerignore"
    ignore = IgnoreFile.docker(ignore_file if ignore_file.exists() else None, ".dockerignore")
    listing = walk(folder, ignore, leave_out=_BUILD_FILES)
    if listing.problems:
        raise ValueError("; ".join(listing.problems))
    parents = {str(parent) for entry in listing.entries for parent in PurePosixPath(entry.name).parents}
    buffer = io.BytesIO()
    # GNU's format has one fixed encoding of long names; PAX records could hold more.
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(_entry("app", tarfile.DIRTYPE, 0o755))
        found: dict[str, Entry | None] = {
            **dict.fromkeys(parents - {"."}),
            **{one.name: one for one in listing.entries},
        }
        for name in sorted(found, key=lambda one: one.split("/")):
            if (entry := found[name]) is None:
                tar.addfile(_entry(f"app/{name}", tarfile.DIRTYPE, 0o755))
            else:
                _add(tar, folder, entry)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, folder: Path, found: Entry) -> None:
    name = f"app/{found.name}"
    if found.target is not None:
        if not Path(found.path).resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{found.path} is a symbolic link that leads out of {folder}; an image can't contain it")
        link = _entry(name, tarfile.SYMTYPE, 0o777)
        link.linkname = found.target
        tar.addfile(link)
        return
    content = io.BytesIO()
    read_whole(found.path, content)
    file = _entry(name, tarfile.REGTYPE, 0o755 if found.mode & stat.S_IXUSR else 0o644)
    file.size = content.tell()
    content.seek(0)
    tar.addfile(file, content)


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode  # times, owners and their names are zero and empty by default
    return entry


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
