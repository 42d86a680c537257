"""A version that exists is described by inputs, or refused by the name of what this release has no input for."""

from __future__ import annotations

from typing import Any

import pytest

from foundry_agents.lifecycle.existing import inputs_of
from foundry_agents.lifecycle.failure.errors import InputError
from tests.support.settings import ENDPOINT, IMAGE, OWNER, seen


def _with_auth(auth: dict[str, Any]) -> dict[str, Any]:
    endpoint = {"kind": "OTLP", "endpoint": "https://otel.example.com:4318", "protocol": "Http", "data": ["Metrics"]}
    return {
        "kind": "hosted",
        "container_configuration": {"image": IMAGE},
        "telemetry_config": {"endpoints": [{**endpoint, "auth": auth}]},
    }


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
