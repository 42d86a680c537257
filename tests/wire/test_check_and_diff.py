"""check and diff through the real plugin process: real pickling, floats, dropped Nones, unknowns; no service."""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pulumi.dynamic import ResourceProvider

from foundry_agents import resources
from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.schema.fields import OnChange
from foundry_agents.resources.agent_identity import AgentIdentityProvider
from foundry_agents.resources.agent_rollout import AgentRolloutProvider
from foundry_agents.resources.content_tag import ContentTagProvider
from foundry_agents.resources.hosted_agent_version import HostedAgentVersionProvider
from foundry_agents.resources.remote_image_build import RemoteImageBuildProvider
from foundry_agents.resources.toolbox_version import ToolboxVersionProvider
from foundry_agents.resources.vector_store import VectorStoreProvider
from tests.support.plugin import UNKNOWN, Plugin, Secret, blob
from tests.support.settings import (
    CODE,
    DIGEST,
    EVERYTHING,
    FULL,
    GOOD,
    IMAGE,
    MODERATION,
    OF_CODE,
    OTHER_DIGEST,
    OTHER_OWNER,
    TELEMETRY,
)
from tests.wire.providers import Probe

CANARY = "canary-4711"
PROVIDERS: Mapping[str, ResourceProvider] = {
    "HostedAgentVersionProvider": HostedAgentVersionProvider(),
    "AgentRolloutProvider": AgentRolloutProvider(),
    "AgentIdentityProvider": AgentIdentityProvider(),
    "ToolboxVersionProvider": ToolboxVersionProvider(),
    "VectorStoreProvider": VectorStoreProvider(),
    "ContentTagProvider": ContentTagProvider(),
    "RemoteImageBuildProvider": RemoteImageBuildProvider(),
}
GOLDEN: Mapping[str, str] = json.loads((Path(__file__).parent / "golden" / "providers.json").read_text("utf-8"))
VERSION = PROVIDERS["HostedAgentVersionProvider"]
ROLLOUT = PROVIDERS["AgentRolloutProvider"]
ROLLOUT_INPUTS = {key: GOOD[key] for key in ("project_endpoint", "agent_name", "owner")} | {"version": "3"}
AGENT = {key: GOOD[key] for key in ("project_endpoint", "agent_name")}
PROJECT = {key: GOOD[key] for key in ("project_endpoint", "owner")}

REMOTE_INPUTS = {
    "registry_id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acme",
    "login_server": "acme.azurecr.io",
    "repository": "support",
    "content": "0" * 64,
    "context": "agent",
}


# --- The provider in state ------------------------------------------------------------------------------------------


def test_every_provider_of_the_library_is_compared_with_what_users_have() -> None:
    """A new one that is in neither list could be moved later, and state would name a path that is gone."""
    modules = [importlib.import_module(f"foundry_agents.resources.{name}") for name in _module_names()]
    found = {
        kind.__name__: blob(kind())
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, ResourceProvider) and kind.__module__ == module.__name__
    }
    assert found.keys() == PROVIDERS.keys() == GOLDEN.keys(), found


def _module_names() -> list[str]:
    return [info.name for info in pkgutil.iter_modules(resources.__path__) if info.name != "_plugin"]


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the pickle protocol changes there: another string, same class")
@pytest.mark.parametrize("name", PROVIDERS)
def test_the_provider_in_state_is_the_one_that_users_have(name: str) -> None:
    """Case 57: it names an import path, which users' state files hold forever."""
    assert blob(PROVIDERS[name]) == GOLDEN[name]


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_provider_in_state_has_at_most_100_bytes_and_captures_nothing(name: str) -> None:
    """Case 57."""
    raw = base64.b64decode(blob(PROVIDERS[name]))
    print(f"{name}: {len(raw)} bytes")
    assert len(raw) <= 100
    assert vars(PROVIDERS[name]) == {}


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("HostedAgentVersionProvider", GOOD),
        ("AgentRolloutProvider", ROLLOUT_INPUTS),
        ("AgentIdentityProvider", {**AGENT, "principal_id": "p"}),
        ("ToolboxVersionProvider", {**PROJECT, "toolbox_name": "support", "tool:web_search": {"type": "web_search"}}),
        ("VectorStoreProvider", {**PROJECT, "store_name": "docs", "files": {"faq.md": "a" * 64}}),
        ("RemoteImageBuildProvider", REMOTE_INPUTS),
        ("ContentTagProvider", {"repository": "acme.azurecr.io/support", "content": "0" * 64}),
    ],
)
def test_a_provider_from_an_older_state_still_works(plugin: Plugin, name: str, inputs: Mapping[str, object]) -> None:
    """Case 75."""
    assert plugin.check(GOLDEN[name], inputs).failures == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_provider_is_not_hidden_as_a_secret(name: str) -> None:
    assert PROVIDERS[name].serialize_as_secret_always is False


