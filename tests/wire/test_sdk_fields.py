"""Today's definition of a hosted agent as the SDK's models have it, against ours: nothing left out, nothing lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from azure.ai.projects import models

from foundry_agents.azure.agents import hosted
from foundry_agents.lifecycle.existing import inputs_of
from foundry_agents.lifecycle.inputs.rules import PROTOCOLS
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS, AgentDefinition
from foundry_agents.lifecycle.inputs.version_parts import (
    CONTENT_TYPES,
    DEPENDENCY_RESOLUTIONS,
    RESPONSE_MODES,
    TELEMETRY_DATA,
    TELEMETRY_PROTOCOLS,
)
from foundry_agents.lifecycle.schema.fields import OnChange
from foundry_agents.lifecycle.schema.shapes import Items, Record
from foundry_agents.lifecycle.views import VersionView
from tests.support.settings import EVERYTHING, GOOD, OF_CODE, OWNER, values

SET_BY_THE_SERVICE = {"code_configuration.content_hash"}
"""Read-only in the SDK's model: it is the header of the upload."""


def _fields(model: type[Any], path: str = "") -> Iterator[str]:
    """Every field of a model and of the models in it, as dotted paths of names on the wire."""
    for kind in (*model.__mro__, *_variants(model)):
        for name, annotation in vars(kind).get("__annotations__", {}).items():
            if name.startswith("_"):
                continue
            where = f"{path}.{name}".lstrip(".")
            yield where
            for inner in re.findall(r"_models\.(\w+)", str(annotation)):
                inner_model = getattr(models, inner)
                if hasattr(inner_model, "as_dict"):
                    yield from _fields(inner_model, where)


def _variants(model: type[Any]) -> Iterator[type[Any]]:
    """What a field of this type may hold instead: the SDK's discriminated subclasses."""
    yield from model.__subclasses__()


