"""Every component with every option on the real engine: what it sends, who may call, what it repairs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from foundry_emulator.settings import Settings
from tests.support import every_option
from tests.support.checkout import CHECKOUT
from tests.support.harness import REGISTRY, Deployment
from tests.support.sdk_models import problems_of

pytestmark = [pytest.mark.engine, pytest.mark.long]

PROGRAM = """
import pulumi

import every_option

made = every_option.deploy(image=pulumi.Config("given").require("digest"), registry_name="{registry}")
for name, value in made.items():
    pulumi.export(name, value)
"""
PIPELINE_ROLE = "8311e382-0749-4cb8-b61a-304f252e45ec"
STRANGER = "bbbbbbbb-0000-4000-8000-000000000001"


@pytest.fixture
def shop(deploy: Callable[..., Deployment]) -> Deployment:
    """A project whose program has every option; a model deployment takes a moment."""
    here = deploy(whole=True, settings=Settings(provisioning_s=0.0, deployment_s=0.3))
    digest = here.project.config["agents"]["support"]["image"].partition("@")[2]
    shutil.copy(CHECKOUT / "tests" / "support" / "every_option.py", here.project.folder)
    (here.project.folder / "__main__.py").write_text(PROGRAM.format(registry=REGISTRY), encoding="utf-8")
    here.project.config = {}
    here.project.given = {"digest": digest}
    here.project.write_config()
    return here


def test_every_option_is_deployed_repaired_and_destroyed(shop: Deployment) -> None:
    """Issue 7: what was sent fits the SDK's models, two agents share one grant, drift is fixed, and all is deleted.

    Case 65. Case 41: role, policy and project, then the registry. Case 52: one destroy, although Azure is busy with
    parents three times.
    """
    shop.project.up().succeeded()

    assert [p for body in _sent(shop) for p in problems_of(*body)] == []
    assert _refusals(shop) == []
    assert _who_may_call(shop, every_option.CALLER) == {"support": 200, "returns": 403}
    assert _who_may_call(shop, every_option.TEAM) == {"support": 200, "returns": 200}
    assert _who_may_call(shop, STRANGER) == {"support": 403, "returns": 403}
    roles = [resource for resource in _resources(shop) if "/roleAssignments/" in resource]
    assert len(roles) == 5, "pull for the project once, pull for an agent, push, invoke on the agent, on the project"

    before = len(shop.writes())
    shop.project.run("preview", "--expect-no-changes").succeeded()
    assert len(shop.writes()) == before

    _meddle(shop, roles)
    shop.project.refresh().succeeded()
    shop.project.up().succeeded()

    assert _registry(shop)["policies"]["azureADAuthenticationAsArmPolicy"]["status"] == "enabled"
    assert _who_may_call(shop, every_option.CALLER) == {"support": 200, "returns": 403}
    assert len([resource for resource in _resources(shop) if "/roleAssignments/" in resource]) == 5

    shop.azure.delete(_registry_id(shop))
    shop.project.refresh().succeeded()
    shop.project.up().succeeded()
    assert _registry(shop)["policies"]["azureADAuthenticationAsArmPolicy"]["status"] == "enabled"
    assert len([resource for resource in _resources(shop) if "/roleAssignments/" in resource]) == 5

    shop.azure.control.set(parent_busy=3)
    shop.project.destroy().succeeded()
    assert [refusal for refusal in _refusals(shop) if refusal[:3] in {"409", "412"}] == []
    state = shop.azure.control.state()
    assert (state["agents"], state["arm_resources"], state["instances"]) == (0, 0, 0)


def _sent(here: Deployment) -> list[tuple[str, dict[str, Any]]]:
    """Return type and body of every resource, as the program sent it."""
    return [(str(here.azure.get(found)["type"]), here.azure.request_of(found)) for found in _resources(here)]


def _resources(here: Deployment) -> list[str]:
    return here.azure.run(lambda: [str(resource["id"]) for resource in here.azure.emulator.arm.resources()])


def _refusals(here: Deployment) -> list[str]:
    """Return the writes that Resource Manager refused; a model deployed at the same time as another is one."""
    written = here.azure.journal(plane="arm", writes=True)
    return [f"{entry.status} {entry.path}" for entry in written if (entry.status or 500) >= 400]


def _registry_id(here: Deployment) -> str:
    return next(found for found in _resources(here) if found.endswith(f"/registries/{REGISTRY}"))


def _registry(here: Deployment) -> dict[str, Any]:
    properties = here.azure.get(_registry_id(here))["properties"]
    assert isinstance(properties, dict)
    return properties


def _who_may_call(here: Deployment, principal: str) -> dict[str, int]:
    """Return what each agent answers to a call of this principal."""
    with here.azure.client("shop", principal_id=principal) as caller:
        return {
            name: caller.post(f"agents/{name}/endpoint/protocols/openai/responses", json={"input": "?"}).status_code
            for name in ("support", "returns")
        }


def _meddle(here: Deployment, roles: list[str]) -> None:
    """Someone else deletes a role, switches a policy off, and deletes the account with its content."""
    push = next(role for role in roles if PIPELINE_ROLE in str(here.azure.get(role)))
    here.azure.delete(push)
    registry = _registry_id(here)
    body = here.azure.request_of(registry)
    body["properties"]["policies"]["azureADAuthenticationAsArmPolicy"]["status"] = "disabled"
    here.azure.put(registry, body)
    here.azure.delete(next(found for found in _resources(here) if found.endswith("/accounts/shop-account")))