# --- check ----------------------------------------------------------------------------------------------------------


def test_good_settings_come_back_canonical(plugin: Plugin) -> None:
    checked = plugin.check(VERSION, {**GOOD, "cpu": 1, "image": f"acme.azurecr.io/support:1@{DIGEST}"})
    assert checked.failures == []
    assert (checked.inputs["cpu"], checked.inputs["memory"], checked.inputs["image"]) == ("1", "2Gi", IMAGE)


@pytest.mark.parametrize("props", [FULL, EVERYTHING, OF_CODE], ids=["full", "everything", "of code"])
def test_what_was_checked_checks_again_to_the_same(plugin: Plugin, props: Mapping[str, object]) -> None:
    """A replacement calls check twice; a float or a None on the way changes nothing."""
    once = plugin.check(VERSION, props).inputs
    assert plugin.check(VERSION, once).inputs == once
    assert plugin.diff(VERSION, once, plugin.check(VERSION, props).inputs).changes is False


def test_every_problem_is_in_one_failure_without_a_property_and_without_a_value(plugin: Plugin) -> None:
    """Cases 54 and 59: beside a named property Pulumi would print its value."""
    checked = plugin.check(
        VERSION,
        {
            **GOOD,
            "image": "acme.azurecr.io/support:latest",
            "cpu": 3,
            "environment": {"PORT": CANARY, "1ST": CANARY, "NUMBER": 4711},
            "metadata": {f"k{number}": "v" for number in range(13)},
            "protocols": {"responses": "v1"},
        },
    )
    ((name, reason),) = checked.failures
    assert name == ""
    first, *lines = reason.splitlines()
    assert first == "7 problems in the agent's settings"
    paths = [line.split()[0].rstrip(":") for line in lines]
    assert paths == [
        "cpu",
        "environment.1ST",
        "environment.NUMBER",
        "environment.PORT",
        "image",
        "metadata",
        "protocols.responses",
    ]
    assert CANARY not in reason
    assert "4711" not in reason


def test_a_rollouts_problems_are_in_one_failure_too(plugin: Plugin) -> None:
    checked = plugin.check(ROLLOUT, {**ROLLOUT_INPUTS, "version": "@latest", "agent_name": "-"})
    ((name, reason),) = checked.failures
    assert name == ""
    assert reason.startswith("2 problems in the rollout's settings")


_OF_THE_LIBRARY = {"chosen", "former_owners"}
"""What check works out itself; the second one is not known in a preview where there are none."""


@pytest.mark.parametrize("name", [row.name for row in VERSION_FIELDS.fields if row.name not in _OF_THE_LIBRARY])
def test_a_setting_that_is_not_known_yet_passes_and_stays_unknown(plugin: Plugin, name: str) -> None:
    """Case 21: 0 exceptions."""
    checked = plugin.check(VERSION, {**FULL, name: UNKNOWN})
    assert checked.failures == []
    assert checked.inputs[name] == UNKNOWN


@pytest.mark.parametrize("name", [row.name for row in ROLLOUT_FIELDS.fields])
def test_a_rollouts_setting_that_is_not_known_yet_passes(plugin: Plugin, name: str) -> None:
    """Case 21."""
    assert plugin.check(ROLLOUT, {**ROLLOUT_INPUTS, name: UNKNOWN}).failures == []


