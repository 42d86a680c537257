"""What a move is, and the changes that moves are made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.engine.matrix.program import KINDS
from tests.engine.matrix.stand import Stage

Verb = Literal["up", "refresh", "destroy"]
VERBS: tuple[Verb, ...] = ("up", "refresh", "destroy")
OURS = ("agent", "pair", "toolbox", "store")
"""Kinds that are our own resources; the others are azure-native's."""
ARM = ("project", "registry")
VERSIONS = ("support-version", "pair")
VERSIONED = (*VERSIONS, "box", "support-toolbox", "faq")
"""Names of the resources that are replaced by a change."""
ROLLOUTS = ("support-rollout", "pair-rollout")
_OTHER_USER = 65534


def nothing(_stage: Stage) -> None:
    return None


def no_options(_stage: Stage) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Move:
    """Something that a user does.

    Attributes:
        name: What it is called in reports.
        change: Changes the program, the stack or the machine.
        up: Options of the `up`, from the stack as it was before the change.
        destroy: Options of the `destroy`, likewise.
        verbs: With which it says something.
        partial: The run has targets or exclusions.
        keeps: Kinds whose things the run must not take away, and which stay the same ones after it.
        refuses: Kinds that may refuse in the run and in the plain `up` after it.
        renames: Only names changed: the preview shows nothing, and change, revert and destroy work after it.
        kills: The run is killed after the first POST and before its end, and then run again.
        retained: `retain_on_delete` is set: what is destroyed is there still.
        protected: `protect` is set: a destroy is refused until it is taken away.
    """

    name: str
    change: Callable[[Stage], None] = nothing
    up: Callable[[Stage], Sequence[str]] = no_options
    destroy: Callable[[Stage], Sequence[str]] = field(default=lambda _stage: ("--run-program",))
    verbs: tuple[Verb, ...] = VERBS
    partial: bool = False
    keeps: tuple[str, ...] = KINDS
    refuses: tuple[str, ...] = ()
    renames: bool = False
    kills: bool = False
    retained: bool = False
    protected: bool = False


def given(**settings: Any) -> Callable[[Stage], None]:
    return lambda stage: stage.give(**settings)


def changed(**settings: Any) -> Callable[[Stage], None]:
    def change(stage: Stage) -> None:
        stage.change()
        stage.give(**settings)

    return change


def options(option: str, *names: str, also: Sequence[str] = ()) -> Callable[[Stage], Sequence[str]]:
    """Return an option for each of these resources, by URN, and the other options as they are."""
    return lambda stage: [*(part for urn in stage.urns(*names) for part in (option, urn)), *also]


def renamed_with_names(*kinds: str, role: bool = True) -> Callable[[Stage], None]:
    """Return other names in Pulumi, the same in Azure."""
    return lambda stage: stage.give(renamed=True, moved=kinds, names=stage.names_in_azure(), role=role)


def other_endpoint(stage: Stage) -> None:
    stage.give(endpoint=stage.given.endpoint.replace("localhost", "127.0.0.1"))


def stack_renamed(stage: Stage) -> None:
    stage.run("stack", "rename", "renamed").succeeded()
    stage.project.stack = "renamed"


def project_renamed(stage: Stage) -> None:
    stage.run("stack", "rename", "organization/other/local").succeeded()
    path = stage.project.folder / "Pulumi.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("name: foundry-agents", "name: other", 1), "utf-8")


def state_moved(stage: Stage) -> None:
    urns = [str(one["urn"]) for one in stage.resources()]
    moved = [urn for urn in urns if "::pulumi:pulumi:Stack::" not in urn and "::pulumi:providers:" not in urn]
    stage.project.run("stack", "init", "elsewhere").succeeded()
    source = ("--source", stage.project.stack, "--dest", "elsewhere")
    stage.run_as_is("state", "move", "--yes", "--include-parents", *source, *moved).succeeded()
    stage.project.stack = "elsewhere"


def noted_in(how: str) -> Callable[[Stage], None]:
    """Put a folder of another user, a link or a file where processes of one run exchange notes."""

    def change(stage: Stage) -> None:
        for place in stage.places_of_notes():
            if how == "foreign":
                place.mkdir()
                os.chown(place, _OTHER_USER, _OTHER_USER)
            elif how == "linked":
                place.symlink_to(stage.precious(), target_is_directory=True)
            else:
                Path(place).write_text("not a folder", encoding="utf-8")
        stage.give(greeting="Howdy", instance="mine")

    return change


def no_program(_stage: Stage) -> Sequence[str]:
    return ()
