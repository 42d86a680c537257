"""What a change of settings means: spelling is no change, one field is one change, unknowns never hurt."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from foundry_agents.lifecycle.fingerprint import fingerprint
from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.schema.fields import Field, OnChange
from foundry_agents.lifecycle.schema.parsers import as_number, number, text
from foundry_agents.lifecycle.schema.report import Report, shown
from tests.support.settings import (
    CODE,
    DIGEST,
    ENDPOINT,
    EVERYTHING,
    FULL,
    GOOD,
    IMAGE,
    MODERATION,
    OF_CODE,
    OTHER_DIGEST,
    OTHER_OWNER,
    OWNER,
    TELEMETRY,
    problems,
    problems_with,
    settings,
    values,
)

MEANINGS, SPELLINGS_EACH = 100, 20
"""Generated settings, and pairs of spellings of each: 2,000 examples (case 13)."""


def changed(olds: Mapping[str, object], news: Mapping[str, object]) -> list[str]:
    """The names of the fields that differ in meaning."""
    return [row.name for row in VERSION_FIELDS.changes(olds, news)]


# --- Same meaning, other spelling ------------------------------------------------------------------------------------

_MISSING = object()
_SPELLINGS: Mapping[str, Sequence[object]] = {
    "project_endpoint": [ENDPOINT, f"{ENDPOINT}/"],
    "agent_name": ["support"],
    "image": [IMAGE, f"acme.azurecr.io/support:1.2@{DIGEST}", f"acme.azurecr.io/support:latest@{DIGEST}"],
    "timeout_s": [_MISSING, None, 60, 60.0, "1200", 1],
    "poll_interval_s": [_MISSING, 1, 1.0, 60],
    "former_owners": [_MISSING, ["acme/agents/a"], ["acme/agents/b", "acme/agents/c"]],
    "chosen": [_MISSING, ["agent_name"], ["agent_name", "owner"]],
    "urn": [_MISSING, "urn:pulumi:dev::agents::t::a", "urn:pulumi:dev::agents::t::b"],
    "owner": [OWNER, OTHER_OWNER],
    "pull_identity": [_MISSING, "", "principal"],
    "take_over": [_MISSING, None, False, True],
}
_SIZES: Sequence[tuple[Sequence[object], Sequence[object]]] = [
    ([_MISSING, 1, "1", 1.0, "1.0"], [_MISSING, "2Gi", "2.0Gi"]),
    ([0.5, "0.5", "0.50", ".5"], ["1Gi", "1.0Gi"]),
    ([2, "2", 2.0, "2.0"], ["4Gi", "4.0Gi", "4.00Gi"]),
]
_MEANINGS: Mapping[str, Sequence[Sequence[object]]] = {
    "session_idle_timeout_s": [[_MISSING, None], [900, 900.0, "900", "900.0"]],
    "description": [[_MISSING, None, ""], ["Answers."]],
    "rai_policy": [["strict"]],
    "rai_moderation": [
        [_MISSING, None, {}],
        [MODERATION, {**MODERATION, "input_content_type": None, "stream_selectors": [{"event_type": "delta"}]}],
    ],
    "telemetry": [
        [_MISSING, None, []],
        [TELEMETRY, [{**TELEMETRY[0], "data": ["Metrics", "ContainerOtel", "Metrics"]}, *TELEMETRY]],
    ],
    "force_delete": [[_MISSING, None, False], [True]],
    "kept_by_rollout": [[_MISSING, None, False], [True]],
}
_NAMES = st.from_regex(r"X[A-Za-z0-9_]{0,5}", fullmatch=True)
_MAPS = st.fixed_dictionaries(
    {
        "environment": st.dictionaries(_NAMES, st.text(max_size=8), max_size=6),
        "metadata": st.dictionaries(_NAMES, st.text(max_size=8), max_size=6),
        "protocols": st.sampled_from([{"responses": "2.0.0"}, {"responses": "2.0.0", "invocations": "1.0.0"}]),
    }
)


@dataclass(frozen=True)
class Meaning:
    """Settings by what they mean, to be written in many ways."""

    choices: Mapping[str, Sequence[object]]
    maps: Mapping[str, Mapping[str, str]]

    def written(self, chance: random.Random) -> dict[str, object]:
        """One way to write them."""
        props = {name: chance.choice(ways) for name, ways in self.choices.items()}
        for name, content in self.maps.items():
            ways: list[object] = [dict(chance.sample(list(content.items()), len(content)))]
            if not content or content == {"responses": "2.0.0"}:
                ways += [_MISSING, None, {}]
            props[name] = chance.choice(ways)
        items = [(name, raw) for name, raw in props.items() if raw is not _MISSING]
        return dict(chance.sample(items, len(items)))


@st.composite
def _meanings(draw: st.DrawFn) -> Meaning:
    cpu, memory = draw(st.sampled_from(_SIZES))
    other = {name: draw(st.sampled_from(meanings)) for name, meanings in _MEANINGS.items()}
    return Meaning({**_SPELLINGS, **other, "cpu": cpu, "memory": memory}, draw(_MAPS))


@hypothesis_settings(max_examples=MEANINGS, deadline=None, database=None)
@given(_meanings(), st.randoms(use_true_random=True))
def test_the_same_meaning_in_another_spelling_is_no_change(meaning: Meaning, chance: random.Random) -> None:
    """Case 13: 0 diffs in 2,000 generated examples."""
    for _ in range(SPELLINGS_EACH):
        olds, news = meaning.written(chance), meaning.written(chance)
        assert changed(olds, news) == []
        assert fingerprint(VERSION_FIELDS.normalise(olds)[0]) == fingerprint(VERSION_FIELDS.normalise(news)[0])


@pytest.mark.parametrize("props", [GOOD, FULL, EVERYTHING, OF_CODE])
def test_what_was_normalised_once_stays_as_it_is(props: Mapping[str, object]) -> None:
    """Case 14: outputs hold canonical values, and go through the table again."""
    once = values(props)
    assert VERSION_FIELDS.normalise(once) == (once, [])


@pytest.mark.parametrize("props", [GOOD, FULL])
def test_whole_numbers_that_come_as_floats_are_no_change(props: Mapping[str, object]) -> None:
    """Case 18: everything that is a number arrives as a float."""
    numbers = {key: raw for key, raw in values(props).items() if isinstance(raw, int) and not isinstance(raw, bool)}
    as_floats = values(props) | {key: float(raw) for key, raw in numbers.items()}
    assert changed(values(props), as_floats) == []


def test_a_setting_that_is_none_is_a_setting_that_is_not_there() -> None:
    """Case 18: Pulumi drops None."""
    none = {row.name: None for row in VERSION_FIELDS.fields}
    assert changed(GOOD, {**none, **GOOD}) == []
    assert problems({**none, **GOOD}) == []


def test_older_state_without_newer_fields_is_no_change() -> None:
    """Case 76: state of an earlier release has fewer keys."""
    assert changed(GOOD, values()) == []


def test_computed_values_in_state_are_no_change() -> None:
    """Case 14."""
    state = {**values(FULL), "version": "3", "status": "active", "fingerprint": "v1:0", "__provider": "gASV"}
    assert changed(state, FULL) == []


def test_state_that_today_would_be_refused_still_compares() -> None:
    """Case 76: rules may have become stricter since it was written."""
    assert changed(settings(environment={"PORT": "1"}), GOOD) == ["environment"]


# --- One field at a time ---------------------------------------------------------------------------------------------

_OTHER: Mapping[str, object] = {
    "project_endpoint": ENDPOINT.replace("demo", "other"),
    "agent_name": "help",
    "registry_connection": "private",
    "memory_snapshot": True,
    "rai_policy": "strict",
    "pull_role_granted_at": "2026-11-23T00:00:00Z",
    "pull_role_budget_s": 5,
    "image": f"acme.azurecr.io/support@{OTHER_DIGEST}",
    "cpu": "2",
    "memory": "4Gi",
    "protocols": {"responses": "1.0.0", "invocations": "2.0.0"},
    "environment": {"GREETING": "Hullo", "TOKEN": "s3cret"},
    "session_idle_timeout_s": 901,
    "description": "Answers other questions.",
    "metadata": {"team": "sales"},
    "owner": OTHER_OWNER,
    "former_owners": ["acme/agents/other"],
    "chosen": ["owner"],
    "urn": "urn:pulumi:dev::agents::t::other",
    "force_delete": True,
    "kept_by_rollout": True,
    "accept_new_tier": True,
    "check_image": True,
    "start_image": True,
    "pull_identity": "principal",
    "registry_id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r",
    "take_over": True,
    "timeout_s": 60,
    "poll_interval_s": 1,
    "code": CODE,
    "code_folder": "elsewhere",
    "rai_moderation": MODERATION,
    "telemetry": TELEMETRY,
    "fingerprint_key": "k" * 16,
    "accept_new": ["grpc"],
}


def test_every_input_has_another_value_to_change_to() -> None:
    assert set(_OTHER) == {row.name for row in VERSION_FIELDS.fields}


@pytest.mark.parametrize("row", VERSION_FIELDS.fields, ids=lambda row: row.name)
def test_one_changed_field_is_exactly_one_change_or_none_for_how_we_work(row: Field[object]) -> None:
    """Case 17; case 73 for the timeout."""
    expected = [] if row.on_change is OnChange.IGNORE else [row.name]
    assert changed(FULL, {**FULL, row.name: _OTHER[row.name]}) == expected


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("environment", {"GREETING": "Hello"}),
        ("environment", {"GREETING": "Hello", "TOKEN": "s3cret", "MORE": ""}),
        ("environment", {"GREETING": "Hello ", "TOKEN": "s3cret"}),
        ("environment", None),
        ("protocols", {"responses": "2.0.0"}),
        ("metadata", {"team": "support", "more": "x"}),
        ("metadata", None),
        ("session_idle_timeout_s", None),
        ("description", None),
    ],
)
def test_a_part_that_is_added_changed_or_taken_away_is_one_change(name: str, raw: object) -> None:
    """Case 17."""
    assert changed(FULL, {**FULL, name: raw}) == [name]


def test_what_describes_the_version_replaces_it() -> None:
    assert {row.name for row in VERSION_FIELDS.fields if row.on_change is OnChange.REPLACE} == {
        "project_endpoint",
        "agent_name",
        "image",
        "cpu",
        "memory",
        "protocols",
        "environment",
        "session_idle_timeout_s",
        "registry_connection",
        "memory_snapshot",
        "rai_policy",
        "description",
        "metadata",
        "code",
        "rai_moderation",
        "telemetry",
    }


def test_a_tag_that_moved_to_another_digest_is_a_change_and_another_tag_is_not() -> None:
    """Case 20."""
    tagged = f"acme.azurecr.io/support:latest@{DIGEST}"
    assert changed(settings(image=tagged), settings(image=tagged.replace("latest", "v2"))) == []
    assert changed(settings(image=tagged), settings(image=tagged.replace(DIGEST, OTHER_DIGEST))) == ["image"]


@pytest.mark.parametrize("name", ["force_delete", "keep_agent", "kept_by_rollout"])
def test_what_a_delete_reads_from_state_gets_there_when_it_changes(name: str) -> None:
    """A step without changes keeps old outputs, and delete is given outputs: an ignored switch would never reach it."""
    changes = {row.name: row.on_change for table in (VERSION_FIELDS, ROLLOUT_FIELDS) for row in table.fields}
    assert changes[name] is OnChange.UPDATE


# --- Unknowns --------------------------------------------------------------------------------------------------------


class Unknown:
    """Like Pulumi's: no equality of its own."""


