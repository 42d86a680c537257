"""The entrypoint, environment and working directory of an image or a zip, on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from foundry_emulator.registry import PulledImage
from foundry_emulator.runtime.base import CODE_ERROR, Code, StartFailed

_PYTHONS = frozenset({"python", "python3", f"python3.{sys.version_info.minor}"})


class Container:
    """A container configuration with its root at a folder of this machine.

    Args:
        configuration: The configuration of an OCI image: ``Entrypoint``, ``Cmd``, ``Env``, ``WorkingDir``.
        root: The folder.
    """

    def __init__(self, configuration: Mapping[str, object], root: Path) -> None:
        self._config = configuration
        self._root = root

    @classmethod
    def of_image(cls, image: PulledImage, root: Path) -> Container:
        """Return the container of an unpacked image."""
        section = image.config.get("config")
        return cls(section if isinstance(section, Mapping) else {}, root)

    @classmethod
    def of_code(cls, code: Code, root: Path) -> Container:
        """Return the container of a code agent: its entry point, in the folder of its zip."""
        return cls({"Entrypoint": list(code.entry_point)}, root)

    def command(self) -> tuple[str, list[str]]:
        """Return the program's path on this machine, and its argument vector."""
        words = [*_strings(self._config.get("Entrypoint")), *_strings(self._config.get("Cmd"))]
        if not words:
            raise StartFailed(CODE_ERROR, "The image has neither Entrypoint nor Cmd.")
        return self._program(words[0]), [words[0], *(self._mapped(word) for word in words[1:])]

    def environment(self) -> dict[str, str]:
        """Return the image's variables, paths mapped, with a PATH that starts with the provided ``python``."""
        pairs = (text.partition("=") for text in _strings(self._config.get("Env")))
        variables = {name: value for name, _, value in pairs}
        for name in ("PATH", "PYTHONPATH"):
            if name in variables:
                variables[name] = ":".join(self._mapped(part) for part in variables[name].split(":"))
        python_folder = str(Path(sys.executable).parent)
        variables["PATH"] = ":".join(
            filter(None, (python_folder, variables.get("PATH"), "/usr/local/bin:/usr/bin:/bin"))
        )
        return {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"} | variables

    def working_directory(self) -> Path:
        """WorkingDir on this machine; created if the image lacks it, as container engines do."""
        name = self._config.get("WorkingDir")
        folder = self._root / str(name).lstrip("/") if isinstance(name, str) else self._root
        resolved = Path(os.path.realpath(folder))
        if not resolved.is_relative_to(os.path.realpath(self._root)):
            raise StartFailed(CODE_ERROR, f"WorkingDir {name} leads outside of the image.")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _program(self, word: str) -> str:
        if "/" in word:
            start = self._root if word.startswith("/") else self.working_directory()
            found: str | None = str(start / word.lstrip("/"))
        else:
            variables = dict(text.partition("=")[::2] for text in _strings(self._config.get("Env")))
            folders = variables.get("PATH", "/usr/local/bin:/usr/bin:/bin").split(":")
            found = shutil.which(word, path=":".join(str(self._root / folder.lstrip("/")) for folder in folders))
        if found is not None and Path(found).is_file():
            return found
        if Path(word).name in _PYTHONS:
            return sys.executable
        raise StartFailed(
            CODE_ERROR,
            f"The image contains no program '{word}', and the process runtime lends only python.",
        )

    def _mapped(self, word: str) -> str:
        """Return an absolute path inside the image as a path of this machine; any other word unchanged."""
        place = self._root / word.lstrip("/")
        return str(place) if word.startswith("/") and place.exists() else word


def _strings(value: object) -> Sequence[str]:
    return [str(word) for word in value] if isinstance(value, list) else []
