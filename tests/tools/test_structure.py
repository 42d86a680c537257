"""The library's packages: few, on few layers, without import cycles, each with a summary. Issue 14."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.structure.counts import loops_that_wait, narrowed_values, places_of
from tools.structure.modules import structure_of, summaries_of

MOST_MODULES, MOST_LAYERS, LONGEST_SUMMARY = 14, 8, 120


def test_the_library_has_at_most_14_packages_on_at_most_8_layers() -> None:
    seen = structure_of("foundry_agents")
    assert len(seen.modules) <= MOST_MODULES
    assert len(seen.layers) <= MOST_LAYERS
    assert seen.layers[0] == ("agent",)


@pytest.mark.parametrize("package", ["foundry_agents", *(f"foundry_agents.{name}" for name in ("lifecycle", "azure"))])
def test_no_two_modules_import_each_other(package: str) -> None:
    assert structure_of(package).cycles == ()


def test_each_folder_says_in_one_line_what_it_is_for() -> None:
    summaries = summaries_of("foundry_agents")
    assert "lifecycle/failure" in summaries
    assert [
        module
        for module, summary in summaries.items()
        if not summary.endswith((".", ":")) or len(summary) > LONGEST_SUMMARY
    ] == []


def test_an_import_cycle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "roundabout"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("import roundabout.two\n")
    (package / "two.py").write_text("import roundabout.one\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert structure_of("roundabout").cycles == (("one", "two", "one"),)


def test_a_loop_that_sleeps_is_counted_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("while go():\n    clock.sleep(1)\nfor each in all:\n    each()\n")
    assert loops_that_wait(tmp_path) == ["a.py:1"]


def test_a_value_narrowed_by_hand_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('a = float(str(values["x"]))\nb = values["x"]\nc = text_of(values, "y")\n')
    assert narrowed_values(tmp_path) == ["a.py:1", "a.py:3"]


def test_a_place_of_a_name_is_a_line_of_code_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('"""The size."""\n# size\nmake(size=1)\nfields = ["size"]\n')
    assert places_of("size", tmp_path) == ["a.py:3", "a.py:4"]
