"""Other Pythons than this one: an installed one, or one from Debian's packages, unpacked into the user's cache.

`uv python install` would be shorter, but it downloads from a host that a machine with package registries alone cannot
reach. Debian's interpreter needs no root and no chroot: the C library that comes with it starts it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.checkout import CHECKOUT

SUITE = "sid"
"""Where Debian has the newest Pythons."""

_PACKAGES = ("python{}-minimal", "libpython{}-minimal", "libpython{}-stdlib")
_LIBRARIES = ("libc6", "zlib1g", "libexpat1", "libssl3t64", "libffi8", "libstdc++6", "libgcc-s1")
_LIBRARY_FOLDER = Path("usr/lib/x86_64-linux-gnu")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Unavailable(Exception):
    """This Python is neither installed nor in Debian's packages; the text says what failed."""


@dataclass(frozen=True)
class OtherPython:
    """A Python to run code with.

    Attributes:
        minor: "3.14".
        command: What starts it.
        environment: Variables that it needs.
    """

    minor: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, code: str, *arguments: str, path: Sequence[Path] = ()) -> str:
        """Return what the code prints; it can import only the standard library and ``path``."""
        environment = {**self.environment, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONNOUSERSITE": "1"}
        done = subprocess.run(
            [*self.command, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"Python {self.minor} ended with {done.returncode}:\n{done.stderr}"
        return done.stdout


def python(minor: str) -> OtherPython:
    """Return the Python of this minor version.

    Raises:
        Unavailable: It is not installed, and Debian's packages could not be fetched.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for program in (*sorted(pyenv.glob(f"{minor}.*/bin/python")), shutil.which(f"python{minor}")):
        if program and subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0:
            return OtherPython(minor, [str(program)])
    root = _cached(f"python{minor}-{SUITE}", lambda folder: _unpack(minor, folder))
    libraries = root / _LIBRARY_FOLDER
    loader = [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries)]
    return OtherPython(minor, [*loader, str(root / f"usr/bin/python{minor}")], {"PYTHONHOME": str(root / "usr")})


def packages(minor: str, *requirements: str) -> Path:
    """Return a folder with the wheels of these packages for that Python."""

    def install(folder: Path) -> None:
        platform = ["--python-version", minor, "--python-platform", "x86_64-unknown-linux-gnu"]
        call = [str(CHECKOUT / "tools" / "uv"), "pip", "install", "--quiet", "--only-binary", ":all:", *platform]
        _run([*call, "--target", str(folder), *requirements])

    return _cached(f"packages{minor}-{'-'.join(requirements).replace('==', '-')}", install)


def _unpack(minor: str, folder: Path) -> None:
    """Fetch Debian's packages by apt with lists of its own, so that the machine stays as it is."""
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for name in ("state/lists/partial", "cache/archives/partial", "debs"):
            (work / name).mkdir(parents=True)
        mirror = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"])
        if not mirror:
            raise Unavailable("this machine gets no packages from Debian")
        source = f"deb [signed-by={_KEYRING}] {mirror.split()[0]} {SUITE} main\n"
        (work / "sources.list").write_text(source, encoding="utf-8")
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
        _run([*apt, "download", *(name.format(minor) for name in _PACKAGES), *_LIBRARIES], cwd=work / "debs")
        for package in sorted((work / "debs").glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(folder)])


def _cached(name: str, fill: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, filled once: it is complete, or not there."""
    own, xdg = os.environ.get("FOUNDRY_AGENTS_CACHE"), os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    folder = Path(own or Path(xdg) / "foundry-agents") / "pythons" / name
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            fill(made)
            made.rename(folder)
    return folder


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{command[0]} {command[-1]}: {error.stderr.strip()[-500:]}") from error
