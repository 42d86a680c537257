"""The library's rooms: few, on few layers, without circles, each with a sign at its door. Issue 14."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.structure.counts import loops_that_wait, narrowed_values, places_of
from tools.structure.rooms import signs_of, structure_of

MOST_ROOMS, MOST_LAYERS, LONGEST_SIGN = 14, 8, 120


def test_the_library_has_at_most_14_rooms_on_at_most_8_layers() -> None:
    seen = structure_of("foundry_agents")
    assert len(seen.rooms) <= MOST_ROOMS
    assert len(seen.layers) <= MOST_LAYERS
    assert seen.layers[0] == ("agent",)


@pytest.mark.parametrize("package", ["foundry_agents", *(f"foundry_agents.{name}" for name in ("lifecycle", "azure"))])
def test_no_rooms_import_each_other(package: str) -> None:
    assert structure_of(package).circles == ()


def test_each_folder_says_in_one_line_what_it_is_for() -> None:
    signs = signs_of("foundry_agents")
    assert "lifecycle/failure" in signs
    assert [room for room, sign in signs.items() if not sign.endswith((".", ":")) or len(sign) > LONGEST_SIGN] == []


def test_a_circle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "roundabout"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("import roundabout.two\n")
    (package / "two.py").write_text("import roundabout.one\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert structure_of("roundabout").circles == (("one", "two", "one"),)


def test_a_loop_that_sleeps_is_counted_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("while go():\n    clock.sleep(1)\nfor each in all:\n    each()\n")
    assert loops_that_wait(tmp_path) == ["a.py:1"]


def test_a_value_narrowed_by_hand_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('a = float(str(values["x"]))\nb = values["x"]\nc = text_of(values, "y")\n')
    assert narrowed_values(tmp_path) == ["a.py:1", "a.py:3"]


def test_a_place_of_a_name_is_a_line_of_code_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('"""The size."""\n# size\nmake(size=1)\nfields = ["size"]\n')
    assert places_of("size", tmp_path) == ["a.py:3", "a.py:4"]