@pytest.mark.parametrize("place", ["environment", "metadata", "protocols"])
def test_an_unknown_within_a_map_passes_beside_known_values(plugin: Plugin, place: str) -> None:
    """Case 18."""
    content = {"responses": "2.0.0", "invocations": UNKNOWN}
    checked = plugin.check(VERSION, {**FULL, place: content})
    assert checked.failures == []
    assert checked.inputs[place] == content


def test_a_number_that_is_no_number_is_a_problem_and_not_an_exception(plugin: Plugin) -> None:
    """Case 18."""
    checked = plugin.check(VERSION, {**GOOD, "timeout_s": float("nan"), "cpu": float("inf")})
    assert len(checked.failures) == 1


def test_computed_outputs_that_are_declared_as_none_are_no_inputs(plugin: Plugin) -> None:
    """The program declares them so that a preview shows them as unknown."""
    checked = plugin.check(VERSION, {**GOOD, "version": None, "fingerprint": None})
    assert checked.failures == []
    assert "version" not in checked.inputs


def test_checking_and_comparing_load_no_azure_module(plugin: Plugin) -> None:
    """Imports of the Azure SDK cost seconds and 45 MB: only the first real call pays them."""
    plugin.check(VERSION, FULL)
    plugin.check(ROLLOUT, ROLLOUT_INPUTS)
    plugin.diff(VERSION, FULL, {**FULL, "cpu": "2"})
    plugin.diff(ROLLOUT, ROLLOUT_INPUTS, {**ROLLOUT_INPUTS, "version": "4"})
    loaded = set(plugin.check(Probe(), {}).inputs["modules"])
    assert "foundry_agents.resources.hosted_agent_version" in loaded
    assert {
        name for name in loaded if name.startswith(("azure.", "pulumi_azure_native", "foundry_agents.azure"))
    } == set()


# --- diff -----------------------------------------------------------------------------------------------------------


def _state(plugin: Plugin, inputs: Mapping[str, object] = FULL) -> dict[str, object]:
    """What a create would have put into state."""
    computed = {"version": "1", "version_id": "support:1", "status": "active", "fingerprint": Secret("v1:0")}
    return {**plugin.check(VERSION, inputs).inputs, **computed}


def test_nothing_changed_is_no_change(plugin: Plugin) -> None:
    """Case 12."""
    found = plugin.diff(VERSION, _state(plugin), plugin.check(VERSION, FULL).inputs)
    assert (found.changes, found.replaces) == (False, [])


_SPELLINGS: Mapping[str, Mapping[str, object]] = {
    "cpu as a number": {"cpu": 1},
    "cpu as text with a fraction": {"cpu": "1.0"},
    "memory with a fraction": {"memory": "2.0Gi"},
    "a tag beside the digest": {"image": f"acme.azurecr.io/support:v2@{DIGEST}"},
    "maps in another order": {"environment": {"TOKEN": "s3cret", "GREETING": "Hello"}},
    "idle timeout as text": {"session_idle_timeout_s": "900"},
    "a slash behind the endpoint": {"project_endpoint": f"{GOOD['project_endpoint']}/"},
}


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_another_spelling_is_no_change(plugin: Plugin, spelling: str) -> None:
    """Cases 13 and 18."""
    news = plugin.check(VERSION, {**FULL, **_SPELLINGS[spelling]}).inputs
    assert plugin.diff(VERSION, _state(plugin), news).changes is False
    # The engine compares checked inputs; state may also hold them as an older release wrote them.
    assert plugin.diff(VERSION, {**_state(plugin), **_SPELLINGS[spelling]}, news).changes is False


@pytest.mark.parametrize("empty", [{}, None])
def test_an_empty_map_is_one_that_is_not_set(plugin: Plugin, empty: object) -> None:
    """Case 13."""
    news = plugin.check(VERSION, {**GOOD, "environment": empty, "metadata": empty, "protocols": empty}).inputs
    assert plugin.diff(VERSION, _state(plugin, GOOD), news).changes is False


