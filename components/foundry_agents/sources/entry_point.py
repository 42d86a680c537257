"""Whether a code package holds what its settings start: the file, the manifest, a command of its language [ours]."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath

from foundry_agents.lifecycle.failure.errors import Problem
from foundry_agents.lifecycle.inputs.version_parts import REMOTE_BUILD

_PYTHON, _DOTNET = "python", "dotnet"
_MANIFESTS = {_PYTHON: ("requirements.txt", "pyproject.toml"), _DOTNET: (".csproj", ".fsproj", ".vbproj")}
"""Names, or ends of names, of the file that lists dependencies."""

_TAKES_A_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
_ENDS_OPTIONS = frozenset({"-c", "-m"})


def entry_point_problems(
    entry_point: Sequence[str], runtime: str, dependency_resolution: str, names: Collection[str]
) -> Iterator[Problem]:
    """Yield what prevents a package from starting, as far as it can be seen without running it.

    Args:
        entry_point: Command and arguments; relative files are in the package.
        runtime: What runs it: ``python_3_13``; an unknown language is not judged.
        dependency_resolution: ``bundled`` or ``remote_build``.
        names: The files of the package.
    """
    language = runtime.partition("_")[0]
    program = PurePosixPath(entry_point[0]).name if entry_point else ""
    command = _PYTHON if program.startswith(_PYTHON) else program
    if " " in program or program.endswith((".py", ".dll")):
        example = json.dumps(entry_point[0].split() if " " in program else [language, *entry_point], ensure_ascii=False)
        yield Problem("code.entry_point", f"{program} is not a command: write {example}")
    elif {language, command} == {_PYTHON, _DOTNET}:
        yield Problem("code.entry_point", f"{program} is not in the runtime {runtime}: change one of them")
    elif (file := _started(command, entry_point)) and not _is_there(file, names, dependency_resolution):
        yield Problem(
            "code.entry_point", f"{file} is not in the package: correct the path, which starts in the package's folder"
        )
    manifests = _MANIFESTS.get(language, ())
    if dependency_resolution == REMOTE_BUILD and manifests and not any(_is_manifest(name, manifests) for name in names):
        listed = " or ".join(f"*{one}" if one.startswith(".") else one for one in manifests[:2])
        yield Problem(
            "code.dependency_resolution",
            f'"{REMOTE_BUILD}" installs what a manifest names, and the package has none: add {listed}, '
            'or say "bundled"',
        )


def _started(command: str, entry_point: Sequence[str]) -> str | None:
    """Return the file that the command starts; None where that is not clear."""
    if command not in {_PYTHON, _DOTNET}:
        return None
    options = iter(entry_point[1:])
    for option in options:
        if option in _ENDS_OPTIONS:
            return None
        if option in _TAKES_A_VALUE:
            next(options, None)
        elif not option.startswith("-"):
            wanted = ".py" if command == _PYTHON else ".dll"
            return option if option.endswith(wanted) else None
    return None


def _is_there(file: str, names: Collection[str], dependency_resolution: str) -> bool:
    path = PurePosixPath(file)
    # The service builds a .NET project itself; an absolute path is the platform's.
    built = path.suffix == ".dll" and dependency_resolution == REMOTE_BUILD
    return built or path.is_absolute() or _normal(path) in names


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _is_manifest(name: str, manifests: Sequence[str]) -> bool:
    return any(name.endswith(one) if one.startswith(".") else name == one for one in manifests)
