"""What a definition is on the wire, byte for byte, whichever release of the SDK sends it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
from azure.ai.projects import AIProjectClient
from azure.core.pipeline.policies import SansIOHTTPPolicy

from foundry_agents.azure import FoundryAgentService
from foundry_agents.lifecycle.inputs.version import AgentDefinition
from tests.support.golden import EXAMPLES
from tests.support.settings import values
from tests.wire.scripted_service import VERSION, Answer, AnyCredential, Script, serving

GOLDEN = Path(__file__).parent / "golden" / "bytes.json"
BYTES: Mapping[str, str] = json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def script() -> Iterator[Script]:
    with serving() as started:
        yield started


def sent(script: Script, example: str) -> str:
    """The body of the POST of an example's definition."""
    script.says(Answer(200, VERSION))
    inputs = EXAMPLES[example]["inputs"]
    assert isinstance(inputs, Mapping)
    definition = AgentDefinition.from_values(values(inputs))
    with AIProjectClient(script.url, AnyCredential(), authentication_policy=SansIOHTTPPolicy()) as client:
        FoundryAgentService(client, script.url).create_version("support", definition, definition.metadata or {})
    return script.asked[0].raw.decode()


def test_there_are_20_golden_definitions() -> None:
    """Case 77."""
    assert len(BYTES) == 20


@pytest.mark.parametrize("example", BYTES)
def test_a_definition_is_the_same_bytes_on_the_wire(script: Script, example: str) -> None:
    """Case 77: recorded with SDK 2.10.0, which is the oldest that is supported. azure-sdk-for-python#47476"""
    assert sent(script, example) == BYTES[example], f"azure-ai-projects {version('azure-ai-projects')}"
