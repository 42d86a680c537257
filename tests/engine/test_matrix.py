"""A sample of the matrix; `make figures` plays all of it, and `python -m tests.engine.matrix` any cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.matrix.moves import Verb
from tests.engine.matrix.play import play
from tests.engine.matrix.stand import Stand
from tests.engine.matrix.table import pairs

pytestmark = pytest.mark.engine

SAMPLE: tuple[tuple[str, Verb], ...] = (("second endpoint name", "up"), ("rename, names derived", "destroy"))


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory, engine: Path) -> Stand:
    """One stack that is up; each test finds it so."""
    return Stand(tmp_path_factory.mktemp("matrix") / "stand", engine)


@pytest.mark.parametrize(("name", "verb"), SAMPLE, ids=[f"{name}, {verb}" for name, verb in SAMPLE])
def test_whatever_a_user_does_nothing_declared_is_destroyed_and_nothing_else_is_left(
    stand: Stand, name: str, verb: Verb
) -> None:
    """Case 91, and cases 84 to 88 side by side with all six kinds."""
    (move,) = (move for move, with_verb in pairs() if (move.name, with_verb) == (name, verb))

    scenario = play(stand, move, verb, again=False)

    assert scenario.bad == [], f"{scenario.report()}\n{scenario.explained}"


def test_every_move_and_verb_of_the_matrix_has_a_name_of_its_own() -> None:
    """Case 91: a cell is found by its name."""
    names = [(move.name, verb) for move, verb in pairs()]
    assert len(set(names)) == len(names)
