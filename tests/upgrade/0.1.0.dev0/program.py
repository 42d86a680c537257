"""The program of this release's stack: every setting, no setting, and the two resources on their own."""

from __future__ import annotations

import pulumi

import foundry_agents as fa

given = pulumi.Config("given")
endpoint, image = given.require("endpoint"), given.require("image")
project = fa.FoundryProject.existing(endpoint=endpoint, principal_id=given.require("principal"))

full = fa.HostedAgent(
    "full",
    project=project,
    image=fa.AgentImage.pinned(image),
    agent_name="support",
    cpu=0.5,
    memory="1Gi",
    protocols={"responses": "2.0.0", "invocations": "2.0.0"},
    environment={"GREETING": "Hello", "TOKEN": pulumi.Output.secret("recorded-token")},
    session_idle_timeout_s=600,
    memory_snapshot=True,
    rai_policy="strict",
    description="Answers questions.",
    metadata={"team": "support"},
    pull_role_budget_s=0,
    rollout=fa.Rollout.canary([10, 50], bake="1s", keep_versions=3, smoke=fa.SmokeTest("ping", expect="ping")),
    force_delete=True,
    timeout_s=60,
    poll_interval_s=1,
)
plain = fa.HostedAgent("plain", project=project, image=fa.AgentImage.pinned(image))
alone = fa.HostedAgentVersion("alone", project_endpoint=endpoint, agent_name="alone", image=image)
fa.AgentRollout("alone", project_endpoint=endpoint, agent_name="alone", version=alone.version)
pulumi.export("endpoint", full.endpoint)
