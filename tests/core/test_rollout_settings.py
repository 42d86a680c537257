"""The settings of a rollout as users write them, and what check says of them: everything at once, nothing sent."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS
from foundry_agents.lifecycle.inputs.rollout_settings import Rollout, SmokeTest
from foundry_agents.lifecycle.inputs.version import VersionInputs
from foundry_agents.lifecycle.schema.durations import duration, in_words, seconds
from foundry_agents.lifecycle.schema.fields import OnChange
from foundry_agents.lifecycle.schema.report import Report
from tests.support.settings import ENDPOINT, OWNER

GOOD: Mapping[str, object] = {"project_endpoint": ENDPOINT, "agent_name": "support", "owner": OWNER, "version": "8"}
PING = SmokeTest("ping", expect="pong")


def _problems(**inputs: object) -> dict[str, str]:
    return {problem.path: problem.detail for problem in ROLLOUT_FIELDS.normalise({**GOOD, **inputs})[1]}


def _values(rollout: Rollout) -> dict[str, object]:
    values, problems = ROLLOUT_FIELDS.normalise({**GOOD, **rollout.inputs()})
    assert problems == []
    return {key: value for key, value in values.items() if key not in GOOD}


DEFAULTS = {
    "bake": 0,
    "paused": False,
    "enabled": True,
    "force_delete": False,
    "timeout_s": 120,
    "poll_interval_s": 1,
    "keep_agent": False,
}


@pytest.mark.parametrize(
    ("rollout", "says"),
    [
        (Rollout.all_at_once(), {}),
        (Rollout.canary([10, 50], bake="2m", keep_versions=3), {"steps": [10, 50], "bake": 120, "keep_versions": 3}),
        (Rollout.canary([1], timeout="5m"), {"steps": [1], "timeout_s": 300}),
        (Rollout.pinned("7"), {}),
        (Rollout.paused(), {"paused": True}),
    ],
)
def test_each_kind_of_rollout_says_only_what_differs_from_the_default(
    rollout: Rollout, says: Mapping[str, object]
) -> None:
    assert _values(rollout) == {**DEFAULTS, **says}


def test_blue_green_is_a_step_before_traffic() -> None:
    assert _values(Rollout.blue_green(smoke=PING, bake=30))["steps"] == [0]


def test_a_pinned_rollout_says_which_version() -> None:
    assert Rollout.pinned("7").inputs() == {"version": "7"}


def test_a_smoke_test_is_kept_with_its_defaults() -> None:
    assert _values(Rollout.all_at_once(smoke=PING))["smoke"] == {
        "question": "ping",
        "contains": "pong",
        "protocol": "responses",
        "tries": 3,
        "timeout": 120,
    }


# --- Bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", ["50", 50, {"50": 1}, 50.0], ids=str)
def test_steps_that_are_not_a_list_are_refused_in_words(steps: object) -> None:
    """Finding A4: "50" was read as 5 and 0, and 50 ended in a traceback."""
    for rollout in (Rollout.canary(steps), Rollout(steps=steps)):  # type: ignore[arg-type]
        assert _problems(**rollout.inputs()) == {
            "steps": "must be a list of percentages, for example [10, 50]; 100 is added as the last step"
        }


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    bad = Rollout.canary(
        [50, 10, 100, 5.5, -1],  # type: ignore[list-item]  # what a user may write all the same
        bake="-2m",
        smoke=SmokeTest("", expect="a", matches="(", check="no function", protocol="mcp", tries=0, timeout="soon"),
        keep_versions=0,
        timeout="0s",
    )
    assert sorted(_problems(**bad.inputs())) == [
        "bake",
        "keep_versions",
        "smoke",
        "smoke.check",
        "smoke.matches",
        "smoke.protocol",
        "smoke.question",
        "smoke.timeout",
        "smoke.tries",
        "steps[1]",
        "steps[2]",
        "steps[3]",
        "steps[4]",
        "timeout_s",
    ]


@pytest.mark.parametrize("steps", [[100], [101], [-1], [10.5], ["ten"], [True]])
def test_a_step_is_a_whole_percentage_below_100(steps: list[object]) -> None:
    """Case 39."""
    assert set(_problems(steps=steps)) == {"steps[0]"}


def test_steps_rise() -> None:
    """Case 39: a repeated or a falling step."""
    assert "not above the step before it, 10" in _problems(steps=[10, 10])["steps[1]"]
    assert "20 is not above the step before it, 50: steps must rise" in _problems(steps=[0, 50, 20])["steps[2]"]


def test_a_share_of_0_is_a_step() -> None:
    """Case 39."""
    assert _problems(steps=[0, 10]) == {}


@pytest.mark.parametrize("version", ["@latest", "latest", "0", "1.5"])
def test_a_pin_is_a_number(version: str) -> None:
    """Case 45: "latest" and a number can't both say which version serves."""
    assert set(_problems(**Rollout.pinned(version).inputs())) == {"version"}


def test_paused_and_steps_contradict_and_both_are_named() -> None:
    assert set(_problems(paused=True, steps=[10])) == {"paused", "steps"}


@pytest.mark.parametrize(
    ("test", "path", "says"),
    [
        (SmokeTest("q"), "smoke", "exactly one expectation"),
        (SmokeTest("q", expect="a", matches="b"), "smoke", "has contains and matches"),
        (SmokeTest("q", json_path="a"), "smoke.equals", "both or neither"),
        (SmokeTest("q", expect="a", equals=1), "smoke.equals", "both or neither"),
        (SmokeTest("q", json_path="a..b", equals=1), "smoke.json_path", "dots between"),
        (SmokeTest("q", matches="("), "smoke.matches", "not a regular expression"),
        (SmokeTest("q", check="os.system"), "smoke.check", "package.module:function"),
    ],
)
def test_a_smoke_test_has_one_expectation_that_makes_sense(test: SmokeTest, path: str, says: str) -> None:
    assert says in _problems(smoke=test.inputs())[path]


