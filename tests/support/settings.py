"""Good settings to start from, and shorthands for their canonical values and problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foundry_agents.lifecycle.failure.errors import Problem
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata, fingerprint
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS, AgentDefinition
from foundry_agents.lifecycle.polling import PollSettings
from foundry_agents.lifecycle.schema.fields import FieldTable
from foundry_agents.lifecycle.versions import VersionPlan
from foundry_agents.lifecycle.views import VersionView

ENDPOINT = "https://acme.services.ai.azure.com/api/projects/demo"
DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
IMAGE = f"acme.azurecr.io/support@{DIGEST}"
OWNER = "acme/agents/dev"
OTHER_OWNER = "acme/agents/prod"

GOOD: Mapping[str, object] = {
    "project_endpoint": ENDPOINT,
    "agent_name": "support",
    "image": IMAGE,
    "owner": OWNER,
}
"""The required settings and nothing else."""

FULL: Mapping[str, object] = {
    **GOOD,
    "cpu": "1",
    "memory": "2Gi",
    "protocols": {"responses": "2.0.0", "invocations": "2.0.0"},
    "environment": {"GREETING": "Hello", "TOKEN": "s3cret"},
    "session_idle_timeout_s": 900,
    "description": "Answers questions.",
    "metadata": {"team": "support"},
}
"""Every setting that describes a version."""

CODE: Mapping[str, object] = {
    "sha256": "c" * 64,
    "runtime": "python_3_13",
    "entry_point": ["python", "main.py"],
    "dependency_resolution": "bundled",
}
TELEMETRY: Sequence[Mapping[str, object]] = [
    {
        "endpoint": "https://otel.example.com:4318",
        "protocol": "Http",
        "data": ["ContainerOtel", "Metrics"],
        "header": {"name": "x-api-key", "secret_id": "otel", "secret_key": "key"},
    }
]
MODERATION: Mapping[str, object] = {
    "response_mode": "both",
    "input_content_type": "json",
    "output_content_type": "json",
    "input_paths": ["$.question"],
    "output_paths": ["$.answer"],
    "stream_selectors": [{"event_type": "delta", "text_field": "delta"}],
}
EVERYTHING: Mapping[str, object] = {
    **FULL,
    "registry_connection": "private",
    "memory_snapshot": True,
    "rai_policy": "strict",
    "rai_moderation": MODERATION,
    "telemetry": TELEMETRY,
}
"""Every setting that describes a version of an image, each in its canonical form."""

OF_CODE: Mapping[str, object] = {
    **{name: raw for name, raw in EVERYTHING.items() if name not in {"image", "registry_connection"}},
    "code": CODE,
}
"""The same for a version of code."""


def settings(**changed: object) -> dict[str, object]:
    """Return the good settings with some changed."""
    return {**GOOD, **changed}


def values(props: Mapping[str, object] = GOOD, /, **changed: object) -> dict[str, object]:
    """Return canonical values of settings that have no problem."""
    canonical, problems = VERSION_FIELDS.normalise({**props, **changed})
    assert problems == []
    return canonical


def problems(props: Mapping[str, object], table: FieldTable[Any, Any] = VERSION_FIELDS) -> list[Problem]:
    """Every problem of some settings."""
    return table.normalise(props)[1]


def problems_with(**changed: object) -> list[Problem]:
    """Return the problems of the good settings with some changed."""
    return problems(settings(**changed))


def the_problem(path: str, **changed: object) -> str:
    """Return the only problem of the good settings with some changed."""
    (problem,) = problems_with(**changed)
    assert problem.path == path
    return problem.detail


def plan(
    *,
    owner: str = OWNER,
    take_over: bool = False,
    pull_identity: str = "",
    registry_id: str = "",
    pull_grace_s: float = 0,
    patience: PollSettings | None = None,
    **changed: object,
) -> VersionPlan:
    """Return a plan for the good settings with some changed."""
    wanted = values(**changed)
    return VersionPlan(
        agent="support",
        definition=AgentDefinition.from_values(wanted),
        ownership=OwnershipMetadata(fingerprint(wanted), owner),
        patience=patience or PollSettings(timeout_s=600, interval_s=5),
        take_over=take_over,
        pull_identity=pull_identity,
        registry_id=registry_id,
        pull_grace_s=pull_grace_s,
    )


def parsed(text: str) -> str:
    """Return a text as a parser of JSON gives it: equal to a constant, and not the same object."""
    return "".join([*text])


def seen(status: str = "active", version: str = "1", **changed: object) -> VersionView:
    """Return a version as the service shows it."""
    return VersionView("support", parsed(version), parsed(status), **changed)  # type: ignore[arg-type]  # tests pass fitting types
