"""Load, refuse or deploy the settings of a stack in a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from stacks import program
from stacks.settings import Settings, SettingsError, load
from tests.support.program import Run, run


def loaded(
    agents: object = None,
    *,
    location: str = "eastus2",
    registry_name: str = "",
    environ: Mapping[str, str] | None = None,
    secret: bool = False,
    secret_key: bool = True,
    **more: object,
) -> Settings:
    """Return the settings of a stack's file with these values."""
    config = {"location": location, "registryName": registry_name}
    config |= {key: value if isinstance(value, str) else json.dumps(value) for key, value in more.items()}
    if agents is not None:
        config["agents"] = agents if isinstance(agents, str) else json.dumps(agents)
    found: list[Settings] = []

    def program() -> None:
        found.append(load(pulumi.Config("foundry-agents"), environ or {}))

    run(
        program,
        config={f"foundry-agents:{key}": value for key, value in config.items() if value},
        secret_config=("foundry-agents:agents",) * secret + ("foundry-agents:fingerprintKey",) * secret_key,
    )
    return found[0]


def problems(agents: object = None, *, location: str = "eastus2", **more: Any) -> list[str]:
    """Return the problems of a stack's file with these values; there must be some."""
    with pytest.raises(SettingsError) as caught:
        loaded(agents, location=location, **more)
    first, *lines = str(caught.value).splitlines()
    assert first == f"{len(lines)} problem{'s' if len(lines) > 1 else ''} in stacks/Pulumi.dev.yaml"
    return [line.removeprefix("  ") for line in lines]


def deployed(
    agents: object,
    published: Mapping[str, Mapping[str, object]] | None = None,
    answers: Mapping[str, Mapping[str, object]] | None = None,
    **more: object,
) -> Run:
    """Return what the program declares, given the contracts of other stacks and the outputs of resources."""
    config = {"location": "eastus2", "agents": agents, **more}
    pulumi_config = {
        f"foundry-agents:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }
    return run(
        program.deploy,
        config=pulumi_config,
        secret_config=("foundry-agents:fingerprintKey",),
        published=published,
        answers=answers,
    )


def is_secret(value: pulumi.Output[str]) -> bool:
    """Return whether Pulumi keeps a value secret."""

    def program() -> Mapping[str, pulumi.Input[object]]:
        async def secretness() -> bool:
            return await value.is_secret()

        found: pulumi.Output[bool] = pulumi.Output.from_input(secretness())
        return {"secret": found}

    return run(program).outputs == {"secret": True}
