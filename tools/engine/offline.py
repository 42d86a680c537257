"""The last source: contrib/offline-engine builds from Go modules."""

import sys
from pathlib import Path

from .errors import SourceFailed
from .machine import Machine
from .package import Package

sys.path.append(str(Path(__file__).resolve().parents[2] / "contrib" / "offline-engine"))

import offline_engine

GO_MINIMUM = offline_engine.GO_MINIMUM


def fingerprint(package: Package) -> str:
    """Return what names the build in the cache: a package that is built from something else gets another folder."""
    return offline_engine.fingerprint(offline_engine.PROGRAMS[package.name])


def build(package: Package, machine: Machine, scratch: Path, bin_folder: Path) -> None:
    """Build every program of the package into ``bin_folder``.

    Raises:
        SourceFailed: Go is missing or too old, or the build failed.
    """
    try:
        offline_engine.build(
            offline_engine.PROGRAMS[package.name],
            scratch=scratch,
            into=bin_folder,
            environ=machine.environ,
            say=machine.say,
            heartbeat_s=machine.heartbeat_s,
        )
    except offline_engine.BuildFailed as error:
        raise SourceFailed(str(error)) from error
