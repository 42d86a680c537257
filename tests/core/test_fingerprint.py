"""The hash that identifies a version, and the ownership metadata that holds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from foundry_agents.lifecycle.fingerprint import MANAGED_BY, SCHEMA, OwnershipMetadata, fingerprint, plain_fingerprint
from foundry_agents.lifecycle.inputs.rules import OWN_METADATA_PAIRS, RESERVED_METADATA_PREFIX
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS
from foundry_agents.lifecycle.schema.fields import OnChange
from tests.support.golden import EXAMPLES, GOLDEN, PRINT_ALL
from tests.support.settings import CODE, DIGEST, FULL, GOOD, MODERATION, OF_CODE, OWNER, TELEMETRY, seen, values

HASH_SEEDS = 20


def _inputs(example: str) -> Mapping[str, object]:
    inputs = EXAMPLES[example]["inputs"]
    assert isinstance(inputs, dict)
    return inputs


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_fingerprint_is_the_one_that_users_have_in_their_versions(example: str) -> None:
    """Case 16: when this fails, every agent of every user gets a new version. Then it needs a new schema number."""
    assert fingerprint(values(_inputs(example))) == EXAMPLES[example]["fingerprint"]


def test_there_are_20_golden_fingerprints() -> None:
    """Case 16."""
    assert len(EXAMPLES) == 20


def test_different_definitions_have_different_fingerprints() -> None:
    found = [example["fingerprint"] for example in EXAMPLES.values()]
    assert len(set(map(str, found))) == len(found)


def test_the_fingerprint_is_the_same_under_20_hash_seeds() -> None:
    """Case 16: dictionaries and sets may come in another order in another process."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PRINT_ALL, str(GOLDEN)],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(1, HASH_SEEDS + 1)
    ]
    expected = {name: example["fingerprint"] for name, example in EXAMPLES.items()}
    answers = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * HASH_SEEDS
    assert [json.loads(answer) for answer in answers] == [expected] * HASH_SEEDS


@pytest.mark.parametrize("name", ["environment", "metadata", "protocols"])
def test_the_order_of_keys_does_not_count(name: str) -> None:
    """Case 16."""
    content = {"responses": "1.0.0", "invocations": "2.0.0", "activity": "3.0.0"}
    one, other = values(FULL, **{name: content}), values(FULL, **{name: dict(reversed(content.items()))})
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(dict(reversed(one.items()))) == fingerprint(one)


def test_it_names_its_schema_and_is_64_hexadecimal_digits() -> None:
    schema, _, digits = fingerprint(values()).partition(":")
    assert schema == SCHEMA == "v1"
    assert len(digits) == 64
    assert set(digits) <= set("0123456789abcdef")


_OTHER: Mapping[str, object] = {
    "project_endpoint": "https://other.services.ai.azure.com/api/projects/other",
    "agent_name": "other",
    "owner": "acme/agents/other",
    "urn": "urn:other",
    "former_owners": ["acme/agents/other"],
    "chosen": ["agent_name"],
    "force_delete": True,
    "kept_by_rollout": True,
    "accept_new_tier": True,
    "check_image": True,
    "start_image": True,
    "pull_identity": "other",
    "registry_id": "other",
    "pull_role_granted_at": "2026-11-23T00:00:00Z",
    "pull_role_budget_s": 7,
    "take_over": True,
    "timeout_s": 7,
    "poll_interval_s": 7,
    "code_folder": "elsewhere",
    "accept_new": ["grpc"],
}


def test_where_the_agent_is_and_how_we_work_do_not_count() -> None:
    """A definition is the same one in every project, under every name and with every patience."""
    for name, raw in _OTHER.items():
        assert fingerprint(values(FULL, **{name: raw})) == fingerprint(values(FULL)), name


def test_everything_else_counts() -> None:
    """Case 17: no field that makes a new version is left out of the hash."""
    counted = {row.name for row in VERSION_FIELDS.fields if row.name not in {*_OTHER, "fingerprint_key"}}
    changes: Mapping[str, dict[str, object]] = {
        "image": {"image": f"acme.azurecr.io/other@{DIGEST}"},
        "cpu": {"cpu": "2", "memory": "2Gi"},
        "memory": {"cpu": "1", "memory": "4Gi"},
        "protocols": {"protocols": {"responses": "2.0.1"}},
        "environment": {"environment": {"GREETING": "Hello", "TOKEN": "other"}},
        "registry_connection": {"registry_connection": "private"},
        "memory_snapshot": {"memory_snapshot": True},
        "rai_policy": {"rai_policy": "strict"},
        "session_idle_timeout_s": {"session_idle_timeout_s": 901},
        "description": {"description": "Other."},
        "metadata": {"metadata": {"team": "other"}},
        "code": {"code": CODE},
        "rai_moderation": {"rai_policy": "strict", "rai_moderation": MODERATION},
        "telemetry": {"telemetry": TELEMETRY},
    }
    assert set(changes) == counted
    assert all(row.on_change is OnChange.REPLACE for row in VERSION_FIELDS.fields if row.name in counted)
    for name, change in changes.items():
        other = VERSION_FIELDS.normalise({**FULL, **change})[0]
        assert fingerprint(other) != fingerprint(values(FULL)), name


