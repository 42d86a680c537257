"""Gets a package from the first source that has it: PATH, the cache, the official release, a build from Go modules."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from .cache import CacheEntry
from .download import download
from .errors import NoEngine, SourceFailed
from .machine import Machine
from .offline import GO_MINIMUM, build
from .package import Package

VERSION_TIMEOUT_S = 60

Source = Callable[[Package, Machine, Path, Path], None]
SOURCES: tuple[tuple[str, Source], ...] = (("official release", download), ("build from Go modules", build))
"""Where a package comes from that is not on this machine, by the name that errors and the cache have for it."""


def where(package: Package, machine: Machine) -> Path | None:
    """Return the folder to put on PATH, or None when the package is neither on PATH nor in the cache; get nothing."""
    return _find(package, machine, CacheEntry(package, machine), [])


def ensure(package: Package, machine: Machine) -> Path:
    """Return the folder to put on PATH, and get the package when it is not on this machine yet.

    Raises:
        NoEngine: No source had it; the text names each and the reason.
        CacheUnusable: The cache folder cannot be written.
    """
    entry = CacheEntry(package, machine)
    tried: list[tuple[str, str]] = []
    if found := _find(package, machine, entry, tried):
        return found
    with entry.locked():
        if found := _in_cache(package, machine, entry):  # another process was faster
            return found
        for name, source in SOURCES:
            if source is download and package.release is None:
                continue
            try:
                _fill(entry, name, source, package, machine)
            except SourceFailed as failed:
                machine.say(f"not from the {name}: {failed}")
                tried.append((name, str(failed)))
            else:
                machine.say(f"{package.name} {package.version} is ready ({name}): {entry.bin}")
                return entry.bin
    raise NoEngine(f"{package.name} {package.version} for {machine.platform}", tried, _remedies(package))


def _find(package: Package, machine: Machine, entry: CacheEntry, tried: list[tuple[str, str]]) -> Path | None:
    """Look on PATH and in the cache; report what is wrong with what is there, and add it to ``tried``."""
    try:
        return _on_path(package, machine)
    except SourceFailed as failed:
        machine.say(f"not from PATH: {failed}")
        tried.append(("PATH", str(failed)))
    found = _in_cache(package, machine, entry)
    if found is None:
        tried.append(("cache", f"{entry.bin} is not there"))
    return found


def _on_path(package: Package, machine: Machine) -> Path:
    program, *others = package.programs
    found = shutil.which(program, path=machine.path)
    if found is None:
        raise SourceFailed(f"there is no {program}")
    version = _version_of(package, found, machine)
    if _numbers(version) < package.minimum:
        raise SourceFailed(f"{found} is {version}; {_dotted(package.minimum)} or later is needed")
    folder = Path(found).parent.absolute()
    beside = f"{folder}{os.pathsep}{machine.path}"
    if missing := [name for name in others if shutil.which(name, path=beside) is None]:
        raise SourceFailed(f"{found} has no {' and no '.join(missing)} beside it or on PATH")
    machine.say(f"using {program} {version} from PATH: {found}")
    return folder


def _in_cache(package: Package, machine: Machine, entry: CacheEntry) -> Path | None:
    if not entry.complete:
        return None
    machine.say(f"using {package.name} {package.version} from the cache ({entry.origin}): {entry.bin}")
    return entry.bin


def _fill(entry: CacheEntry, name: str, source: Source, package: Package, machine: Machine) -> None:
    """Let one source fill a scratch folder, check that the result runs, and only then move it into the cache."""
    with entry.scratch_folder() as scratch:
        finished = scratch / "bin"
        finished.mkdir()
        source(package, machine, scratch, finished)
        if missing := [file for file in (*package.programs, *package.files) if not (finished / file).is_file()]:
            raise SourceFailed(f"it has no {' and no '.join(missing)}")
        version = _version_of(package, str(finished / package.programs[0]), machine)
        if version != package.version:
            raise SourceFailed(f"it has {package.programs[0]} {version} instead of {package.version}")
        entry.fill(finished, name)


def _version_of(package: Package, program: str, machine: Machine) -> str:
    """Ask ``program`` for its version and return it, without the leading v."""
    if package.version_argument is None:
        return package.version
    # Else an official one asks the internet whether there is a newer release.
    environ = {**machine.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    command = [program, package.version_argument]
    try:
        answer = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SourceFailed(f"`{' '.join(command)}` does not work: {error}") from error
    # Some print more than the version: take the first word that looks like one.
    words = [word.removeprefix("v") for word in answer.stdout.split()]
    return next((word for word in words if word[:1].isdigit()), " ".join(words))


def _numbers(version: str) -> tuple[int, int]:
    """Return major and minor; (0, 0), which is always too old, for what does not look like a version."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _remedies(package: Package) -> list[str]:
    others = "".join(f" with {program}" for program in package.programs[1:])
    remedies = [f"install {package.name} {_dotted(package.minimum)} or later{others} and put it on PATH"]
    if package.release is not None:
        remedies.append(f"let this machine reach {package.release.base}, or name a mirror of it with --releases URL")
    return [*remedies, f"install Go {_dotted(GO_MINIMUM)} or later and let it fetch Go modules"]
