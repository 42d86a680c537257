"""Plays one move with one verb on one stack, and judges after every step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.engine.matrix.judge import BAD, Finding, Judge, Seen, Wanted, kind_of
from tests.engine.matrix.moves import Move, Verb
from tests.engine.matrix.program import KINDS, Settings
from tests.engine.matrix.stand import Stage, Stand
from tests.engine.matrix.world import World
from tests.support.harness import Run

_REPLACING = {"replace", "create-replacement", "delete-replaced", "delete"}


@dataclass(frozen=True)
class Scenario:
    """What came of one move with one verb.

    Attributes:
        move: Name of the move.
        verb: `up`, `refresh` (and then `up`), `destroy`.
        findings: What is not as specified, and refusals; of all kinds.
        explained: Commands, what they printed, exit codes, and deletes in the journal.
    """

    move: str
    verb: str
    findings: Sequence[Finding]
    explained: str

    @property
    def bad(self) -> list[Finding]:
        """What there should be none of."""
        return [one for one in self.findings if one.what in BAD]

    def of(self, kind: str) -> list[Finding]:
        """Return the cell of one kind: what was found."""
        return [one for one in self.findings if one.kind == kind]

    def report(self) -> str:
        """Return the cells, each with what was found."""
        lines = [f"{self.move} / {self.verb}"]
        for kind in KINDS:
            found = self.of(kind)
            lines += [f"  {kind}: {one.what}: {one.text}" for one in found] or [f"  {kind}: as specified"]
        return "\n".join(lines)


def play(stand: Stand, move: Move, verb: Verb, *, again: bool = True) -> Scenario:
    """Play it on the stand's stack.

    Args:
        stand: Has the stack.
        move: What is done to it.
        verb: Which command follows.
        again: A plain `up` follows even an untargeted one that ended well, and a stack that was refreshed is destroyed
            like the one that was not.
    """
    with stand.stage() as stage:
        player = _Player(stage, move, verb, stand.seeded, again=again)
        try:
            player.play()
        except AssertionError as error:
            player.findings.append(Finding("agent", "state lie", f"it could not be played to the end: {error}"))
        except Exception as error:
            error.add_note(f"in the cell {move.name} / {verb}")
            raise
        return Scenario(move.name, verb, tuple(dict.fromkeys(player.findings)), stage.explain())


@dataclass
class _Player:
    stage: Stage
    move: Move
    verb: Verb
    seeded: frozenset[str]
    again: bool
    findings: list[Finding] = field(default_factory=list)

    def play(self) -> None:
        stage, move = self.stage, self.move
        self._first = stage.given
        self._judge_ = Judge(World.of(stage.azure), self.seeded)
        options = move.destroy(stage) if self.verb == "destroy" else move.up(stage)
        move.change(stage)
        if move.renames and self.verb == "up":
            self._preview()
        ended = self._destroyed(options) if self.verb == "destroy" else self._moved(options)
        if not ended and (self.again or self.verb != "refresh"):
            if move.renames:
                self._goes_on()
            self._taken_down()
        self._harmed()

    def _moved(self, options: Sequence[str]) -> bool:
        stage, move = self.stage, self.move
        if move.kills:
            stage.killed("up", "--yes", "--skip-preview")
        if self.verb == "refresh":
            self._judge("refresh", stage.refresh(*(["--clear-pending-creates"] if move.kills else [])), partial=True)
        done = stage.up(*options)
        self._judge("the move", done, refuses=move.refuses, partial=move.partial)
        if self.again or move.partial or done.code:
            self._judge("a plain up", stage.up(), refuses=() if move.partial else move.refuses)
        return False

    def _destroyed(self, options: Sequence[str]) -> bool:
        """Return True when nothing is left to be destroyed."""
        stage, move = self.stage, self.move
        if move.kills:
            stage.killed("up", "--yes", "--skip-preview")
        if move.retained or move.protected:
            self._judge("the up that sets the option", stage.up())
        if move.partial:
            self._judge("the move", stage.destroy(*options), refuses=move.refuses, partial=True)
            self._judge("a plain up", stage.up())
            return False
        if move.protected or move.retained:
            return False
        self._judge("destroy", stage.destroy(*options), empty=True)
        return True

    def _taken_down(self) -> None:
        stage, move = self.stage, self.move
        if move.protected:
            self._judge("a destroy of what is protected", stage.destroy(), refuses=KINDS, partial=True)
            stage.give(protect=False)
            self._judge("the up that takes protection away", stage.up())
        self._judge("destroy", stage.destroy(), empty=True, retained=move.retained)

    def _preview(self) -> None:
        done = self.stage.run("preview", "--json")
        begin = done.output.find("{")
        try:
            steps = json.JSONDecoder().raw_decode(done.output[begin:])[0].get("steps", [])
        except ValueError:
            steps = []
        for step in steps:
            if step["op"] in _REPLACING:
                name = str(step["urn"]).rpartition("::")[2]
                self.findings.append(
                    Finding(kind_of(name), "replacement", f"the preview announces: {step['op']} {name}")
                )

    def _goes_on(self) -> None:
        """After names changed: a change is a new version, its revert adopts."""
        stage = self.stage
        stage.change()
        self._judge("a change after it", stage.up())
        stage.revert()
        self._judge("its revert", stage.up())
        # A toolbox that no agent calls keeps no older versions, so only that of the agent is adopted.
        for path, kind in (
            ("/agents/support/versions", "agent"),
            ("/agents/pair/versions", "pair"),
            ("/toolboxes/support/versions", "toolbox"),
        ):
            if stage.asked("POST", path) > 1:
                self.findings.append(Finding(kind, "replacement", "the revert posts a version again"))

    def _judge(
        self,
        step: str,
        run: Run,
        *,
        refuses: Sequence[str] = (),
        partial: bool = False,
        empty: bool = False,
        retained: bool = False,
    ) -> None:
        wanted = Wanted(
            step=step,
            declared=self._declared(partial=partial, empty=empty and not retained),
            keeps=self.move.keeps if partial else KINDS,
            same=self.move.keeps,
            whole=not partial,
            refuses=tuple(refuses),
            retained=retained or self.move.retained,
            empty=empty,
        )
        stage = self.stage
        seen = Seen(run, World.of(stage.azure), stage.resources(), stage.deleted())
        self.findings += self._judge_.findings(wanted, seen)

    def _declared(self, *, partial: bool, empty: bool) -> Settings:
        """Return what must remain: a run with targets, or a refresh, also keeps what the program declared before."""
        return self._first if partial or empty else self.stage.given

    def _harmed(self) -> None:
        for name in self.stage.harmed():
            self.findings.append(Finding("agent", "loss", f"the file {name} of another user is gone"))


def played(
    folder: Path, engine: Path, wanted: Sequence[tuple[Move, Verb]], *, again: bool = True
) -> Iterator[Scenario]:
    """Play several, one after the other, on one stand; `again` as of `play`."""
    stand = Stand(folder, engine)
    for move, verb in wanted:
        yield play(stand, move, verb, again=again)
