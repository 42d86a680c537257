"""A stack with a project, a registry and an agent with tools, and what a preview of it would do."""

from __future__ import annotations

import json
from typing import Any

from tests.support.harness import Project

SHOP = """
import pulumi
import foundry_agents as fa

config = pulumi.Config()
protected = pulumi.ResourceOptions(protect=config.get_bool("protect"))
project = fa.FoundryProject(
    "shop",
    location="eastus2",
    project_name=config.get("project") or "shop",
    models=[fa.ModelDeployment("gpt-4.1-mini", version="2025-04-14")],
    app_insights=fa.AppInsights(),
    tags=config.get_object("tags"),
    display_name=config.get("displayName"),
    description=config.get("description"),
    opts=protected,
)
registry = fa.AgentRegistry(
    "images",
    pulled_by=project,
    registry_name=config.require("registry"),
    connect=True,
    tags=config.get_object("registryTags"),
    opts=protected,
)
fa.HostedAgent(
    "support",
    project=project,
    image=fa.AgentImage.pinned(config.require("image"), registry=registry),
    tools=[fa.CodeInterpreter()],
    pull_role_budget_s=0,
    timeout_s=60,
    poll_interval_s=0.2,
    opts=protected,
)
"""


def configure(here: Project, **settings: Any) -> None:
    """Write the stack's settings; image, registry and protection stay as they are unless they are among them."""
    kept: dict[str, Any] = {key: here.config[key] for key in ("image", "registry", "protect") if key in here.config}
    here.config = {**kept, **settings}
    here.write_config()


def planned_by(project: Project) -> dict[str, str]:
    """Return what a preview would do, by the resources' names; it has to succeed."""
    output = project.preview("--json").succeeded().output
    steps = json.loads(output[output.index("{") :])["steps"]
    verbs = {step["urn"].rpartition("::")[2]: step["op"] for step in steps}
    return {
        name: "replace" if "replace" in verb else verb
        for name, verb in verbs.items()
        if verb not in {"same", "read", "refresh"}
    }
