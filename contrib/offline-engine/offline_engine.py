"""Builds Pulumi, its docker-build plugin and BuildKit from Go modules, for machines that cannot download releases.

Standard library only: `tools/engine` calls this before anything is installed. The build takes place in a temporary copy
of a folder of `modules/`, whose committed go.mod and go.sum decide what is built; nothing is written here.
"""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
GO_MINIMUM = (1, 26)
ERROR_LINES = 12


class BuildFailed(Exception):
    """There is no suitable Go, or it could not build; the text says which."""


@dataclass(frozen=True)
class GoBuild:
    """How Go builds a program.

    Attributes:
        module: Folder in `modules/`.
        package: Go package of the program.
        ldflags: Flags of the linker.
        tags: Build tags.
        copies_from: A module that this one requires.
        copies: Files of that module that are copied next to the program.
    """

    module: str
    package: str
    ldflags: str
    tags: str = ""
    copies_from: str = ""
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """A program, how it is built, and about how long that takes on two cores with empty caches."""

    name: str
    takes: str
    build: GoBuild


def required(module: str, dependency: str) -> str:
    """Return the version of a dependency in the go.mod of one of our modules, such as `v3.259.0`."""
    text = (MODULES / module / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"{re.escape(dependency)} (v\S+)", text)
    if found is None:
        raise LookupError(f"{module}/go.mod does not require {dependency}")
    return found[1]


def _ldflags(variable: str, version: str) -> str:
    """Drop debug information, and set the version that the program prints."""
    return f"-w -s -X {variable}={version}"


_SDK = "github.com/pulumi/pulumi/sdk/v3"
_DOCKER_BUILD = "github.com/pulumi/pulumi-docker-build"
_BUILDKIT = "github.com/moby/buildkit"

PROGRAMS: Mapping[str, tuple[Program, ...]] = {
    "pulumi": (
        Program(
            "pulumi",
            "6 min",
            GoBuild(
                "pulumi",
                "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
                _ldflags(f"{_SDK}/go/common/version.Version", required("pulumi", _SDK)),
                tags="osusergo,grpcnotrace",
                # What starts a Python program, and a dynamic provider.
                copies_from=_SDK,
                copies=("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"),
            ),
        ),
        # From the last SDK that held it; since then it is a module that the Go module proxy does not serve. It follows
        # PULUMI_PYTHON_CMD and PATH, and ignores the `virtualenv` and `toolchain` options of Pulumi.yaml.
        Program(
            "pulumi-language-python",
            "1 min",
            GoBuild("language_python", f"{_SDK}/python/cmd/pulumi-language-python", "-w -s"),
        ),
    ),
    # Two modules that it requires are not available and are stubbed; only generators of other languages use them.
    "docker-build": (
        Program(
            "pulumi-resource-docker-build",
            "5 min",
            GoBuild(
                "docker_build",
                f"{_DOCKER_BUILD}/provider/cmd/pulumi-resource-docker-build",
                _ldflags(
                    f"{_DOCKER_BUILD}/provider.Version", required("docker_build", _DOCKER_BUILD).removeprefix("v")
                ),
            ),
        ),
    ),
    "buildkitd": tuple(
        Program(
            name,
            takes,
            GoBuild(
                "buildkit",
                f"{_BUILDKIT}/cmd/{name}",
                _ldflags(f"{_BUILDKIT}/version.Version", required("buildkit", _BUILDKIT)),
            ),
        )
        for name, takes in (("buildkitd", "2 min"), ("buildctl", "10 s"))
    ),
}
"""What can be built, by the name that `tools/engine` has for it."""


def fingerprint(programs: Sequence[Program]) -> str:
    """Return 12 hex digits over all that decides what is built."""
    digest = hashlib.sha256(repr([program.build for program in programs]).encode())
    for program in programs:
        module = MODULES / program.build.module
        for file in sorted(path for path in module.rglob("*") if path.is_file()):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def build(
    programs: Sequence[Program],
    *,
    scratch: Path,
    into: Path,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    heartbeat_s: float = 30,
) -> None:
    """Build programs.

    Args:
        programs: Those of one entry of PROGRAMS.
        scratch: An empty folder to build in.
        into: The folder for the programs and the files that come with them.
        environ: The environment; `go` is looked for on its PATH.
        say: Takes a line about what happens.
        heartbeat_s: How often a silent build says that it still works.

    Raises:
        BuildFailed: Go is missing or too old, or the build failed.
    """
    go = Go(environ, say, heartbeat_s)
    for program in programs:
        say(
            f"building {program.name} from Go modules with {go.name} "
            f"(about {program.takes} on two cores the first time, seconds when Go's own caches are full)"
        )
        module = scratch / program.build.module
        if not module.exists():  # two programs of one module
            shutil.copytree(MODULES / program.build.module, module)
        go.build(program.build, module, into / program.name)
        for file in program.build.copies:
            copied = into / Path(file).name
            shutil.copyfile(go.folder_of(program.build.copies_from, module) / file, copied)
            copied.chmod(0o755)


class Go:
    """The `go` command on PATH.

    Raises:
        BuildFailed: It is missing or too old.
    """

    def __init__(self, environ: Mapping[str, str], say: Callable[[str], None], heartbeat_s: float) -> None:
        self._say = say
        self._heartbeat_s = heartbeat_s
        needed = "{}.{}".format(*GO_MINIMUM)
        command = shutil.which("go", path=environ.get("PATH"))
        if command is None:
            raise BuildFailed(f"there is no go on PATH; Go {needed} or later is needed")
        self._command = str(Path(command).absolute())
        # No other toolchain is downloaded, no workspace is used, no other platform is built for.
        self._environ = {
            **{name: value for name, value in environ.items() if name not in {"GOOS", "GOARCH"}},
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }
        self.name = self._run(["env", "GOVERSION"], Path("/")).strip() or "an unnamed Go"
        found = re.match(r"go(\d+)\.(\d+)", self.name)
        if found is None or (int(found[1]), int(found[2])) < GO_MINIMUM:
            raise BuildFailed(f"{command} is {self.name}; Go {needed} or later is needed")

    def build(self, build: GoBuild, module: Path, output: Path) -> None:
        """Build one program; ``-mod=readonly`` allows only the committed checksums."""
        tags = [f"-tags={build.tags}"] if build.tags else []
        flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", *tags, "-ldflags", build.ldflags]
        self._run(["build", *flags, "-o", str(output), build.package], module)

    def folder_of(self, dependency: str, module: Path) -> Path:
        """Return the folder with the sources of ``dependency`` as ``module`` requires it."""
        return Path(self._run(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", dependency], module).strip())

    def _run(self, arguments: Sequence[str], folder: Path) -> str:
        """Run ``go`` and return what it printed; say now and then that a silent build still works."""
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
            raise BuildFailed(f"{self._command} cannot be run: {error.strerror}") from error
        with started as process:
            waited_s = 0.0
            try:
                while True:
                    try:
                        printed, errors = process.communicate(timeout=self._heartbeat_s)
                        break
                    except subprocess.TimeoutExpired:
                        waited_s += self._heartbeat_s
                        self._say(f"  still building after {waited_s:.0f} s")
            except BaseException:  # also Ctrl-C: leave no process in the background
                process.kill()
                raise
        if process.returncode != 0:
            last = "\n    ".join(errors.strip().splitlines()[-ERROR_LINES:])
            raise BuildFailed(f"`go {arguments[0]}` ended with {process.returncode}:\n    {last}")
        return printed
