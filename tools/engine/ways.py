"""The ways to an engine, in order: PATH, the cache, the official release, the build from Go modules."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from .cache import Place
from .download import download
from .errors import NoEngine, WayFailed
from .go_build import go_build
from .machine import Machine
from .recipes import Recipe

VERSION_TIMEOUT_S = 60

Getter = Callable[[Recipe, Machine, Path, Path], None]
# How each way is named, in the errors and as the origin of what it brought.
GETTERS: tuple[tuple[str, Getter], ...] = (("official release", download), ("build from Go modules", go_build))


def where(recipe: Recipe, machine: Machine) -> Path | None:
    """Return the folder to put on PATH, or None when the recipe is neither on PATH nor in the cache; gets nothing."""
    return _find(recipe, machine, Place(recipe, machine), [])


def ensure(recipe: Recipe, machine: Machine) -> Path:
    """Return the folder to put on PATH, and get what belongs there when it isn't on this machine yet.

    Raises:
        NoEngine: no way worked; it names each and why.
        CacheUnusable: the cache folder can't be written.
    """
    place = Place(recipe, machine)
    tried: list[tuple[str, str]] = []
    if found := _find(recipe, machine, place, tried):
        return found
    with place.locked():
        if found := _in_cache(recipe, machine, place):  # another process was faster
            return found
        for way, get in GETTERS:
            if get is download and recipe.release is None:
                continue
            try:
                _fill(place, way, get, recipe, machine)
            except WayFailed as failed:
                machine.say(f"not by the {way}: {failed}")
                tried.append((way, str(failed)))
            else:
                machine.say(f"{recipe.name} {recipe.version} is ready ({way}): {place.bin}")
                return place.bin
    raise NoEngine(f"{recipe.name} {recipe.version} for {machine.platform}", tried, _remedies(recipe))


def _find(recipe: Recipe, machine: Machine, place: Place, tried: list[tuple[str, str]]) -> Path | None:
    """Look on PATH and in the cache; what was in the way is said and added to ``tried``."""
    try:
        return _on_path(recipe, machine)
    except WayFailed as failed:
        machine.say(f"not from PATH: {failed}")
        tried.append(("PATH", str(failed)))
    found = _in_cache(recipe, machine, place)
    if found is None:
        tried.append(("cache", f"{place.bin} is not there"))
    return found


def _on_path(recipe: Recipe, machine: Machine) -> Path:
    program, *others = recipe.programs
    found = shutil.which(program, path=machine.path)
    if found is None:
        raise WayFailed(f"there is no {program}")
    version = _version_of(recipe, found, machine)
    if _numbers(version) < recipe.minimum:
        raise WayFailed(f"{found} is {version}; {_dotted(recipe.minimum)} or later is needed")
    folder = Path(found).parent.absolute()
    beside = f"{folder}{os.pathsep}{machine.path}"
    if missing := [name for name in others if shutil.which(name, path=beside) is None]:
        raise WayFailed(f"{found} has no {' and no '.join(missing)} beside it or on PATH")
    machine.say(f"using {program} {version} from PATH: {found}")
    return folder


def _in_cache(recipe: Recipe, machine: Machine, place: Place) -> Path | None:
    if not place.complete:
        return None
    machine.say(f"using {recipe.name} {recipe.version} from the cache ({place.origin}): {place.bin}")
    return place.bin


def _fill(place: Place, way: str, get: Getter, recipe: Recipe, machine: Machine) -> None:
    """Let one way do its work aside, see that the result runs, and only then move it into place."""
    with place.workshop() as workshop:
        finished = workshop / "bin"
        finished.mkdir()
        get(recipe, machine, workshop, finished)
        if missing := [name for name in recipe.files if not (finished / name).is_file()]:
            raise WayFailed(f"it brought no {' and no '.join(missing)}")
        version = _version_of(recipe, str(finished / recipe.programs[0]), machine)
        if version != recipe.version:
            raise WayFailed(f"it brought {recipe.programs[0]} {version} instead of {recipe.version}")
        place.fill(finished, way)


def _version_of(recipe: Recipe, program: str, machine: Machine) -> str:
    """Ask ``program`` for its version and return it, without the leading v."""
    if recipe.version_argument is None:
        return recipe.version
    # Else an official one asks the internet whether there is a newer release.
    environ = {**machine.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    command = [program, recipe.version_argument]
    try:
        answer = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise WayFailed(f"`{' '.join(command)}` does not work: {error}") from error
    # Some say more than the version: the first word that looks like one is it.
    words = [word.removeprefix("v") for word in answer.stdout.split()]
    return next((word for word in words if word[:1].isdigit()), " ".join(words))


def _numbers(version: str) -> tuple[int, int]:
    """Major and minor; (0, 0) for what doesn't look like a version, which is then too old for anybody."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _remedies(recipe: Recipe) -> list[str]:
    others = "".join(f" with {program}" for program in recipe.programs[1:])
    remedies = [f"install {recipe.name} {_dotted(recipe.minimum)} or later{others} and put it on PATH"]
    if recipe.release is not None:
        remedies.append(f"let this machine reach {recipe.release.base}, or name a mirror of it with --releases URL")
    return [*remedies, f"install Go {_dotted(recipe.go_minimum)} or later and let it fetch Go modules"]
