"""AgentRollout: which version of an agent serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.errors import ServiceError, SignInError
from foundry_agents.lifecycle.inputs.rollout import ROLLOUT_FIELDS
from foundry_agents.lifecycle.inputs.rollout_settings import Rollout
from foundry_agents.lifecycle.ownership import Identity
from foundry_agents.lifecycle.polling import SystemClock
from foundry_agents.lifecycle.portal import playground_url
from foundry_agents.lifecycle.rollout import RolloutPlan, roll_out
from foundry_agents.lifecycle.schema.fields import Values
from foundry_agents.lifecycle.smoke import Smoke
from foundry_agents.lifecycle.views import AgentView
from foundry_agents.resources._plugin import run_record
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import owner_of_this_stack, row_of
from foundry_agents.resources._plugin.table_provider import TableProvider, owner_in, urn_in
from foundry_agents.resources.hosted_agent_version import patience, service_of
from foundry_agents.sources.user_check import load_check

TYPE = "pulumi-python:dynamic/foundry:AgentRollout"

_HISTORY = ("previous_version", "served_versions", "kept_versions", "skipped_versions")
"""What only a rollout finds out: a read keeps it."""

_LOOKED_UP = ("serving_version", "traffic", "endpoint", "responses_url", "invocations_url", "playground_url")


class AgentRolloutProvider(TableProvider):
    """Moves traffic and shows it; deletes only old versions. Its import path is in users' state: never move it."""

    table = ROLLOUT_FIELDS

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Gives the version its traffic; an agent that serves it already is left as it is."""
        values = self.values(props)
        return CreateResult(str(values["agent_name"]), self._roll_out(values, {}))

    @readable_errors
    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Moves traffic to the version that is asked for now."""
        return UpdateResult(self._roll_out(self.values(news), olds))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Shows live traffic: a change made elsewhere appears as a change of ``version`` or ``enabled``.

        Gone only on a definite 404 of the agent; what can't be read stays as it is in state, with a warning.
        """
        values = self.values(props)
        try:
            agent = service_of(values).get_agent(id_)
        except (ServiceError, SignInError) as error:
            return self.kept(id_, props, error)
        if agent is None:
            return ReadResult("", {})
        # A paused rollout leaves traffic to whoever moves it.
        target = values["version"] if values.get("paused") else agent.routing.target
        seen = {**values, "version": target, "enabled": agent.enabled}
        history = {key: props[key] for key in _HISTORY if props.get(key) is not None}
        return ReadResult(id_, self.outputs(seen, {**_computed(values, agent), **history}), inputs=seen)

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Gives up the routing, which stays as it is: the agent goes with its version, after this."""
        del id_, props

    def _roll_out(self, values: Values, olds: Mapping[str, Any]) -> dict[str, Any]:
        served = _served(olds)
        claim = run_record.claim_identity(values, type(self).__name__, urn_in(values))
        plan = _plan(values, served, before=_number(olds.get("serving_version")), claim=claim)
        done = roll_out(service_of(values), plan, SystemClock(), progress_on(values.get("urn")))
        previous = done.previous or olds.get("previous_version")
        served = served - {*done.history.removed} | (set() if plan.paused else {plan.version})
        history = {
            "served_versions": sorted(served, key=int),
            "kept_versions": list(done.history.kept),
            "skipped_versions": [version for version, _reason in done.history.skipped],
            **({"previous_version": previous} if previous else {}),
        }
        return self.outputs(values, {**_computed(values, done.agent), **history})


def _plan(values: Values, served: set[str], *, before: str | None, claim: Callable[[Identity], None]) -> RolloutPlan:
    protocols, steps, keep = values.get("protocols"), values.get("steps"), values.get("keep_versions")
    version = str(values["version"])
    return RolloutPlan(
        agent=str(values["agent_name"]),
        version=version,
        protocols=frozenset(protocols if isinstance(protocols, list) else ()),
        patience=patience(values),
        steps=tuple(int(step) for step in steps) if isinstance(steps, list) else (),
        bake_s=float(str(values.get("bake") or 0)),
        smoke=Smoke.from_values(values.get("smoke")),
        paused=bool(values.get("paused")),
        served=frozenset(served),
        before=before,
        described=str(described) if (described := values.get("described_version")) else None,
        keep=int(str(keep)) if keep is not None else None,
        owner=owner_in(values),
        load_check=load_check,
        claim=claim,
    )


def _served(olds: Mapping[str, Any]) -> set[str]:
    """The versions that have served everything; in state of an older release the one that serves."""
    known = olds.get("served_versions")
    if isinstance(known, list):
        return {str(version) for version in known}
    return {number for number in (_number(olds.get("version")), _number(olds.get("previous_version"))) if number}


def _number(version: object) -> str | None:
    return version if isinstance(version, str) and version.isdigit() else None


class AgentRollout(Resource, module="foundry", name="AgentRollout"):
    """Which version of an agent serves: traffic goes to ``version`` by the rollout's steps, tested and proved.

    When it can't be proved, the routing that was found is put back. Destroying it gives the routing up and changes
    nothing: the agent goes with its HostedAgentVersion.

    Attributes:
        serving_version: The number that serves.
        traffic: Percent by version number, as last read.
        previous_version: The number that served before, if any.
        served_versions: Own versions that have served everything: the way back to them needs no steps.
        kept_versions: Own versions that stayed after the last rollout, newest first.
        skipped_versions: Own versions that would have gone, and are in use.
        endpoint: The agent's endpoint; protocols hang below it.
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
        """Declares the rollout; every input is described in the reference of AgentRollout.

        ``rollout`` says how traffic moves (default: all at once) and stands for the inputs ``steps``, ``bake``,
        ``smoke``, ``keep_versions``, ``paused`` and ``timeout_s``; a pinned one stands for ``version`` too.
        """
        settings = dict(rollout.inputs()) if rollout else {}
        if version is not None and "version" in settings:
            raise pulumi.RunError(
                f"{resource_name}: 2 problems in the rollout's settings\n"
                "  rollout.pinned: says which version serves, and so does version: give one of them\n"
                "  version: says which version serves, and so does rollout.pinned: give one of them"
            )
        if version is not None:
            settings["version"] = version
        if timeout_s is not None:
            settings["timeout_s"] = timeout_s
        props: dict[str, Any] = {
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
            # Declared so that a preview shows them as not known yet.
            **dict.fromkeys((*_LOOKED_UP, *_HISTORY)),
        }
        super().__init__(AgentRolloutProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


def _computed(values: Values, agent: AgentView) -> dict[str, object]:
    endpoint = f"{values['project_endpoint']}/agents/{agent.name}/endpoint"
    urls = {"responses_url": f"{endpoint}/protocols/openai/responses"}
    if "invocations" in agent.protocols:
        urls["invocations_url"] = f"{endpoint}/protocols/invocations"
    playground = playground_url(str(values.get("project_resource_id") or ""), agent.name, str(values["version"]))
    if playground:
        urls["playground_url"] = playground
    return {"serving_version": agent.routing.target, "traffic": agent.routing.shares, "endpoint": endpoint, **urls}
