"""Packs a folder into an OCI image, to try an agent without Docker.

The image holds the folder's files below ``app/`` and **no interpreter**: the ``process`` runtime of the local Azure
provides the host's Python. A container runtime can't start it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from foundry_emulator.media_types import OCI_CONFIG, OCI_LAYER_TAR, OCI_MANIFEST

_NEVER = frozenset({"__pycache__", ".git", ".venv"})  # generated: their bytes differ from machine to machine
_BUILD_FILES = frozenset({".dockerignore", "Dockerfile"})  # for the build, not for the image


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
    builds of zlib). ``.dockerignore`` is respected; ``__pycache__``, ``.git`` and ``.venv`` are never included.

    Args:
        folder: The agent's source.
        entrypoint: The image's entry point, run in ``/app``.
        env: The image's environment.

    Raises:
        ValueError: A symbolic link leads out of the folder.
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
    buffer = io.BytesIO()
    # GNU's format has one fixed encoding of long names; PAX records could hold more.
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(_entry("app", tarfile.DIRTYPE, 0o755))
        for path, name in sorted(_files(folder), key=lambda found: found[1].parts):
            _add(tar, folder, path, f"app/{name}")
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, folder: Path, path: Path, name: str) -> None:
    if path.is_symlink():
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{path} is a symbolic link that leads out of {folder}; an image can't contain it")
        link = _entry(name, tarfile.SYMTYPE, 0o777)
        link.linkname = PurePosixPath(path.readlink()).as_posix()
        tar.addfile(link)
    elif path.is_dir():
        tar.addfile(_entry(name, tarfile.DIRTYPE, 0o755))
    else:
        content = path.read_bytes()
        file = _entry(name, tarfile.REGTYPE, 0o755 if os.access(path, os.X_OK) else 0o644)
        file.size = len(content)
        tar.addfile(file, io.BytesIO(content))


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode  # times, owners and their names are zero and empty by default
    return entry


def _files(folder: Path) -> Iterator[tuple[Path, PurePosixPath]]:
    ignored = _ignored(folder)
    for path in folder.rglob("*"):
        name = PurePosixPath(path.relative_to(folder).as_posix())
        if not _NEVER.isdisjoint(name.parts) or str(name) in _BUILD_FILES or name.suffix == ".pyc":
            continue
        if not ignored(f"{name}/" if path.is_dir() and not path.is_symlink() else str(name)):
            yield path, name


def _ignored(folder: Path) -> Callable[[str], bool]:
    """Return the patterns of ``.dockerignore``. They start at the root, unlike git's, hence the slash."""
    try:
        lines = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return lambda _name: False
    import pathspec  # noqa: PLC0415 - needed only where the file exists

    rules = []
    for line in (raw.strip() for raw in lines):
        if line and not line.startswith("#"):
            negation = "!" if line.startswith("!") else ""
            rules.append(f"{negation}/{line.removeprefix('!').strip().lstrip('/')}")
    return pathspec.GitIgnoreSpec.from_lines(rules).match_file


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
