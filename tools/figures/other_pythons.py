"""Other Pythons than this one: one that is installed, or one from Debian's packages, unpacked into the user's cache.

Debian's needs no root and no chroot: the interpreter is started by the C library that it came with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.engine.machine import cache_folder
from tools.local.surroundings import CHECKOUT

SUITE = "sid"
"""Where Debian has the newest Pythons."""

_PARTS = ("python{}-minimal", "libpython{}-minimal", "libpython{}-stdlib")
_LIBRARIES = ("libc6", "zlib1g", "libexpat1", "libssl3t64", "libffi8", "libstdc++6", "libgcc-s1")
_LIBRARY_FOLDER = Path("usr/lib/x86_64-linux-gnu")


class NotToBeHad(Exception):
    """This Python is neither installed nor in Debian's packages."""


@dataclass(frozen=True)
class OtherPython:
    """A Python to run things with.

    Attributes:
        minor: "3.14".
        command: What starts it.
        environment: What it needs besides.
    """

    minor: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, code: str, *arguments: str, path: Sequence[Path] = ()) -> str:
        """What the code prints; only standard library and ``path`` can be imported."""
        environment = {**self.environment, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONNOUSERSITE": "1"}
        done = subprocess.run(
            [*self.command, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"Python {self.minor} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout


def python(minor: str) -> OtherPython:
    """The Python of this minor version.

    Raises:
        NotToBeHad: With what was tried.
    """
    own = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for program in (*sorted(own.glob(f"{minor}.*/bin/python")), shutil.which(f"python{minor}")):
        if program and _runs(str(program)):
            return OtherPython(minor, [str(program)])
    root = _kept(f"python{minor}-{SUITE}", lambda folder: _unpack(minor, folder))
    libraries = root / _LIBRARY_FOLDER
    loader = [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries)]
    return OtherPython(minor, [*loader, str(root / f"usr/bin/python{minor}")], {"PYTHONHOME": str(root / "usr")})


def packages(minor: str, *requirements: str) -> Path:
    """A folder with these packages for that Python, wheels only."""
    name = "-".join(requirements).replace("==", "-")

    def install(folder: Path) -> None:
        platform = ["--python-version", minor, "--python-platform", "x86_64-unknown-linux-gnu"]
        call = [str(CHECKOUT / "tools" / "uv"), "pip", "install", "--quiet", "--only-binary", ":all:", *platform]
        _run([*call, "--target", str(folder), *requirements])

    return _kept(f"packages{minor}-{name}", install)


def _runs(program: str) -> bool:
    return subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0


def _unpack(minor: str, folder: Path) -> None:
    """Debian's packages, by apt with lists of its own, so that nothing of the machine's is changed."""
    if not shutil.which("apt-get"):
        raise NotToBeHad(f"Python {minor} is not installed, and there is no apt-get")
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for name in ("state/lists/partial", "cache/archives/partial", "debs"):
            (work / name).mkdir(parents=True)
        keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
        (work / "sources.list").write_text(f"deb [signed-by={keyring}] {_mirror()} {SUITE} main\n", encoding="utf-8")
        options = {
            "Dir::Etc::sourcelist": work / "sources.list",
            "Dir::Etc::sourceparts": os.devnull,
            "Dir::State": work / "state",
            "Dir::Cache": work / "cache",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "root",
        }
        apt = ["apt-get", "-qq", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
        _run([*apt, "update"])
        _run([*apt, "download", *(part.format(minor) for part in _PARTS), *_LIBRARIES], cwd=work / "debs")
        for package in sorted((work / "debs").glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(folder)])


def _mirror() -> str:
    """Where this machine gets Debian's packages."""
    wanted = ["Created-By: Packages", "Origin: Debian", "Component: main"]
    listed = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted]).split()
    if not listed:
        raise NotToBeHad("this machine gets no packages from Debian")
    return listed[0]


def _kept(name: str, fill: Callable[[Path], None]) -> Path:
    """A folder of the cache, filled once; it is there whole or not at all."""
    place = cache_folder(os.environ) / "pythons" / name
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        fill(made)
        try:
            made.rename(place)
        except OSError:
            if not place.is_dir():  # else another process was faster
                raise
    return place


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotToBeHad(f"{command[0]} {command[-1]}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout
