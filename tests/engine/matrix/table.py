"""The moves: what a user does to a stack that is up, and what is specified to come of it."""

from __future__ import annotations

from tests.engine.matrix.moves import (
    ARM,
    OURS,
    ROLLOUTS,
    VERSIONED,
    VERSIONS,
    Move,
    Verb,
    changed,
    given,
    no_program,
    noted_in,
    options,
    other_endpoint,
    project_renamed,
    renamed_with_names,
    stack_renamed,
    state_moved,
)

_UP: tuple[Verb, ...] = ("up", "refresh")

MOVES: tuple[Move, ...] = (
    Move("plain", changed(), destroy=no_program),
    Move("taken out", given(declares=()), verbs=_UP),
    Move("some taken out", given(declares=("pair", "store", "registry", "project")), verbs=_UP),
    Move("target, changed", changed(), up=options("--target", *VERSIONED), partial=True, verbs=_UP),
    Move("target a rollout", given(rollout=False), up=options("--target", "pair-rollout"), partial=True, verbs=_UP),
    Move("exclude a version", given(rollout=False), up=options("--exclude", "pair"), partial=True, verbs=_UP),
    Move("exclude a rollout, changed", changed(), up=options("--exclude", *ROLLOUTS), partial=True, verbs=_UP),
    Move(
        "target what was taken out",
        given(declares=()),
        up=options("--target", *VERSIONED, also=["--target-dependents"]),
        partial=True,
        refuses=OURS,
        verbs=_UP,
    ),
    Move("destroy the rollouts", destroy=options("--target", *ROLLOUTS), partial=True, verbs=("destroy",)),
    Move(
        "destroy what is versioned",
        destroy=options("--target", *VERSIONED, also=["--target-dependents"]),
        partial=True,
        refuses=OURS,
        verbs=("destroy",),
    ),
    Move(
        "destroy all but versions",
        destroy=options("--exclude", *VERSIONS),
        partial=True,
        keeps=("agent", "pair"),
        refuses=OURS,
        verbs=("destroy",),
    ),
    Move("rename, names given", renamed_with_names(*OURS, role=False)),
    # Azure has one assignment of a role to a principal, and the old one goes last.
    Move("rename, names given, of an agent with a role", renamed_with_names("agent"), refuses=("agent",), verbs=_UP),
    Move(
        "rename, names given, in ARM",
        renamed_with_names(*ARM),
        refuses=ARM,
        verbs=_UP,
    ),
    Move("rename, names derived", given(renamed=True)),
    Move("rename with an alias", given(renamed=True, aliases=True), renames=True),
    Move("another parent", given(parent="team", moved=OURS, role=False)),
    Move("another parent, in ARM", given(parent="team", moved=ARM), refuses=ARM, verbs=_UP),
    Move("another parent with an alias", given(parent="team", aliases=True), renames=True),
    Move("another provider instance", given(instance="mine")),
    Move("another provider instance, changed", changed(instance="mine"), verbs=_UP),
    Move("second endpoint name", other_endpoint),
    Move("stack rename", stack_renamed, destroy=no_program, renames=True),
    Move("another organisation", given(organization="acme"), renames=True),
    Move("project rename", project_renamed, destroy=no_program, renames=True),
    Move("state move", state_moved, destroy=no_program, renames=True),
    Move("delete before replace", changed(delete_before_replace=True), verbs=_UP),
    Move("--replace", up=options("--replace", *VERSIONED, *ROLLOUTS), verbs=_UP),
    Move("killed", changed(), destroy=no_program, kills=True),
    Move("retain", changed(retain=True), retained=True),
    Move("protect", given(protect=True), protected=True),
    Move("notes: foreign", noted_in("foreign")),
    Move("notes: linked", noted_in("linked")),
    Move("notes: no folder", noted_in("file")),
)
"""All of them."""


def pairs() -> list[tuple[Move, Verb]]:
    """Return every move with every verb with which it says something."""
    return [(move, verb) for move in MOVES for verb in move.verbs]