def is_unknown(value: object) -> bool:
    """Like pulumi.contains_unknowns: at any depth."""
    if isinstance(value, Mapping):
        return any(map(is_unknown, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(is_unknown, value))
    return isinstance(value, Unknown)


def _places(props: Mapping[str, object]) -> Iterator[tuple[str, ...]]:
    for name, raw in props.items():
        yield (name,)
        if isinstance(raw, Mapping):
            yield from ((name, str(inner)) for inner in raw)


def _with_unknown(props: Mapping[str, object], place: tuple[str, ...]) -> dict[str, object]:
    changed_props = copy.deepcopy(dict(props))
    if len(place) == 1:
        changed_props[place[0]] = Unknown()
    else:
        inner = changed_props[place[0]]
        assert isinstance(inner, dict)
        inner[place[1]] = Unknown()
    return changed_props


_EVERY: Mapping[str, object] = {**{name: raw for name, raw in _OTHER.items() if name != "code"}, **FULL}
_UNKNOWNS = [(_EVERY, place) for place in _places(_EVERY)] + [
    (OF_CODE, place) for place in _places(OF_CODE) if place[0] == "code"
]
_PLACES = [".".join(place) for _, place in _UNKNOWNS]
_ROLLOUT: Mapping[str, object] = {
    "project_endpoint": ENDPOINT,
    "agent_name": "support",
    "owner": OWNER,
    "former_owners": ["o/p/s"],
    "chosen": ["owner"],
    "urn": "u",
    "version": "3",
    "protocols": ["responses", "invocations"],
    "force_delete": True,
    "keep_agent": True,
    "timeout_s": 60,
    "poll_interval_s": 1,
}


@pytest.mark.parametrize(("props", "place"), _UNKNOWNS, ids=_PLACES)
def test_an_unknown_anywhere_has_no_problem_and_is_passed_on(
    props: Mapping[str, object], place: tuple[str, ...]
) -> None:
    """Cases 18 and 21."""
    canonical, found = VERSION_FIELDS.normalise(_with_unknown(props, place), is_unknown)
    assert found == []
    assert is_unknown(canonical[place[0]])


@pytest.mark.parametrize(("props", "place"), _UNKNOWNS, ids=_PLACES)
def test_an_unknown_differs_from_what_is_in_state(props: Mapping[str, object], place: tuple[str, ...]) -> None:
    """Cases 18 and 21: a preview shows exactly the field that may change."""
    (row,) = (row for row in VERSION_FIELDS.fields if row.name == place[0])
    found = VERSION_FIELDS.changes(props, _with_unknown(props, place), is_unknown)
    assert [other.name for other in found] == ([] if row.on_change is OnChange.IGNORE else [place[0]])


@pytest.mark.parametrize("name", sorted(_ROLLOUT))
def test_an_unknown_input_of_a_rollout_has_no_problem(name: str) -> None:
    """Case 21."""
    assert ROLLOUT_FIELDS.normalise({**_ROLLOUT, name: Unknown()}, is_unknown)[1] == []
    ROLLOUT_FIELDS.changes(_ROLLOUT, {**_ROLLOUT, name: Unknown()}, is_unknown)


def test_an_unknown_within_the_protocols_of_a_rollout_has_no_problem() -> None:
    """Case 21."""
    assert ROLLOUT_FIELDS.normalise({**_ROLLOUT, "protocols": ["responses", Unknown()]}, is_unknown)[1] == []


@pytest.mark.parametrize("deep", [{"A": Unknown()}, [Unknown()], [{"A": [Unknown()]}]], ids=["map", "list", "both"])
@pytest.mark.parametrize("row", VERSION_FIELDS.fields, ids=lambda row: row.name)
def test_unknowns_at_any_depth_are_no_exception(row: Field[object], deep: object) -> None:
    """Case 18: 0 exceptions, whatever a program nests."""
    for raw in (deep, {"A": deep}, {"A": {"B": deep}}):
        VERSION_FIELDS.normalise({**_EVERY, row.name: raw}, is_unknown)
        VERSION_FIELDS.changes(_EVERY, {**_EVERY, row.name: raw}, is_unknown)


def test_the_names_of_a_map_are_checked_although_a_value_is_unknown() -> None:
    found = VERSION_FIELDS.normalise(settings(environment={"PORT": Unknown(), "A": Unknown()}), is_unknown)[1]
    assert [problem.path for problem in found] == ["environment.PORT"]


@pytest.mark.parametrize("name", ["cpu", "memory"])
def test_half_a_size_that_is_not_known_yet_is_not_judged(name: str) -> None:
    """Case 21: the other half may fit it."""
    assert VERSION_FIELDS.normalise({**FULL, "cpu": "4", "memory": "8Gi", name: Unknown()}, is_unknown)[1] == []


def test_a_new_size_is_not_judged_while_it_is_not_known_whether_it_is_wanted() -> None:
    """Case 21: accept_new_tier may turn out true."""
    props = settings(cpu="4", memory="8Gi", accept_new_tier=Unknown())
    assert VERSION_FIELDS.normalise(props, is_unknown)[1] == []


# --- Parsers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [1, 1.0, "1", "1.0", "1e0", "1E0", "01"])
def test_spellings_of_one_are_one(raw: object) -> None:
    assert as_number(raw) == 1


@pytest.mark.parametrize("raw", [True, None, "", "one", "nan", "inf", "-inf", float("nan"), float("inf"), [], {}])
def test_what_is_no_finite_number_is_none(raw: object) -> None:
    assert as_number(raw) is None


def test_a_whole_number_comes_back_as_an_integer() -> None:
    made = number(least=1)("x", "3.0", Report())
    assert (made, type(made)) == (3, int)


def test_a_fraction_comes_back_as_it_is() -> None:
    assert number(least=0)("x", 0.5, Report()) == 0.5


def test_a_number_within_no_upper_limit_names_the_lower_one() -> None:
    report = Report()
    number(least=1, unit=" s")("x", 0, report)
    assert report.problems[0].detail == "0 is out of range: 1 s or more"


def test_text_that_is_empty_is_unset() -> None:
    assert text()("x", "", Report()) is None


@pytest.mark.parametrize(("raw", "expected"), [(3.0, '"3"'), ("a" * 80, f'"{"a" * 80}"'), ("a" * 81, f'"{"a" * 80}…"')])
def test_a_value_is_shown_quoted_whole_and_short(raw: object, expected: str) -> None:
    assert shown(raw) == expected


def test_the_version_of_a_rollout_is_a_number_in_any_spelling() -> None:
    spellings = ["7", 7, 7.0]
    assert {ROLLOUT_FIELDS.normalise({**_ROLLOUT, "version": raw})[0]["version"] for raw in spellings} == {"7"}


@pytest.mark.parametrize("raw", ["@latest", "0", "-1", "7.5", 7.5, "", "²", "seven", True, [7], float("nan")])
def test_the_version_of_a_rollout_is_nothing_but_a_number(raw: object) -> None:
    found = ROLLOUT_FIELDS.normalise({**_ROLLOUT, "version": raw})[1]
    assert [problem.path for problem in found] == ["version"]


def test_traffic_as_refreshed_differs_from_what_was_asked_for() -> None:
    """Case 40: one field names what was changed in the portal."""
    for drifted in ("@latest", "7: 50 %, 8: 50 %", "none", "8"):
        found = ROLLOUT_FIELDS.changes({**_ROLLOUT, "version": drifted}, {**_ROLLOUT, "version": "7"})
        assert [row.name for row in found] == ["version"]


def test_the_order_of_a_rollouts_protocols_means_nothing() -> None:
    assert ROLLOUT_FIELDS.changes(_ROLLOUT, {**_ROLLOUT, "protocols": ["invocations", "responses"]}) == []


def test_a_wrong_setting_is_not_hidden_by_another() -> None:
    assert {problem.path for problem in problems_with(cpu="x", memory="y")} == {"cpu", "memory"}
