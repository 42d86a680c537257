"""AgentRollout: which version of an agent serves.

Inputs and outputs are the rows of ``lifecycle/inputs/rollout.py``; check and diff follow from them (``TableProvider``).
No change replaces a rollout: another version, or another setting with an effect of its own, updates it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.service_errors import ServiceError, SignInError
from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS, RolloutInputs, RolloutOutputs
from foundry_agents.lifecycle.inputs.rollout_settings import Rollout
from foundry_agents.lifecycle.ownership import Identity
from foundry_agents.lifecycle.polling import PollSettings, SystemClock
from foundry_agents.lifecycle.portal import playground_url
from foundry_agents.lifecycle.rollout import RolloutPlan, roll_out
from foundry_agents.lifecycle.smoke import Smoke
from foundry_agents.lifecycle.views import AgentView
from foundry_agents.resources._plugin import plain_arguments as plain
from foundry_agents.resources._plugin import run_record
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import owner_of_this_stack, row_of
from foundry_agents.resources._plugin.run_effects import short_urn
from foundry_agents.resources._plugin.table_provider import TableProvider, owner_of
from foundry_agents.resources.hosted_agent_version import service_of
from foundry_agents.sources.user_check import load_check

TYPE = "pulumi-python:dynamic/foundry:AgentRollout"


class AgentRollout(Resource, module="foundry", name="AgentRollout"):
    """Which version of an agent serves: traffic moves to ``version`` by the rollout's steps, and each step is tested.

    When a test fails, the previous routing is restored. Destroying the rollout changes nothing in the service: the
    agent is deleted with its HostedAgentVersion.

    Attributes:
        serving_version: The number that serves.
        traffic: Percent by version number, as last read.
        previous_version: The number that served before, if any.
        served_versions: Own versions that have served everything: a rollback to one of them needs no steps.
        kept_versions: Own versions that stayed after the last rollout, newest first.
        skipped_versions: Own versions beyond ``keep_versions`` that stayed because they are in use.
        endpoint: The agent's endpoint; protocols are below it.
        responses_url: Where the responses protocol is answered; an OpenAI client adds ``/responses`` to its base URL.
        invocations_url: Where the invocations protocol is answered; None when the endpoint has it switched off.
        playground_url: Where a person tries the version in the portal; None when the project's ARM id is not known.
    """

    serving_version: Output[str]
    traffic: Output[Mapping[str, int]]
    previous_version: Output[str | None]
    served_versions: Output[Sequence[str]]
    kept_versions: Output[Sequence[str]]
    skipped_versions: Output[Sequence[str]]
    endpoint: Output[str]
    responses_url: Output[str]
    invocations_url: Output[str | None]
    playground_url: Output[str | None]
    agent_name: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        project_endpoint: Input[str],
        agent_name: Input[str],
        version: Input[str] | None = None,
        rollout: Rollout | None = None,
        described_version: Input[str] | None = None,
        protocols: Input[Sequence[Input[str]]] | None = None,
        force_delete: Input[bool] | None = None,
        keep_agent: Input[bool] | None = None,
        project_resource_id: Input[str | None] | None = None,
        timeout_s: Input[float] | None = None,
        poll_interval_s: Input[float] | None = None,
        owner: Input[str] | None = None,
        former_owners: Input[Sequence[str] | None] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the rollout; every input is described in the reference of AgentRollout.

        ``rollout`` says how traffic moves (default: all at once) and sets the inputs ``steps``, ``bake``, ``smoke``,
        ``keep_versions``, ``paused`` and ``timeout_s``; a pinned one sets ``version``, too.

        Raises:
            pulumi.RunError: Both ``version`` and a pinned rollout say which version serves.
        """
        plain.reject_problems(
            plain.subject_of("AgentRollout", resource_name),
            plain.texts(resource_name=resource_name),
            plain.one_of("rollout", rollout, Rollout, "Rollout.canary([10, 50])"),
        )
        settings = dict(rollout.inputs()) if rollout else {}
        if version is not None and "version" in settings:
            raise pulumi.RunError(
                f"{resource_name}: 2 problems in the rollout's settings\n"
                "  rollout.pinned: says which version serves, and so does version: give one of them\n"
                "  version: says which version serves, and so does rollout.pinned: give one of them"
            )
        given = {"version": version, "timeout_s": timeout_s}
        settings.update({name: value for name, value in given.items() if value is not None})
        props: dict[str, Any] = {
            **ROLLOUT_FIELDS.unset(),
            "project_endpoint": project_endpoint,
            "agent_name": agent_name,
            "described_version": described_version,
            "protocols": protocols,
            "force_delete": force_delete,
            "keep_agent": keep_agent,
            "project_resource_id": project_resource_id,
            "poll_interval_s": poll_interval_s,
            **settings,
            "owner": owner_of_this_stack() if owner is None else owner,
            "former_owners": former_owners,
            "chosen": ["owner"] if owner is None else None,
            "urn": row_of(resource_name, TYPE, opts),
        }
        super().__init__(AgentRolloutProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


class AgentRolloutProvider(TableProvider):
    """Move traffic and read it; delete only old versions. The import path is in users' state: never move it."""

    table = ROLLOUT_FIELDS

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Give the version its traffic; an agent that serves it already is left as it is."""
        inputs = ROLLOUT_FIELDS.read(props)
        return CreateResult(inputs.agent_name, self._roll_out(inputs, {}))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return live traffic: a change made elsewhere appears as a change of ``version`` or ``enabled``.

        Gone only on a definite 404 of the agent; what can't be read stays as it is in state, with a warning.
        """
        inputs = ROLLOUT_FIELDS.read(props)
        try:
            agent = service_of(inputs.project_endpoint).get_agent(id_)
        except (ServiceError, SignInError) as error:
            return self.unread_state(id_, props, error)
        if agent is None:
            return ReadResult("", {})
        # A paused rollout moves no traffic, so that traffic elsewhere is no drift.
        target = inputs.version if inputs.paused else agent.routing.target
        seen = replace(inputs, version=target, enabled=agent.enabled)
        known = ROLLOUT_FIELDS.read_outputs(props)
        return ReadResult(id_, self.state(seen, _outputs(inputs, agent, known)), inputs=seen.canonical())

    @readable_errors
    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Move traffic to the version that is asked for now."""
        return UpdateResult(self._roll_out(ROLLOUT_FIELDS.read(news), olds))

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Leave the routing as it is: the agent is deleted with its version, after this."""
        del id_, props

    def _roll_out(self, inputs: RolloutInputs, olds: Mapping[str, Any]) -> dict[str, Any]:
        before = ROLLOUT_FIELDS.read_outputs(olds)
        served = _served(ROLLOUT_FIELDS.read(olds), before)
        claim = run_record.claim_identity(inputs.canonical(), type(self).__name__, short_urn(inputs.urn))
        plan = _plan(inputs, served, before=_number(before.serving_version), claim=claim)
        done = roll_out(service_of(inputs.project_endpoint), plan, SystemClock(), progress_on(inputs.urn))
        served = served - {*done.history.removed} | (set() if plan.paused else {plan.version})
        history = replace(
            before,
            previous_version=done.previous or before.previous_version,
            served_versions=sorted(served, key=int),
            kept_versions=list(done.history.kept),
            skipped_versions=[version for version, _reason in done.history.skipped],
        )
        return self.state(inputs, _outputs(inputs, done.agent, history))


def _plan(
    inputs: RolloutInputs, served: set[str], *, before: str | None, claim: Callable[[Identity], None]
) -> RolloutPlan:
    return RolloutPlan(
        agent=inputs.agent_name,
        version=inputs.version,
        protocols=frozenset(inputs.protocols),
        patience=PollSettings(inputs.timeout_s, inputs.poll_interval_s),
        steps=tuple(inputs.steps),
        bake_s=inputs.bake,
        smoke=Smoke.from_values(inputs.smoke),
        paused=inputs.paused,
        served=frozenset(served),
        before=before,
        described=inputs.described_version,
        keep=inputs.keep_versions,
        owner=owner_of(inputs),
        load_check=load_check,
        claim=claim,
    )


def _served(olds: RolloutInputs, before: RolloutOutputs) -> set[str]:
    """Return the versions that have served everything; in state of an older release the one that serves."""
    if before.served_versions is not None:
        return set(before.served_versions)
    return {number for number in (_number(olds.version), _number(before.previous_version)) if number}


def _number(version: str | None) -> str | None:
    return version if version and version.isdigit() else None


def _outputs(inputs: RolloutInputs, agent: AgentView, history: RolloutOutputs) -> RolloutOutputs:
    """Return what the agent shows now, and the history that only a rollout finds out: a read keeps it."""
    endpoint = f"{inputs.project_endpoint}/agents/{agent.name}/endpoint"
    return replace(
        history,
        serving_version=agent.routing.target,
        traffic=agent.routing.shares,
        endpoint=endpoint,
        responses_url=f"{endpoint}/protocols/openai/responses",
        invocations_url=f"{endpoint}/protocols/invocations" if "invocations" in agent.protocols else None,
        playground_url=playground_url(inputs.project_resource_id, agent.name, inputs.version) or None,
    )
