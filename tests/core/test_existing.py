"""A version that exists is described by inputs, or refused by the name of what this release has no input for."""

from __future__ import annotations

from typing import Any

import pytest

from foundry_agents.lifecycle.existing import inputs_of
from foundry_agents.lifecycle.failure.errors import InputError
from tests.support.settings import ENDPOINT, IMAGE, OWNER, seen

_CODE = {
    "runtime": "python_9_9",
    "entry_point": ["python", "main.py"],
    "dependency_resolution": "bundled",
    "content_hash": "a" * 64,
}
_HOSTED = {"kind": "hosted", "container_configuration": {"image": IMAGE}}
_COLLECTOR = {"kind": "OTLP", "endpoint": "https://otel.example.com:4318", "protocol": "Http", "data": ["Metrics"]}


def _found(definition: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(inputs_of(seen(definition=definition, **more), project_endpoint=ENDPOINT, owner=OWNER))


def _with_auth(auth: dict[str, Any]) -> dict[str, Any]:
    return {**_HOSTED, "telemetry_config": {"endpoints": [{**_COLLECTOR, "auth": auth}]}}


def test_a_header_of_a_collector_is_described() -> None:
    auth = {"type": "header", "header_name": "x-api-key", "secret_id": "otel", "secret_key": "key"}
    found = inputs_of(seen(definition=_with_auth(auth)), project_endpoint=ENDPOINT, owner=OWNER)
    telemetry = found["telemetry"]
    assert isinstance(telemetry, list)
    assert [one["header"] for one in telemetry] == [{"name": "x-api-key", "secret_id": "otel", "secret_key": "key"}]


@pytest.mark.parametrize("kind", ["basic", "managed_identity"])
def test_another_kind_of_authentication_is_refused_by_its_name_and_not_described_as_a_header(kind: str) -> None:
    """An import that dropped it would post a version that can't reach its collector."""
    auth = {"type": kind, "header_name": "x-api-key", "secret_id": "otel", "secret_key": "key"}
    with pytest.raises(InputError) as caught:
        inputs_of(seen(definition=_with_auth(auth)), project_endpoint=ENDPOINT, owner=OWNER)
    assert [problem.path for problem in caught.value.problems] == ["telemetry[0].header.type"]


def test_code_of_a_newer_runtime_and_protocol_is_described_and_accepted_by_name() -> None:
    """The service reports the digest as content_hash [recorded]; every other field keeps its name."""
    found = _found(
        {
            "kind": "hosted",
            "code_configuration": _CODE,
            "protocol_versions": [{"protocol": "psychic", "version": "1.0"}],
            "cpu": "7",
            "memory": "14Gi",
        }
    )
    assert found["code"] == {
        "runtime": "python_9_9",
        "entry_point": ["python", "main.py"],
        "dependency_resolution": "bundled",
        "sha256": "a" * 64,
    }
    assert found["accept_new"] == ["psychic", "python_9_9"]
    assert (found["cpu"], found["memory"], found["accept_new_tier"]) == ("7", "14Gi", True)


def test_code_of_a_known_runtime_needs_no_consent() -> None:
    definition = {"kind": "hosted", "code_configuration": {**_CODE, "runtime": "python_3_13"}}
    assert not _found(definition).get("accept_new")


def test_protocols_are_read_from_the_list_of_earlier_releases_too() -> None:
    """The earlier field is echoed [recorded]."""
    earlier = [{"protocol": "responses", "version": "2.0.0"}, {"protocol": "invocations", "version": "1.0.0"}]
    definition = {**_HOSTED, "container_protocol_versions": earlier}
    assert _found(definition)["protocols"] == {"responses": "2.0.0", "invocations": "1.0.0"}


def test_metadata_is_described_without_the_ownership_metadata() -> None:
    found = _found(_HOSTED, metadata={"team": "search", "foundry-agents.owner": OWNER})
    assert found["metadata"] == {"team": "search"}


def test_a_collector_without_authentication_is_described_without_its_only_kind() -> None:
    definition = {**_HOSTED, "telemetry_config": {"endpoints": [_COLLECTOR]}}
    described = {name: value for name, value in _COLLECTOR.items() if name != "kind"}
    assert [{**one, "protocol": "Http"} for one in _found(definition)["telemetry"]] == [described]


@pytest.mark.parametrize(
    ("definition", "path"),
    [
        ({"code_configuration": {**_CODE, "base": "slim"}}, "code.base"),
        ({"telemetry_config": {"endpoints": [{**_COLLECTOR, "alias": "main"}]}}, "telemetry[0].alias"),
        (
            {
                "telemetry_config": {
                    "endpoints": [
                        {
                            **_COLLECTOR,
                            "auth": {"type": "header", "header_name": "x", "secret_id": "s", "audience": "a"},
                        }
                    ]
                }
            },
            "telemetry[0].header.audience",
        ),
    ],
    ids=["code", "collector", "header"],
)
def test_a_field_that_this_release_does_not_know_is_refused_by_its_name(definition: dict[str, Any], path: str) -> None:
    """Also one whose name sorts before those that are renamed."""
    image = {} if "code_configuration" in definition else {"container_configuration": {"image": IMAGE}}
    with pytest.raises(InputError) as caught:
        _found({"kind": "hosted", **image, **definition})
    assert path in [problem.path for problem in caught.value.problems]


def test_a_collector_of_an_unknown_kind_is_refused_by_its_name() -> None:
    definition = {**_HOSTED, "telemetry_config": {"endpoints": [{**_COLLECTOR, "kind": "Carrier pigeon"}]}}
    with pytest.raises(InputError) as caught:
        _found(definition)
    assert [problem.path for problem in caught.value.problems] == ["telemetry[0].kind"]


def test_a_protocol_and_a_runtime_of_one_name_are_one_name() -> None:
    definition = {
        "kind": "hosted",
        "code_configuration": {**_CODE, "runtime": "realtime"},
        "protocol_versions": [{"protocol": "realtime", "version": "1.0.0"}],
    }
    assert _found(definition)["accept_new"] == ["realtime"]
