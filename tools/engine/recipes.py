"""What there is to get: each recipe's version, its programs, and how they are built when they can't be downloaded."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"


@dataclass(frozen=True)
class GoBuild:
    """A program built from one of the Go modules in ``modules/``.

    ``copies`` are files that come with ``copies_from``, a module that this one requires; they go beside the program.
    """

    module: str
    package: str
    ldflags: str
    tags: str = ""
    copies_from: str = ""
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A program, how it is built, and about how long that takes on two cores with empty caches."""

    program: str
    build: GoBuild
    takes: str


@dataclass(frozen=True)
class Release:
    """Where the official release is: file names below a base URL, with ``{version}`` and ``{platform}`` left open."""

    base: str
    archive: str
    checksums: str
    folder: str  # inside the archive, the folder of the programs
    platforms: tuple[str, ...]
    takes: str


@dataclass(frozen=True)
class Recipe:
    """Tools that are got together and share one version and one folder.

    ``minimum`` is the oldest version that will do when it is found on PATH; ``version`` is what is got otherwise.
    The first tool's program says its version when it is run with ``version_argument``; None when it can't be asked, and
    then its name is all there is to go by. Without ``release`` the build is the only way to get them.
    """

    name: str
    version: str
    minimum: tuple[int, int]
    go_minimum: tuple[int, int]
    tools: tuple[Tool, ...]
    release: Release | None = None
    version_argument: str | None = "version"

    @property
    def programs(self) -> tuple[str, ...]:
        """The names that must be found together: what is looked for on PATH."""
        return tuple(tool.program for tool in self.tools)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that a complete folder holds: the programs and what is copied beside them."""
        copied = (Path(file).name for tool in self.tools for file in tool.build.copies)
        return (*self.programs, *copied)

    @property
    def fingerprint(self) -> str:
        """12 hex digits over all that decides what is built; a changed recipe gets its own folder in the cache."""
        digest = hashlib.sha256(repr([tool.build for tool in self.tools]).encode())
        for tool in self.tools:
            module = MODULES / tool.build.module
            for file in sorted(path for path in module.rglob("*") if path.is_file()):
                digest.update(file.read_bytes())
        return digest.hexdigest()[:12]


# The newest whose command line the Go module mirror holds; a test keeps modules/pulumi/go.mod equal to it.
PULUMI = "3.259.0"

ENGINE = Recipe(
    name="pulumi",
    version=PULUMI,
    minimum=(3, 254),
    go_minimum=(1, 26),
    tools=(
        Tool(
            program="pulumi",
            build=GoBuild(
                module="pulumi",
                package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
                ldflags=f"-w -s -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI}",
                tags="osusergo,grpcnotrace",
                # What starts a Python program, and a dynamic provider.
                copies_from="github.com/pulumi/pulumi/sdk/v3",
                copies=(
                    "python/cmd/pulumi-language-python-exec",
                    "python/dist/pulumi-resource-pulumi-python",
                ),
            ),
            takes="6 min",
        ),
        Tool(
            program="pulumi-language-python",
            # From the last sdk that held it; since then it is a module that the mirror doesn't serve. It follows
            # PULUMI_PYTHON_CMD and PATH, and ignores the `virtualenv` and `toolchain` options of Pulumi.yaml.
            build=GoBuild(
                module="language_python",
                package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
                ldflags="-w -s",
            ),
            takes="1 min",
        ),
    ),
    release=Release(
        base="https://get.pulumi.com/releases/sdk",
        archive="pulumi-v{version}-{platform}.tar.gz",
        checksums="pulumi-{version}-checksums.txt",
        folder="pulumi",
        platforms=("linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"),
        takes="1 min",
    ),
)

# As requirements.lock has the Python side of it; a test keeps them equal.
DOCKER_BUILD = "0.0.22"

# What builds images in a Pulumi program. In a normal network Pulumi downloads it by itself; the tests let it download
# nothing. Two of the modules it names can't be had and are stubbed: only the generators of other languages use them.
DOCKER_BUILD_PLUGIN = Recipe(
    name="docker-build",
    version=DOCKER_BUILD,
    minimum=(0, 0),
    go_minimum=(1, 26),
    tools=(
        Tool(
            program="pulumi-resource-docker-build",
            build=GoBuild(
                module="docker_build",
                package="github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",
                ldflags=f"-w -s -X github.com/pulumi/pulumi-docker-build/provider.Version={DOCKER_BUILD}",
            ),
            takes="5 min",
        ),
    ),
    version_argument=None,
)

# The newest whose modules can be had.
BUILDKIT_VERSION = "0.31.0"

# What builds the images, without Docker: runs as root on Linux, with runc on PATH.
BUILDKIT = Recipe(
    name="buildkitd",
    version=BUILDKIT_VERSION,
    minimum=(0, 13),
    go_minimum=(1, 26),
    tools=(
        Tool(
            program="buildkitd",
            build=GoBuild(
                module="buildkit",
                package="github.com/moby/buildkit/cmd/buildkitd",
                ldflags=f"-w -s -X github.com/moby/buildkit/version.Version=v{BUILDKIT_VERSION}",
            ),
            takes="2 min",
        ),
        Tool(
            program="buildctl",
            build=GoBuild(
                module="buildkit",
                package="github.com/moby/buildkit/cmd/buildctl",
                ldflags=f"-w -s -X github.com/moby/buildkit/version.Version=v{BUILDKIT_VERSION}",
            ),
            takes="10 s",
        ),
    ),
    version_argument="--version",
)

# What `--plugin` may name, and the recipe that brings it.
PLUGINS: Mapping[str, Recipe] = {
    "buildkitd": BUILDKIT,
    "docker-build": DOCKER_BUILD_PLUGIN,
    "language-python": ENGINE,
}
