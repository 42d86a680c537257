"""The lower bounds in pyproject.toml are the versions that `make lowest` runs, and a failed run ends with 1."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.checkout import CHECKOUT
from tools.versions import __main__ as versions

_PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_EXTRAS = _PROJECT["optional-dependencies"]
_LOCKED = {
    name: Version(version)
    for name, version in re.findall(
        r"^([\w.-]+)==([^ ;\\]+)", (CHECKOUT / versions.LOCK).read_text(encoding="utf-8"), re.MULTILINE
    )
}
_RUN = [_PROJECT["dependencies"], *(texts for extra, texts in _EXTRAS.items() if extra != "dev")]
DECLARED = sorted({text for texts in _RUN for text in texts if Requirement(text).name != _PROJECT["name"]})


@pytest.mark.parametrize("text", DECLARED)
def test_the_lower_bound_of_every_requirement_is_the_version_that_make_lowest_runs(text: str) -> None:
    """Finding C: bounds that nothing had run. After a change of a bound, `make lock` writes the lock again."""
    wanted = Requirement(text)
    (bound,) = [Version(each.version) for each in wanted.specifier if each.operator == ">="]
    assert _LOCKED[canonicalize_name(wanted.name)] == bound


def test_the_lowest_python_is_the_one_that_is_required() -> None:
    assert _PROJECT["requires-python"] == f">={versions.PYTHON['lowest']}"


def test_what_is_run_is_what_the_issue_asks_for_and_is_there() -> None:
    """Finding C: the tests of core, wire and components, and one `pulumi up`."""
    assert {"tests/core", "tests/wire", "tests/components"} <= set(versions.TESTS)
    for test in (*versions.TESTS, versions.UP):
        path, _, name = test.partition("::")
        assert (CHECKOUT / path).exists()
        assert not name or f"def {name}(" in (CHECKOUT / path).read_text(encoding="utf-8")


def test_the_versions_of_all_direct_dependencies_are_printed() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", versions.DIRECT], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    names = {Requirement(text).name for text in DECLARED}
    assert shown.strip() == ", ".join(f"{name} {metadata.version(name)}" for name in sorted(names))


@pytest.mark.parametrize(("passes", "code"), [((True, True), 0), ((True, False), 1), ((False, True), 1)])
def test_one_failed_run_of_tests_or_of_pulumi_up_fails_the_command(
    passes: tuple[bool, bool], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both always run, and the last line says how it ended."""
    verdicts = iter(passes)
    asked: list[str] = []

    def tested(python: str, tests: list[str]) -> bool:
        assert python == sys.executable
        asked.append(tests[-1])
        return next(verdicts)

    monkeypatch.setattr(versions, "_install", lambda _: sys.executable)
    monkeypatch.setattr(versions, "_tested", tested)
    monkeypatch.setattr(sys, "argv", ["tools/versions", "lowest", "tests/policies"])
    with pytest.raises(SystemExit) as ended:
        versions.main()
    assert ended.value.code == code
    assert asked == ["tests/policies", versions.UP]
    assert ("passed after" in capsys.readouterr().out.splitlines()[-1]) == (code == 0)


def test_a_test_that_is_skipped_fails_the_command(tmp_path: Path) -> None:
    """With the missing program a run would be green and say nothing."""
    test = tmp_path / "test_missing.py"
    test.write_text(
        "from tests.support.machine import missing\n\ndef test_it():\n    missing('no engine')\n", encoding="utf-8"
    )
    assert not versions._tested(sys.executable, ["-p", "no:xdist", "-p", "no:cacheprovider", str(test)])