def _paths(value: object, path: str = "") -> Iterator[str]:
    """The dotted paths of everything in a JSON document; items of a list stand under its own path."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            where = f"{path}.{name}".lstrip(".")
            yield where
            yield from _paths(inner, where)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, path)


def _sent(props: Mapping[str, object]) -> dict[str, Any]:
    """The definition as it goes over the wire."""
    return dict(json.loads(json.dumps(hosted(AgentDefinition.from_values(values(props))).as_dict())))


def test_every_field_of_the_sdks_definition_can_be_set() -> None:
    """A field that a newer SDK brings fails here by its name, until there is an input for it."""
    sent = {
        path.replace("environment_variables.", "") for props in (EVERYTHING, OF_CODE) for path in _paths(_sent(props))
    }
    wanted = set(_fields(models.HostedAgentDefinition)) - SET_BY_THE_SERVICE
    assert sorted(wanted - sent) == []


def test_the_look_at_the_sdks_models_reaches_their_depths() -> None:
    """Else the test above could not fail."""
    found = set(_fields(models.HostedAgentDefinition))
    assert {
        "cpu",
        "code_configuration.content_hash",
        "telemetry_config.endpoints.auth.header_name",
        "telemetry_config.endpoints.endpoint",
        "rai_config.invocations_moderation.stream_selectors.event_type",
        "session_configuration.idle_timeout_seconds",
    } <= found


@pytest.mark.parametrize("props", [EVERYTHING, OF_CODE], ids=["image", "code"])
def test_every_input_that_describes_a_version_is_read_back_as_it_was(props: Mapping[str, object]) -> None:
    """Case 15: through the SDK's models, with the service's additions, and back."""
    wanted = values(props, accept_new_tier=True)
    definition = _sent(wanted)
    if "code" in wanted:
        definition["code_configuration"]["content_hash"] = dict(OF_CODE["code"])["sha256"]  # type: ignore[call-overload]
    echoed = {"container_protocol_versions": [], **definition}
    view = VersionView(
        "support",
        "1",
        "active",
        metadata=dict(wanted["metadata"]),  # type: ignore[call-overload]
        description=str(wanted["description"]),
        definition=echoed,
    )
    found = inputs_of(view, project_endpoint=str(wanted["project_endpoint"]), owner=OWNER)
    assert found == wanted
    described = {row.name for row in VERSION_FIELDS.fields if row.on_change is OnChange.REPLACE}
    assert described - set(found) == ({"code"} if "image" in wanted else {"image", "registry_connection"})


_ADDITIONS: Mapping[str, Mapping[str, Any]] = {
    "empty lists": {"container_protocol_versions": [], "telemetry_config": {"endpoints": []}, "tags": []},
    "nulls": {"rai_config": None, "session_configuration": None, "environment_variables": None},
    "a field of the future": {"scale": {"min_replicas": 0}},
    "switches that are off": {"enable_memory_snapshot": False},
}


@pytest.mark.parametrize("addition", _ADDITIONS)
def test_a_field_that_the_service_adds_is_not_a_difference(addition: str) -> None:
    """Case 14: 0 diffs, 0 replaces."""
    view = VersionView("support", "1", "active", description="", definition={**_sent(GOOD), **_ADDITIONS[addition]})
    found = inputs_of(view, project_endpoint=str(GOOD["project_endpoint"]), owner=OWNER)
    assert VERSION_FIELDS.changes(found, values()) == []


def test_the_shape_of_earlier_releases_is_no_difference() -> None:
    """Case 14: it is echoed as it was sent [recorded]."""
    older = {
        "kind": "hosted",
        "cpu": "1",
        "memory": "2Gi",
        "image": GOOD["image"],
        "container_protocol_versions": [{"protocol": "responses", "version": "2.0.0"}],
    }
    view = VersionView("support", "1", "active", definition=older)
    found = inputs_of(view, project_endpoint=str(GOOD["project_endpoint"]), owner=OWNER)
    assert VERSION_FIELDS.changes(found, values()) == []


def test_a_version_with_words_of_the_future_is_read_back_and_accepted() -> None:
    """Case 61: the service has accepted them."""
    definition = _sent(OF_CODE)
    definition["code_configuration"] |= {"runtime": "python_3_20", "content_hash": "c" * 64}
    definition["protocol_versions"].append({"protocol": "grpc", "version": "1"})
    definition |= {"cpu": "16", "memory": "64Gi"}
    view = VersionView("support", "1", "active", definition=definition)
    found = inputs_of(view, project_endpoint=str(OF_CODE["project_endpoint"]), owner=OWNER)
    assert found["accept_new"] == ["grpc", "python_3_20"]
    assert VERSION_FIELDS.normalise(found) == (found, [])


def test_what_has_no_input_is_refused_by_its_name_and_not_dropped() -> None:
    """A version that says more than this release can say is not taken into a stack as if it did not."""
    definition = _sent(EVERYTHING)
    definition["telemetry_config"]["endpoints"][0]["kind"] = "Prometheus"
    view = VersionView("support", "1", "active", definition=definition)
    with pytest.raises(Exception, match=r"telemetry\[0\]\.kind: is not an input"):
        inputs_of(view, project_endpoint=str(EVERYTHING["project_endpoint"]), owner=OWNER)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (PROTOCOLS, models.AgentEndpointProtocol),
        (DEPENDENCY_RESOLUTIONS, models.CodeDependencyResolution),
        (TELEMETRY_DATA, models.TelemetryDataKind),
        (TELEMETRY_PROTOCOLS, models.TelemetryTransportProtocol),
        (CONTENT_TYPES, models.RaiInvocationContentType),
        (RESPONSE_MODES, models.RaiInvocationMode),
    ],
    ids=lambda either: getattr(either, "__name__", None),
)
def test_the_words_that_this_release_knows_are_the_sdks(ours: tuple[str, ...], theirs: Any) -> None:
    """A word that a newer SDK brings fails here by its name."""
    assert sorted(ours) == sorted(word.value for word in theirs)


def test_every_nested_entry_says_what_it_means_and_where_its_rule_comes_from() -> None:
    def silent(parse: object, path: str) -> Iterator[str]:
        if isinstance(parse, Items):
            yield from silent(parse.parse, path)
        for row in parse.rows if isinstance(parse, Record) else ():
            if not row.summary or not row.source:
                yield f"{path}.{row.name}"
            yield from silent(row.parse, f"{path}.{row.name}")

    assert [path for row in VERSION_FIELDS.fields for path in silent(row.parse, row.name)] == []
