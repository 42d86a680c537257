"""The build from Go modules: from committed go.mod and go.sum files, in a temporary copy, never in the repository."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .errors import WayFailed
from .machine import Machine
from .recipes import MODULES, GoBuild, Recipe

ERROR_LINES = 12


def go_build(recipe: Recipe, machine: Machine, workshop: Path, bin_folder: Path) -> None:
    """Build every program of the recipe into ``bin_folder``.

    Raises:
        WayFailed: no Go, too old a Go, or a build that fails.
    """
    go = Go(machine, recipe.go_minimum)
    for tool in recipe.tools:
        machine.say(
            f"building {tool.program} from Go modules with {go.name} "
            f"(about {tool.takes} on two cores the first time, seconds when Go's own caches are full)"
        )
        module = workshop / tool.build.module
        if not module.exists():  # two programs of one module
            shutil.copytree(MODULES / tool.build.module, module)
        go.build(tool.build, module, bin_folder / tool.program)
        for file in tool.build.copies:
            copied = bin_folder / Path(file).name
            shutil.copyfile(go.folder_of(tool.build.copies_from, module) / file, copied)
            copied.chmod(0o755)


class Go:
    """The ``go`` command of a machine.

    Raises:
        WayFailed: it is missing or too old.
    """

    def __init__(self, machine: Machine, minimum: tuple[int, int]) -> None:
        self._machine = machine
        needed = "{}.{}".format(*minimum)
        command = shutil.which("go", path=machine.path)
        if command is None:
            raise WayFailed(f"there is no go on PATH; Go {needed} or later is needed")
        self._command = str(Path(command).absolute())
        # No toolchain is fetched behind the person's back, no workspace obeyed, no other platform built for.
        self._environ = {
            **{name: value for name, value in machine.environ.items() if name not in {"GOOS", "GOARCH"}},
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }
        self.name = self._run(["env", "GOVERSION"], Path("/")).strip() or "an unnamed Go"
        found = re.match(r"go(\d+)\.(\d+)", self.name)
        if found is None or (int(found[1]), int(found[2])) < minimum:
            raise WayFailed(f"{command} is {self.name}; Go {needed} or later is needed")

    def build(self, build: GoBuild, module: Path, output: Path) -> None:
        """Build one program; ``-mod=readonly`` holds it to the committed sums."""
        tags = [f"-tags={build.tags}"] if build.tags else []
        flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", *tags, "-ldflags", build.ldflags]
        self._run(["build", *flags, "-o", str(output), build.package], module)

    def folder_of(self, dependency: str, module: Path) -> Path:
        """Return the folder in which Go keeps the sources of ``dependency`` as ``module`` requires it."""
        return Path(self._run(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", dependency], module).strip())

    def _run(self, arguments: Sequence[str], folder: Path) -> str:
        """Run ``go`` and return what it printed; while it is silent, say now and then that it still works."""
        try:
            started = subprocess.Popen(
                [self._command, *arguments],
                cwd=folder,
                env=self._environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise WayFailed(f"{self._command} can't be run: {error.strerror}") from error
        with started as process:
            waited_s = 0.0
            try:
                while True:
                    try:
                        printed, complaint = process.communicate(timeout=self._machine.heartbeat_s)
                        break
                    except subprocess.TimeoutExpired:
                        waited_s += self._machine.heartbeat_s
                        self._machine.say(f"  still building after {waited_s:.0f} s")
            except BaseException:  # also Ctrl-C: nothing of ours goes on in the background
                process.kill()
                raise
        if process.returncode != 0:
            last = "\n    ".join(complaint.strip().splitlines()[-ERROR_LINES:])
            raise WayFailed(f"`go {arguments[0]}` ended with {process.returncode}:\n    {last}")
        return printed
