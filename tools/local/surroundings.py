"""The environment in which Pulumi runs offline: engine, state, stand-in plugin, local Azure, all in this checkout."""

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
PASSPHRASE = "local"  # noqa: S105 (encrypts the throw-away state of the stack `local`, nothing else)


@dataclass(frozen=True)
class Surroundings:
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
        """The whole environment of a Pulumi process; ``azure`` is what the local Azure says of itself."""
        self.state.mkdir(parents=True, exist_ok=True)
        install_stand_in(self.home / "pulumi")
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


def install_stand_in(pulumi_home: Path) -> None:
    """Puts the stand-ins for azure-native and docker among the plugins of this one Pulumi home.

    There they serve the local stack alone; on PATH or in Pulumi.yaml they would shadow the real plugins elsewhere.
    """
    for name in ("azure-native", "docker"):
        version = metadata.version(f"pulumi-{name}")
        folder = pulumi_home / "plugins" / f"resource-{name}-v{version}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / "emulator" / "plugins" / f"pulumi-resource-{name}", folder)


def engine_folder() -> Path:
    """Gets the Pulumi engine, or takes the one that is there; says on stderr what it does."""
    command = [sys.executable, str(CHECKOUT / "tools" / "engine"), "ensure"]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        sys.exit(result.returncode)
    return Path(result.stdout.strip())


def azure_variables(data: Path) -> dict[str, str]:
    """What the local Azure in this folder wants a client to have in its environment."""
    record = json.loads((data / "emulator.json").read_text(encoding="utf-8"))
    return dict(record["environment"])
