"""Unpacks image layers and zips into a folder, once per digest, and never outside of it."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from foundry_emulator.registry import Layer, PulledImage
from foundry_emulator.runtime.base import CODE_ERROR, IMAGE_ERROR, Code, StartFailed

_WHITEOUT = ".wh."  # OCI image-spec, layer.md
_OPAQUE = ".wh..wh..opq"


def unpacked(image: PulledImage, folder: Path) -> Path:
    """Return the root folder of ``image`` below ``folder``, unpacked now or earlier; blocks.

    Versions with the same digest share it, so each sees what the others write there; the service
    gives each sandbox its own.

    Raises:
        StartFailed: ``ImageError`` for layers that are missing, damaged, in another compression than
            gzip, or that reach outside of the image.
    """
    digest = image.manifest.digest

    def fill(work: Path) -> None:
        listed = image.manifest.parsed.get("layers")
        if not isinstance(listed, list) or len(listed) != len(image.layers):
            raise StartFailed(IMAGE_ERROR, f"Layers of image {digest} are not in the registry.")
        for layer in image.layers:
            _apply(layer, work)

    return _once(folder / digest.replace(":", "-"), fill)


def unpacked_code(code: Code, folder: Path) -> Path:
    """Return the folder of a code agent's zip below ``folder``, unpacked now or earlier; blocks.

    Raises:
        StartFailed: ``CodeError`` for a zip that is missing, damaged, or leads outside of itself.
    """

    def fill(work: Path) -> None:
        try:
            with zipfile.ZipFile(code.archive) as archive:
                for name in archive.namelist():
                    if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
                        raise StartFailed(CODE_ERROR, f"The zip's path {name} leads outside of it.")
                archive.extractall(work)  # noqa: S202  a zip, its names just checked
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as problem:
            raise StartFailed(CODE_ERROR, f"The zip can't be unpacked: {problem}") from None

    return _once(folder / f"code-{code.sha256}", fill)


def _once(root: Path, fill: Callable[[Path], None]) -> Path:
    """Return ``root``; the first call fills it."""
    if root.is_dir():
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    # In another place first, so that a half-filled folder is never found at the final one.
    work = Path(tempfile.mkdtemp(dir=root.parent, prefix="unpacking-"))
    try:
        fill(work)
        try:
            work.rename(root)
        except OSError:  # another version finished first
            if not root.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return root


def _apply(layer: Layer, root: Path) -> None:
    try:
        with tarfile.open(layer.path, mode="r:*") as archive:
            for member in archive:
                _apply_member(archive, member, root)
    except (tarfile.TarError, EOFError, OSError) as problem:
        raise StartFailed(IMAGE_ERROR, f"Layer {layer.digest} can't be unpacked: {problem}") from None


def _apply_member(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    target = inside(root, member.name)
    if target == root:
        return
    if target.name.startswith(_WHITEOUT):
        _apply_whiteout(target)
        return
    if member.isdir():
        if target.is_symlink() or not target.is_dir():
            _remove(target)
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove(target)
    if member.issym():
        target.symlink_to(_link(root, target, member.linkname))
    elif member.islnk():
        source = inside(root, member.linkname)
        if not source.is_file():
            raise tarfile.TarError(f"hard link {member.name} to {member.linkname}, which is not there")
        os.link(source, target, follow_symlinks=False)
    elif member.isfile():
        stream = archive.extractfile(member)
        if stream is None:
            raise tarfile.TarError(f"file {member.name} has no content")
        with stream, target.open("wb") as file:
            shutil.copyfileobj(stream, file)
        # The owner may always read and write, whatever the image says: the clean-up needs it.
        target.chmod((member.mode & 0o777) | 0o600)
    # Devices and pipes are useless to a process that is not isolated: they are left out.


def _apply_whiteout(target: Path) -> None:
    if target.name == _OPAQUE:
        _remove_below(target.parent)
        return
    removed = target.name.removeprefix(_WHITEOUT)
    if removed in {"", ".", ".."}:
        raise tarfile.TarError(f"whiteout {target.name} names nothing that an image can hold")
    _remove(target.with_name(removed))


def inside(root: Path, name: str) -> Path:
    """Return the place of an image's path below ``root``.

    Raises:
        tarfile.TarError: The path leads outside, by ``..`` or through a link in one of its folders.
    """
    parts = [part for part in PurePosixPath(name).parts if part not in {"/", "//", "."}]
    if ".." in parts:
        raise tarfile.TarError(f"path {name} leads outside of the image")
    target = root.joinpath(*parts)
    # The folder may be behind links that an earlier entry created.
    parent, real_root = Path(os.path.realpath(target.parent)), Path(os.path.realpath(root))
    if target != root and parent != real_root and real_root not in parent.parents:
        raise tarfile.TarError(f"path {name} leads outside of the image through a link")
    return target


def _link(root: Path, link: Path, target: str) -> str:
    """Return a symbolic link's target; an absolute one starts at the image's root, as it would in a container.

    Raises:
        tarfile.TarError: It leads outside.
    """
    path = PurePosixPath(target)
    place = root.joinpath(*path.parts[1:]) if path.is_absolute() else link.parent / target
    normal = Path(os.path.normpath(place))
    if normal != root and root not in normal.parents:
        raise tarfile.TarError(f"link {link.name} to {target} leads outside of the image")
    return os.path.relpath(normal, link.parent)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_below(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            _remove(path)