def test_a_part_that_a_smoke_test_does_not_have_is_named() -> None:
    assert "smoke.expects" in _problems(smoke={"question": "q", "contains": "a", "expects": "b"})


@pytest.mark.parametrize("value", [False, 1, "true", []])
def test_an_agent_is_not_switched_off_by_a_rollout(value: object) -> None:
    assert set(_problems(enabled=value)) == {"enabled"}


def test_an_agent_that_a_refresh_found_switched_off_differs_from_the_program() -> None:
    values, _problems_of_state = ROLLOUT_FIELDS.normalise({**GOOD, "enabled": False})
    assert values["enabled"] is False


def test_protocols_are_a_set_of_names() -> None:
    values, problems = ROLLOUT_FIELDS.normalise({**GOOD, "protocols": ["responses", "invocations", "responses"]})
    assert (values["protocols"], problems) == (["invocations", "responses"], [])
    for wrong in ("responses", {"responses": "2.0.0"}, ["responses", 1]):
        assert "must be a list of protocol names" in _problems(protocols=wrong)["protocols"]


# --- What a change means ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["steps", "bake", "smoke", "timeout_s", "poll_interval_s"])
def test_how_the_next_version_gets_there_is_no_change_of_its_own(name: str) -> None:
    """0 writes for a changed way of working."""
    (row,) = (row for row in ROLLOUT_FIELDS.fields if row.name == name)
    assert row.on_change is OnChange.IGNORE


@pytest.mark.parametrize(("name", "value"), [("paused", True), ("keep_versions", 2), ("enabled", False)])
def test_what_a_rollout_has_to_carry_out_is_an_update(name: str, value: object) -> None:
    changed = ROLLOUT_FIELDS.changes({**GOOD, name: value}, GOOD)
    assert [(row.name, row.on_change) for row in changed] == [(name, OnChange.UPDATE)]


# --- Durations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("90s", 90), ("2m", 120), ("1h", 3600), ("1h30m", 5400), ("1 m 30 s", 90), (45, 45), ("45", 45), (0.5, 0.5)],
)
def test_a_duration_is_read(raw: object, expected: float) -> None:
    assert seconds(raw) == expected


@pytest.mark.parametrize(("raw", "expected"), [("2m", int), (45.0, int), (0.5, float), ("1.5s", float)])
def test_whole_seconds_are_an_integer_so_that_state_has_one_spelling(raw: object, expected: type) -> None:
    value = duration()("bake", raw, Report())
    assert type(value) is expected


@pytest.mark.parametrize("raw", ["", "soon", "2 minutes", "m", "30s2m", None, True, [2]])
def test_what_is_no_duration_is_none(raw: object) -> None:
    assert seconds(raw) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (108, "1 m 48 s"),
        (3600, "1 h"),
        (5400, "1 h 30 m"),
        (3601, "1 h"),
        (3659, "1 h"),
        (3660, "1 h 1 m"),
    ],
)
def test_a_duration_is_shown(value: float, expected: str) -> None:
    assert in_words(value) == expected


def test_the_smallest_duration_is_in_range_and_a_shorter_one_is_not() -> None:
    assert _problems(timeout_s=1) == {}
    assert _problems(timeout_s=0.5) == {"timeout_s": '"0.5" is out of range: 1 s or more'}


def test_a_value_with_a_problem_is_kept_as_far_as_it_was_read() -> None:
    """A diff compares it with state that an earlier release accepted."""
    values, problems = ROLLOUT_FIELDS.normalise({**GOOD, "bake": "-0.5s", "timeout_s": "-0.5", "steps": "all"})
    assert len(problems) == 3
    assert values["steps"] == "all"
    assert (values["bake"], values["timeout_s"]) == ("-0.5s", -0.5)


def test_what_is_empty_is_not_in_state() -> None:
    empty = VersionInputs(project_endpoint=ENDPOINT, agent_name="support", environment={})
    assert "environment" not in empty.canonical()


@pytest.mark.parametrize(
    ("name", "says"), [("keep_versions", "must be a whole number"), ("poll_interval_s", "must be a number")]
)
def test_a_number_is_whole_where_half_of_it_makes_no_sense(name: str, says: str) -> None:
    assert says in _problems(**{name: "half"})[name]


@pytest.mark.parametrize("huge", ["9" * 400, 10**400, pytest.param(10**5000, id="5001 digits"), "1e999", float("inf")])
def test_a_number_that_no_machine_can_hold_is_refused(huge: object) -> None:
    assert set(_problems(keep_versions=huge, steps=[huge], bake=huge, version=huge)) == {
        "keep_versions",
        "steps[0]",
        "bake",
        "version",
    }


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(" * 5000 + ")" * 5000])
def test_an_expression_that_can_not_be_compiled_is_refused(pattern: str) -> None:
    assert "not a regular expression" in _problems(smoke=SmokeTest("q", matches=pattern).inputs())["smoke.matches"]


@pytest.mark.parametrize(("raw", "version"), [(1_234_567.0, "1234567"), ("0012", "12"), (8, "8")])
def test_a_version_has_one_spelling(raw: object, version: str) -> None:
    values, problems = ROLLOUT_FIELDS.normalise({**GOOD, "version": raw})
    assert (values["version"], problems) == (version, [])
