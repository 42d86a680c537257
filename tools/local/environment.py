"""The environment in which Pulumi runs offline: engine, state, fake plugins, local Azure, all in this checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PASSPHRASE = "local"  # noqa: S105 (encrypts only the state of the stack `local`, which is disposable)


@dataclass(frozen=True)
class LocalEnvironment:
    """Where everything of one local stack is.

    Attributes:
        home: Folder for state, Pulumi's home and the local Azure's data; removed by `make clean`.
        engine: Folder with the `pulumi` executable.
    """

    home: Path
    engine: Path

    @property
    def azure(self) -> Path:
        """Data folder of the local Azure."""
        return self.home / "azure"

    @property
    def state(self) -> Path:
        """Folder of the file backend."""
        return self.home / "state"

    def variables(self, azure: Mapping[str, str]) -> dict[str, str]:
        """Return all variables of a Pulumi process; ``azure`` are those that the local Azure needs."""
        self.state.mkdir(parents=True, exist_ok=True)
        install_fake_plugins(self.home / "pulumi")
        link_image_plugin(self.home / "pulumi")
        path = [Path(sys.executable).parent, self.engine, os.environ.get("PATH", "")]
        return {
            **os.environ,
            **azure,
            "PATH": os.pathsep.join(map(str, path)),
            "PULUMI_HOME": str(self.home / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # A language host built from Go modules takes its Python from here; the official one from Pulumi.yaml.
            "PULUMI_PYTHON_CMD": sys.executable,
        }


def install_fake_plugins(pulumi_home: Path) -> None:
    """Copy the emulator's azure-native and docker to the plugins of one Pulumi home.

    Only the local stack uses them there; on PATH or in Pulumi.yaml they would hide the real plugins.
    """
    for name in ("azure-native", "docker"):
        version = metadata.version(f"pulumi-{name}")
        folder = pulumi_home / "plugins" / f"resource-{name}-v{version}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / "emulator" / "plugins" / f"pulumi-resource-{name}", folder)


def link_image_plugin(pulumi_home: Path) -> None:
    """Put docker-build among the plugins of one Pulumi home, if `make setup` has built it."""
    command = [sys.executable, str(CHECKOUT / "tools" / "engine"), "where", "--plugin", "docker-build"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        return
    program = Path(found.stdout.strip().split(os.pathsep)[-1], "pulumi-resource-docker-build")
    version = metadata.version("pulumi-docker-build")
    link = pulumi_home / "plugins" / f"resource-docker-build-v{version}" / program.name
    if program.is_file() and not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)  # one that leads to a folder of before
        link.symlink_to(program)


def engine_folder() -> Path:
    """Return the folder with `pulumi`; get it when it is not there. Progress goes to stderr."""
    command = [sys.executable, str(CHECKOUT / "tools" / "engine"), "ensure"]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        sys.exit(result.returncode)
    return Path(result.stdout.strip())


def azure_variables(data: Path) -> dict[str, str]:
    """Return the variables that a client of the local Azure in this folder needs."""
    record = json.loads((data / "emulator.json").read_text(encoding="utf-8"))
    return dict(record["environment"])
