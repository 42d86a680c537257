"""What this tool gets: packages of programs, with their versions and where their releases are."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """Where an official release is.

    Attributes:
        base: URL of the folder with the files.
        archive: Name of the archive; ``{version}`` and ``{platform}`` are filled in.
        checksums: Name of the file with the SHA-256 of each archive.
        folder: Folder of the programs inside the archive.
        platforms: Those that it is published for.
        takes: About how long a download takes.
    """

    base: str
    archive: str
    checksums: str
    folder: str
    platforms: tuple[str, ...]
    takes: str


@dataclass(frozen=True)
class Package:
    """Programs that share one version and one folder.

    Attributes:
        name: Its name, here and in contrib/offline-engine.
        version: The version to get.
        minimum: The oldest version that is used when it is found on PATH.
        programs: What must be found together on PATH.
        files: What comes with them.
        release: Where the official release is; None when it is only built.
        version_argument: What the first program prints its version for; None when it cannot be asked.
    """

    name: str
    version: str
    minimum: tuple[int, int]
    programs: tuple[str, ...]
    files: tuple[str, ...] = ()
    release: Release | None = None
    version_argument: str | None = "version"


# A test keeps each version equal to the one that contrib/offline-engine builds.
ENGINE = Package(
    name="pulumi",
    version="3.259.0",
    minimum=(3, 254),
    programs=("pulumi", "pulumi-language-python"),
    files=("pulumi-language-python-exec", "pulumi-resource-pulumi-python"),
    release=Release(
        base="https://get.pulumi.com/releases/sdk",
        archive="pulumi-v{version}-{platform}.tar.gz",
        checksums="pulumi-{version}-checksums.txt",
        folder="pulumi",
        platforms=("linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"),
        takes="1 min",
    ),
)

# What builds images in a Pulumi program. A test keeps its version equal to that of the Python package in
# requirements.lock. Where releases can be downloaded, Pulumi gets it by itself; tests do not let it download anything.
DOCKER_BUILD = Package(
    name="docker-build",
    version="0.0.22",
    minimum=(0, 0),
    programs=("pulumi-resource-docker-build",),
    version_argument=None,
)

# What builds the images, without Docker: runs as root on Linux, with runc on PATH.
BUILDKIT = Package(
    name="buildkitd",
    version="0.31.0",
    minimum=(0, 13),
    programs=("buildkitd", "buildctl"),
    version_argument="--version",
)

PLUGINS: Mapping[str, Package] = {
    "buildkitd": BUILDKIT,
    "docker-build": DOCKER_BUILD,
    "language-python": ENGINE,
}
"""What `--plugin` accepts, and the package that has it."""
