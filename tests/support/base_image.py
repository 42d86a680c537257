"""A base image from this machine's own files: a shell, `useradd` and their libraries. No other is available offline.

Python is not in it: the runtime of the local Azure lends it, with the packages of this checkout. So its `pip` installs
nothing; it says which requirements it was asked for.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from foundry_emulator.registry import PackedImage

_PROGRAMS = ("sh", "useradd", "mkdir", "chown", "cat")
_PIP = '#!/bin/sh\nfor last; do :; done\necho "offline: the packages of $last are lent by the runtime"\ncat "$last"\n'
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "group": "root:x:0:\n",
    "shadow": "root:*:1::::::\n",
    "gshadow": "root:*::\n",
    "login.defs": "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUSERGROUPS_ENAB yes\n",
}


def base_image() -> PackedImage:
    """Return the image, as bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, path in sorted(_programs().items()):
            _add(tar, name, path.read_bytes(), 0o755)
        _add(tar, "usr/local/bin/pip", _PIP.encode(), 0o755)
        for name, text in _ETC.items():
            _add(tar, f"etc/{name}", text.encode(), 0o644)
        _folder(tar, "tmp", 0o1777)
        _folder(tar, "home", 0o755)
    variables = ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    return PackedImage.of_layer(buffer.getvalue(), {"config": {"Env": variables, "Cmd": ["python3"]}})


def _programs() -> dict[str, Path]:
    """Return where each file goes, and what it is."""
    files: dict[str, Path] = {}
    for name in _PROGRAMS:
        found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert found, f"this machine has no {name}"
        files[found.lstrip("/").replace("usr/", "", 1) if name == "sh" else found.lstrip("/")] = Path(found).resolve()
        listed = subprocess.run(["ldd", found], capture_output=True, text=True, check=True).stdout
        for word in listed.split():
            if word.startswith("/"):
                files[word.lstrip("/")] = Path(word).resolve()
    return files


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)