def test_a_value_does_not_slip_into_the_neighbouring_one() -> None:
    one = values(environment={"A": "1", "B": "2"})
    other = values(environment={"A": '1","B":"2'})
    assert fingerprint(one) != fingerprint(other)


def test_a_number_that_json_does_not_have_is_no_fingerprint() -> None:
    """Else its hash would depend on how a Python spells it."""
    with pytest.raises(ValueError, match="JSON"):
        fingerprint({**values(), "session_idle_timeout_s": float("nan")})


def test_text_in_any_script_has_a_fingerprint() -> None:
    assert fingerprint(values(environment={"GREETING": "Grüezi 👋"})) != fingerprint(values())


@pytest.mark.parametrize("name", ["sha256", "runtime", "entry_point", "dependency_resolution"])
def test_every_entry_of_a_code_package_counts(name: str) -> None:
    """Case 17: a changed byte is another digest."""
    other = {"sha256": "d" * 64, "runtime": "dotnet_10", "entry_point": ["python"], "dependency_resolution": "bundled"}
    if name == "dependency_resolution":
        other[name] = "remote_build"
    assert fingerprint(values(OF_CODE, code={**CODE, name: other[name]})) != fingerprint(values(OF_CODE))


# --- Under a key ------------------------------------------------------------------------------------------------------

GUESSES = 10_000
"""All PINs of four digits (case 55)."""


def _confirmed(stored: str, others: Mapping[str, object]) -> int:
    """Return how many guesses of a PIN the stored fingerprint confirms to a reader who knows every other value."""
    guesses = (f"{number:04}" for number in range(GUESSES))
    canonical = values(others)
    return sum(fingerprint({**canonical, "environment": {"PIN": guess}}) == stored for guess in guesses)


def test_a_fingerprint_without_a_key_reveals_a_pin() -> None:
    """Case 55, why the key is there: 1 of 10,000 guesses is confirmed."""
    assert _confirmed(fingerprint(values(environment={"PIN": "4711"})), GOOD) == 1


def test_a_fingerprint_under_a_key_confirms_no_guess() -> None:
    """Case 55: the guesser holds the metadata, plain state and all other fields, and may try a key of his own."""
    stored = fingerprint(values(environment={"PIN": "4711"}, fingerprint_key="correct horse battery"))
    assert _confirmed(stored, GOOD) == 0
    assert _confirmed(stored, {**GOOD, "fingerprint_key": "another horse battery"}) == 0
    assert stored.startswith("v1k:")
    assert len(stored) == len("v1k:") + 64


def test_under_one_key_the_same_definition_has_the_same_fingerprint_and_another_has_another() -> None:
    keyed = values(FULL, fingerprint_key="correct horse battery")
    assert fingerprint(keyed) == fingerprint(values(dict(reversed(keyed.items()))))
    assert fingerprint(keyed) != fingerprint({**keyed, "cpu": "2"})
    assert fingerprint(keyed) == "v1k:bf24912d300b2d37b015db68d18dd9482a0ae517a35913b6232965ee695c9aae"


def test_the_plain_fingerprint_is_the_one_from_before_there_was_a_key() -> None:
    keyed = values(FULL, fingerprint_key="correct horse battery")
    assert plain_fingerprint(keyed) == fingerprint(values(FULL))


# --- Ownership metadata -----------------------------------------------------------------------------------------------


def test_ownership_metadata_that_is_written_is_read_back() -> None:
    ownership = OwnershipMetadata(fingerprint(values(GOOD)), OWNER, attempt=3)
    # Over the wire: equal texts, not the same ones.
    answered = json.loads(json.dumps({"team": "support", **ownership.as_metadata()}))
    assert OwnershipMetadata.of(seen(metadata=answered)) == ownership


def test_ownership_metadata_has_four_reserved_keys_and_values_that_the_service_accepts() -> None:
    """Case 63; names of at most 64 and values of at most 512 characters [sdk]."""
    longest_owner = "/".join(["o" * 100, "p" * 100, "s" * 100])
    pairs = OwnershipMetadata(fingerprint(values()), longest_owner, attempt=999).as_metadata()
    assert len(pairs) <= OWN_METADATA_PAIRS
    assert all(name.startswith(RESERVED_METADATA_PREFIX) and len(name) <= 64 for name in pairs)
    assert all(len(value) <= 512 for value in pairs.values())


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"team": "support"},
        {"foundry-agents.fingerprint": "v1:0", "foundry-agents.owner": OWNER},
        {"foundry-agents.managed-by": "someone-else", "foundry-agents.owner": OWNER},
        {"foundry-agents.managed-by": MANAGED_BY},
    ],
)
def test_a_version_of_another_tool_has_no_ownership_metadata(metadata: dict[str, str]) -> None:
    assert OwnershipMetadata.of(seen(metadata=metadata)) is None


@pytest.mark.parametrize("attempt", ["", "-1", "two", "²", "1.5"])
def test_an_attempt_that_is_no_number_counts_as_the_first(attempt: str) -> None:
    metadata = {**OwnershipMetadata("v1:0", OWNER).as_metadata(), "foundry-agents.attempt": attempt}
    assert OwnershipMetadata.of(seen(metadata=metadata)) == OwnershipMetadata("v1:0", OWNER, 1)
