"""A deployed stack of the matrix; for each cell, state and local Azure are restored instead of deployed again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml

from foundry_emulator.testing import LocalAzure
from tests.engine.matrix.program import FILE, Settings
from tests.engine.matrix.world import PROJECT, arm_ids
from tests.support.harness import Project, Run, hermetic, kill
from tests.support.ports import lasting_ports

TEXT = "Refunds take a week."
PROVISIONING_S = 5.0
"""How long a version is being made in a run that is killed."""
PRECIOUS = ("thesis.txt", "id_rsa.pem", ".bashrc", "a.b.c", "run.12", f"{'0' * 16}.1", "Makefile")


class Stage:
    """One stack on one local Azure, and a record of what was done to it.

    Attributes:
        azure: The local Azure.
        project: The Pulumi project.
        given: What the program was given last.
        runs: Each command with its result.
    """

    def __init__(self, azure: LocalAzure, project: Project, given: Settings, temporary: Path) -> None:
        self.azure = azure
        self.project = project
        self.given = given
        self.temporary = temporary
        self.runs: list[tuple[str, Run]] = []
        self.since = self._last_entry()

    def give(self, text: str | None = None, **changes: Any) -> None:
        """Change what the program declares, and the text of its file."""
        self.given = replace(self.given, **changes)
        (self.project.folder / "given.json").write_text(json.dumps(asdict(self.given)), encoding="utf-8")
        if text is not None:
            (self.project.folder / FILE).write_text(text, encoding="utf-8")

    def change(self) -> None:
        """One variable, one tool and the file change: every kind that has versions gets another."""
        self.give(greeting="Howdy", search=True, text="Refunds take a day.")

    def revert(self) -> None:
        """The program says what it said at first."""
        self.give(greeting="Hello", search=False, text=TEXT)

    def run(self, *arguments: str) -> Run:
        """Run `pulumi` on the stack and keep its output."""
        done = self.project.run(*arguments, "--stack", self.project.stack)
        self.runs.append((" ".join(arguments), done))
        return done

    def up(self, *options: str) -> Run:
        """`pulumi up`."""
        return self.run("up", "--yes", "--skip-preview", *options)

    def refresh(self, *options: str) -> Run:
        """`pulumi refresh`."""
        return self.run("refresh", "--yes", "--skip-preview", *options)

    def destroy(self, *options: str) -> Run:
        """`pulumi destroy`."""
        return self.run("destroy", "--yes", "--skip-preview", *options)

    def resources(self) -> list[dict[str, Any]]:
        """Return the state of the stack, from the backend's file, because `pulumi stack export` takes half a second."""
        name = yaml.safe_load((self.project.folder / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        stacks = self.project.folder / "state" / ".pulumi" / "stacks"
        state = json.loads((stacks / name / f"{self.project.stack}.json").read_text(encoding="utf-8"))
        found = (state["checkpoint"]["latest"] or {}).get("resources", [])
        assert isinstance(found, list)
        return found

    def urns(self, *names: str) -> list[str]:
        """Return the URNs of resources of these names."""
        wanted = {str(one["urn"]) for one in self.resources() if str(one["urn"]).rpartition("::")[2] in names}
        return sorted(wanted)

    def run_as_is(self, *arguments: str) -> Run:
        """Run `pulumi` without naming the stack and keep its output."""
        done = self.project.run(*arguments)
        self.runs.append((" ".join(arguments), done))
        return done

    def killed(self, *command: str) -> None:
        """Run `pulumi`, kill it and all its plugins once a version was posted, and release the lock."""
        self.azure.control.set(provisioning_s=PROVISIONING_S)
        since = self._last_entry()
        run = subprocess.Popen(
            self.project.command(*command, "--stack", self.project.stack),
            cwd=self.project.folder,
            env=self.project.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        posted = ("/agents/support/versions", "/agents/pair/versions")
        self.azure.wait_until(lambda: all(self.asked("POST", path, since) for path in posted), timeout_s=60)
        kill(run)
        self.runs.append((" ".join(command), Run(-9, "killed after the POSTs")))
        self.azure.control.set(provisioning_s=0)
        self.run("cancel", "--yes")

    def asked(self, method: str, end: str, since: int = 0) -> int:
        """Return how many requests of this method went to paths that end so."""
        entries = self.azure.journal(writes=True, since=max(since, self.since))
        return sum(entry.method == method and entry.path.endswith(end) for entry in entries)

    def deleted(self) -> list[str]:
        """Return paths of what was deleted since the stack was up, in lower case."""
        entries = self.azure.journal(writes=True, since=self.since)
        return [entry.path.lower() for entry in entries if entry.method == "DELETE" and (entry.status or 500) < 400]

    def names_in_azure(self) -> dict[str, str]:
        """Return what the baseline's things are called, for programs that give the names."""
        outputs = {str(one["type"]): one.get("outputs", {}) for one in self.resources()}
        return {
            "agent": "support",
            "store": "faq",
            "account": str(outputs["azure-native:cognitiveservices:Account"]["name"]),
            "project": "shop",
            "registry": str(outputs["azure-native:containerregistry:Registry"]["name"]),
        }

    def places_of_notes(self) -> list[Path]:
        """Return where plugin processes of one run exchange notes: in this release and in the next."""
        home = Path(self.project.variables["PULUMI_HOME"])
        return [self.temporary / f"foundry-agents-{os.getuid()}", home / "foundry-agents"]

    def precious(self) -> Path:
        """Return a folder of files that no run may change."""
        folder = self.project.folder / "precious"
        folder.mkdir(exist_ok=True)
        for name in PRECIOUS:
            (folder / name).write_text("precious", encoding="utf-8")
        return folder

    def harmed(self) -> list[str]:
        """Precious files that are gone."""
        folder = self.project.folder / "precious"
        return [name for name in PRECIOUS if not (folder / name).exists()] if folder.exists() else []

    def _last_entry(self) -> int:
        return max((entry.n for entry in self.azure.journal()), default=0)

    def explain(self) -> str:
        """Return the commands, how they ended, and what was deleted."""
        commands = [
            f"$ pulumi {command}\n{_indented(run.output)}\n  exit code {run.code}" for command, run in self.runs
        ]
        deleted = [
            f"DELETE {entry.path} {entry.status}"
            for entry in self.azure.journal(writes=True, since=self.since)
            if entry.method == "DELETE"
        ]
        return "\n".join([*commands, "deletes in the journal:", *(deleted or ["none"])])


class Stand:
    """A folder with a stack that is up; `stage` puts it back to that and gives it away.

    Args:
        folder: An empty folder.
        engine: Folder with `pulumi`.
    """

    def __init__(self, folder: Path, engine: Path) -> None:
        self._folder = folder
        (folder / "home").mkdir(parents=True)
        (folder / "tmp").mkdir()
        self._ports = lasting_ports()
        with LocalAzure(folder / "azure", ports=self._ports) as azure:
            there = azure.seed_project(PROJECT)
            variables = {**hermetic(engine, folder / "home", azure.env), "TMPDIR": str(folder / "tmp")}
            self._project = Project.create(folder / "project", variables, {})
            shutil.copy(Path(__file__).with_name("program.py"), self._project.folder / "__main__.py")
            self._given = Settings(
                endpoint=there.endpoint,
                principal=there.principal_id,
                resource=there.id,
                image=azure.push_image(there),
            )
            self.seeded = frozenset(azure.run(lambda: arm_ids(azure)))
            first = Stage(azure, self._project, self._given, folder / "tmp")
            first.give(text=TEXT)
            first.up().succeeded()
        for name in ("azure", "project"):
            shutil.copytree(folder / name, folder / "kept" / name, symlinks=True)

    @contextmanager
    def stage(self) -> Iterator[Stage]:
        """The stack, up and not changed since."""
        for name in ("azure", "project"):
            shutil.rmtree(self._folder / name)
            shutil.copytree(self._folder / "kept" / name, self._folder / name, symlinks=True)
        for place in (self._folder / "tmp", self._folder / "home" / "foundry-agents"):
            _empty(place)
        (self._folder / "tmp").mkdir(exist_ok=True)
        project = Project(self._folder / "project", dict(self._project.variables))
        with LocalAzure(self._folder / "azure", ports=self._ports) as azure:
            project.variables |= azure.env
            stage = Stage(azure, project, self._given, self._folder / "tmp")
            yield stage


def _empty(place: Path) -> None:
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