_IGNORED: Mapping[str, object] = {
    "timeout_s": 60,
    "poll_interval_s": 1,
    "urn": "urn:pulumi:dev::agents::t::other",
    "owner": OTHER_OWNER,
    "pull_identity": "principal",
    "registry_id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r",
    "take_over": True,
    "accept_new_tier": True,
    "accept_new": ["grpc"],
    "code_folder": "elsewhere",
    "fingerprint_key": "k" * 16,
}


@pytest.mark.parametrize("name", _IGNORED)
def test_how_we_work_is_no_change(plugin: Plugin, name: str) -> None:
    """Case 73 for the timeout."""
    assert plugin.diff(VERSION, _state(plugin), {**FULL, name: _IGNORED[name]}).changes is False


def test_another_provider_string_in_state_is_no_change(plugin: Plugin) -> None:
    """Case 74: a newer Python or release pickles it otherwise."""
    olds = {**_state(plugin), "__provider": "gASVolder"}
    assert plugin.diff(VERSION, olds, FULL).changes is False


def test_state_with_fewer_keys_is_no_change(plugin: Plugin) -> None:
    """Case 76."""
    assert plugin.diff(VERSION, GOOD, plugin.check(VERSION, GOOD).inputs).changes is False


_CHANGES: Mapping[str, object] = {
    "project_endpoint": f"{GOOD['project_endpoint']}-2",
    "agent_name": "help",
    "image": f"acme.azurecr.io/support@{OTHER_DIGEST}",
    "cpu": "2",
    "memory": "4Gi",
    "protocols": {"responses": "2.0.0"},
    "environment": {"GREETING": "Hello"},
    "session_idle_timeout_s": 901,
    "registry_connection": "private",
    "memory_snapshot": True,
    "rai_policy": "strict",
    "description": "Other.",
    "metadata": {"team": "sales"},
    "code": CODE,
    "rai_moderation": MODERATION,
    "telemetry": TELEMETRY,
}


def test_there_is_a_change_of_every_field_that_makes_a_new_version() -> None:
    assert set(_CHANGES) == {row.name for row in VERSION_FIELDS.fields if row.on_change is OnChange.REPLACE}


@pytest.mark.parametrize("name", _CHANGES)
def test_a_changed_field_is_named_and_replaces_and_the_old_version_goes_last(plugin: Plugin, name: str) -> None:
    """Cases 17 and 43."""
    found = plugin.diff(VERSION, _state(plugin), {**FULL, name: _CHANGES[name]})
    assert (found.changes, found.replaces, found.delete_before_replace) == (True, [name], False)


@pytest.mark.parametrize("name", _CHANGES)
def test_a_field_that_is_not_known_yet_replaces(plugin: Plugin, name: str) -> None:
    """Case 21."""
    found = plugin.diff(VERSION, _state(plugin), {**FULL, name: UNKNOWN})
    assert (found.changes, found.replaces) == (True, [name])


def test_a_switch_of_ours_is_an_update_and_no_new_version(plugin: Plugin) -> None:
    found = plugin.diff(VERSION, _state(plugin), {**FULL, "force_delete": True})
    assert (found.changes, found.replaces) == (True, [])


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"version": "4"}, []),
        ({"protocols": ["responses"]}, []),
        ({"force_delete": True}, []),
        ({"agent_name": "help"}, ["agent_name"]),
    ],
)
def test_a_rollout_moves_in_place_and_is_replaced_with_its_agent(
    plugin: Plugin, change: Mapping[str, object], replaces: list[str]
) -> None:
    found = plugin.diff(ROLLOUT, ROLLOUT_INPUTS, {**ROLLOUT_INPUTS, **change}, "support")
    assert (found.changes, found.replaces) == (True, replaces)


def test_traffic_that_was_moved_elsewhere_is_a_change(plugin: Plugin) -> None:
    """Case 40: state after a refresh against what the program says."""
    drifted = {**ROLLOUT_INPUTS, "version": "3: 50 %, 4: 50 %"}
    found = plugin.diff(ROLLOUT, drifted, ROLLOUT_INPUTS, "support")
    assert (found.changes, found.replaces) == (True, [])
