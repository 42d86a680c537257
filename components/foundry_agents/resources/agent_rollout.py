"""AgentRollout: which version of an agent serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.fields import Values
from foundry_agents.lifecycle.ports import AgentView
from foundry_agents.lifecycle.rollout import (
    ROLLOUT_FIELDS,
    RolloutPlan,
    live_target,
    remove,
    roll_out,
    traffic,
)
from foundry_agents.lifecycle.waiting import SystemClock
from foundry_agents.resources._boundary import clean, own_properties, progress_on
from foundry_agents.resources._program import owner_of_this_stack, row_of
from foundry_agents.resources._table_provider import TableProvider
from foundry_agents.resources.hosted_agent_version import patience, service_of

TYPE = "pulumi-python:dynamic/foundry:AgentRollout"


class AgentRolloutProvider(TableProvider):
    """Moves traffic, shows it, and takes the agent away. Its import path is in users' state: never move it."""

    table = ROLLOUT_FIELDS

    @clean
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Gives the version all traffic; an agent that serves it already is left as it is."""
        values = self.values(props)
        return CreateResult(str(values["agent_name"]), self._roll_out(values))

    @clean
    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Moves traffic to the version that is asked for now."""
        return UpdateResult(self._roll_out(self.values(news), before=olds.get("previous_version")))

    @clean
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Shows live traffic: a change made elsewhere appears as a change of ``version``."""
        values = self.values(props)
        agent = service_of(values).get_agent(id_)
        if agent is None:
            return ReadResult("", {})
        seen = {**values, "version": live_target(traffic(agent))}
        computed = {**_computed(values, agent), "previous_version": props.get("previous_version")}
        outs = self.outputs(seen, {key: value for key, value in computed.items() if value is not None})
        return ReadResult(id_, outs, inputs=seen)

    @clean
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Removes the agent when all its versions are this stack's, else this stack's versions."""
        values = self.values(own_properties(props))
        if not values["keep_agent"]:
            remove(service_of(values), id_, owner=str(values["owner"]), force=bool(values["force_delete"]))

    def _roll_out(self, values: Values, before: str | None = None) -> dict[str, Any]:
        protocols = values.get("protocols")
        plan = RolloutPlan(
            agent=str(values["agent_name"]),
            version=str(values["version"]),
            protocols=frozenset(protocols if isinstance(protocols, list) else ()),
            patience=patience(values),
        )
        done = roll_out(service_of(values), plan, SystemClock(), progress_on(values.get("urn")))
        computed = _computed(values, done.agent)
        previous = done.previous or before
        return self.outputs(values, {**computed, **({"previous_version": previous} if previous else {})})


class AgentRollout(Resource, module="foundry", name="AgentRollout"):
    """Which version of an agent serves: all traffic goes to ``version``, and that is proved by reading back.

    When it can't be proved, the routing that was found is put back. Destroying it removes this stack's versions, and
    the agent when no other version is left.

    Attributes:
        serving_version: The number that serves.
        traffic: Percent by version number, as last read.
        previous_version: The number that served before, if any.
        endpoint: The agent's endpoint; protocols hang below it.
        responses_url: Where the responses protocol is answered; an OpenAI client adds ``/responses`` to its base URL.
    """

    serving_version: Output[str]
    traffic: Output[Mapping[str, int]]
    previous_version: Output[str | None]
    endpoint: Output[str]
    responses_url: Output[str]
    agent_name: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        project_endpoint: Input[str],
        agent_name: Input[str],
        version: Input[str],
        protocols: Input[Sequence[Input[str]]] | None = None,
        force_delete: Input[bool] | None = None,
        keep_agent: Input[bool] | None = None,
        timeout_s: Input[float] | None = None,
        poll_interval_s: Input[float] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the rollout; every input is described in the reference of AgentRollout."""
        props: dict[str, Any] = {
            "project_endpoint": project_endpoint,
            "agent_name": agent_name,
            "version": version,
            "protocols": protocols,
            "force_delete": force_delete,
            "keep_agent": keep_agent,
            "timeout_s": timeout_s,
            "poll_interval_s": poll_interval_s,
            "owner": owner_of_this_stack(),
            "urn": row_of(resource_name, TYPE, opts),
            "serving_version": None,
            "traffic": None,
            "previous_version": None,
            "endpoint": None,
            "responses_url": None,
        }
        super().__init__(AgentRolloutProvider(), resource_name, props, opts)


def _computed(values: Values, agent: AgentView) -> dict[str, object]:
    endpoint = f"{values['project_endpoint']}/agents/{agent.name}/endpoint"
    shares = traffic(agent)
    return {
        "serving_version": live_target(shares),
        "traffic": shares,
        "endpoint": endpoint,
        "responses_url": f"{endpoint}/protocols/openai/responses",
    }
