"""ToolboxVersion: one immutable version of a toolbox, with the tools that agents call over MCP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.errors import ServiceError, SignInError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata, hashed
from foundry_agents.lifecycle.inputs.tool_rules import by_name
from foundry_agents.lifecycle.inputs.toolbox import TOOLBOX_FIELDS, described
from foundry_agents.lifecycle.outcomes import Retired
from foundry_agents.lifecycle.ownership import Identity, toolbox_identity, version_of_toolbox
from foundry_agents.lifecycle.polling import PollSettings, SystemClock
from foundry_agents.lifecycle.schema.fields import Values, as_number
from foundry_agents.lifecycle.service.toolboxes import ToolboxService
from foundry_agents.lifecycle.toolboxes import (
    ToolboxPlan,
    create_or_adopt,
    default_endpoint_of,
    endpoint_of,
    make_default,
    retire,
)
from foundry_agents.lifecycle.views import ToolboxVersionView
from foundry_agents.resources._plugin import run_record
from foundry_agents.resources._plugin.boundary import is_unknown, own_properties, progress_on, readable_errors, warn_on
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import owner_of_this_stack, reject_duplicate, row_of
from foundry_agents.resources._plugin.table_provider import TableProvider, owner_in, refuse_forced_name, text_of, urn_in

TYPE = "pulumi-python:dynamic/foundry:ToolboxVersion"

TOOL = "tool:"
"""Before the name of each tool among the properties. A preview names top-level properties and nothing below them, so
each tool is one: `[diff: +tool:docs]` instead of `[diff: ~tools]`."""

_COMPUTED = ("version", "version_id", "service_id", "created_at", "endpoint", "default_endpoint", "fingerprint")


class ToolboxVersionProvider(TableProvider):
    """Create-or-adopt, read and delete of a version. Its import path is in users' state: never move it."""

    table = TOOLBOX_FIELDS
    secret_outputs = frozenset({"fingerprint"})

    @readable_errors
    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Normalises the inputs and names every problem at once. No network."""
        checked = super().check(_gathered(olds), _gathered(news))
        return CheckResult(_spread(checked.inputs), checked.failures)

    @readable_errors
    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compares by meaning, tool by tool. No network."""
        before, after = _gathered(olds), _gathered(news)
        found = super().diff(_id, before, after)
        replaces = list(found.replaces or [])
        if "tools" in replaces:
            replaces.remove("tools")
            replaces += [f"{TOOL}{name}" for name in _changed(self._tools(before), self._tools(after))]
        return DiffResult(changes=found.changes, replaces=replaces, delete_before_replace=False)

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Makes sure that a version with these tools exists, and is the default where that is asked for."""
        values = self.values(props)
        tools = values.get("tools")
        metadata = values.get("metadata")
        plan = ToolboxPlan(
            toolbox=text_of(values, "toolbox_name"),
            tools=tools if isinstance(tools, dict) else {},
            ownership=OwnershipMetadata(_fingerprint(values), text_of(values, "owner")),
            patience=_patience(values),
            description=text_of(values, "description"),
            metadata=metadata if isinstance(metadata, dict) else None,
            promote=bool(values["promote"]),
            take_over=bool(values["take_over"]),
            former_owners=owner_in(values).former,
            before_new=partial(refuse_forced_name, values, "toolbox_name", 'Toolbox(…, toolbox_name="…")'),
            claim=run_record.claim_identity(values, type(self).__name__, urn_in(values)),
        )
        made = create_or_adopt(_service_of(values), plan, SystemClock(), progress_on(values.get("urn")))
        run_record.record_live(values, urn_in(values), made.view.id, toolbox_identity([made.view]))
        if made.owner.former:
            values["former_owners"] = sorted(made.owner.former)
        return CreateResult(made.view.id, self.outputs(values, _computed(made.view, values)))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Shows whether the version is there and still the default; gone only on a definite 404 of the version.

        What can't be read stays as it is in state, with a warning.
        """
        values = self.values(props)
        toolbox, version = text_of(values, "toolbox_name"), _version_in(id_)
        try:
            service = _service_of(values)
            seen = service.get_version(toolbox, version)
            default = service.default_version(toolbox) if seen else None
        except (ServiceError, SignInError) as error:
            return self.kept(id_, props, error)
        if seen is None:
            return ReadResult("", {})
        # Somebody else's choice of a default shows as a change of `promote`.
        shown = {**values, "promote": bool(values["promote"]) and default == version}
        outs = self.outputs(shown, _computed(seen, values))
        return ReadResult(id_, outs, inputs=_spread(shown))

    @readable_errors
    def update(self, id_: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Makes the version the default again."""
        values = self.values(news)
        if values["promote"]:
            make_default(
                _service_of(values),
                text_of(values, "toolbox_name"),
                _version_in(id_),
                progress_on(values.get("urn")),
                clock=SystemClock(),
                patience=_patience(values),
            )
        computed = {key: _olds[key] for key in (*_COMPUTED, "owner", "former_owners") if key in _olds}
        return UpdateResult(self.outputs(values, computed))

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Deletes the version and older ones, but what a version of an agent calls and what this run goes on with."""
        values = self.values(props)
        claim = self.claim(props, values)
        if run_record.is_live(values, id_, claim):
            return
        became, reason = retire(
            _service_of(values),
            text_of(values, "toolbox_name"),
            _version_in(id_),
            owner=owner_in(values),
            claim=claim,
            fresh=set(map(_version_in, run_record.live_ids(values, claim.run))),
            clock=SystemClock(),
            patience=_patience(values),
            progress=progress_on(values.get("urn")),
        )
        if became is Retired.UNPROVED:
            warn_on(values.get("urn"), f"toolbox {id_} stays: {reason}. To remove it, delete it by hand")
        elif became is Retired.NOT_OURS:
            warn_on(values.get("urn"), f"toolbox {id_} {became.value}")
        elif became is Retired.IN_USE:
            warn_on(values.get("urn"), f"toolbox {id_} {became.value}; delete it by hand when that version is gone")

    def identity_in(self, props: Mapping[str, object]) -> Identity:
        """The identity of the toolbox, as state has it."""
        created = int(as_number(props.get("created_at")) or 0)
        return version_of_toolbox(str(props.get("version_id") or ""), created, str(props.get("service_id") or ""))

    def _tools(self, gathered: dict[str, Any]) -> Mapping[str, object]:
        tools = self.table.normalise(own_properties(gathered), is_unknown)[0].get("tools")
        return tools if isinstance(tools, Mapping) else {}

    def values(self, props: dict[str, Any]) -> Values:
        """Canonical inputs from a property bag of any age."""
        return super().values(_gathered(props))

    def outputs(self, values: Values, computed: dict[str, object]) -> dict[str, Any]:
        """What goes into state."""
        return super().outputs(_spread(values), computed)


class ToolboxVersion(Resource, module="foundry", name="ToolboxVersion"):
    """One immutable version of a toolbox.

    A changed tool makes a new version; tools that this stack has posted before are adopted instead of posted again.
    A version goes when its resource does and no kept version of an agent calls it any more; the last one takes the
    toolbox along.

    Attributes:
        version: Its number, in text: "2".
        version_id: "support:2".
        service_id: The service's own id of it; None in state of a release that did not keep it.
        created_at: Seconds since 1970.
        endpoint: Where exactly this version is served over MCP.
        default_endpoint: Where the toolbox's default version is served.
        fingerprint: Hash of the tools, description and metadata; secret, in case a tool holds a secret value.
        toolbox_name: Name of the toolbox.
    """

    version: Output[str]
    version_id: Output[str]
    service_id: Output[str | None]
    created_at: Output[int]
    endpoint: Output[str]
    default_endpoint: Output[str]
    fingerprint: Output[str]
    toolbox_name: Output[str]
    project_endpoint: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        project_endpoint: Input[str],
        toolbox_name: Input[str],
        tools: Sequence[Mapping[str, Any]],
        description: Input[str] | None = None,
        metadata: Input[Mapping[str, Input[str]]] | None = None,
        promote: Input[bool] | None = None,
        take_over: Input[bool] | None = None,
        timeout_s: Input[float] | None = None,
        chosen: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the version; every input is described in the reference of ToolboxVersion."""
        reject_duplicate(resource_name, project_endpoint, toolbox_name, kind="toolbox", name_input="toolbox_name")
        props: dict[str, Any] = {
            "project_endpoint": project_endpoint,
            "toolbox_name": toolbox_name,
            "description": description,
            "metadata": metadata,
            "promote": promote,
            "take_over": take_over,
            "timeout_s": timeout_s,
            "owner": owner_of_this_stack(),
            "former_owners": None,
            "chosen": ["owner", *chosen],
            "urn": row_of(resource_name, TYPE, opts),
            **{f"{TOOL}{name}": tool for name, tool in by_name(list(tools)).items()},
            # Declared so that a preview shows them as not known yet.
            **dict.fromkeys(_COMPUTED),
        }
        super().__init__(ToolboxVersionProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


def _gathered(props: Mapping[str, Any]) -> dict[str, Any]:
    """The bag with its tools under one name, as the table has it."""
    tools = {key.removeprefix(TOOL): value for key, value in props.items() if key.startswith(TOOL)}
    return {**{key: value for key, value in props.items() if not key.startswith(TOOL)}, "tools": tools}


def _spread(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with each tool under a name of its own, as state has it."""
    tools = values.get("tools")
    spread = {f"{TOOL}{name}": tool for name, tool in tools.items()} if isinstance(tools, Mapping) else {}
    return {**{key: value for key, value in values.items() if key != "tools"}, **spread}


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _computed(version: ToolboxVersionView, values: Values) -> dict[str, object]:
    project, toolbox = text_of(values, "project_endpoint"), version.toolbox
    return {
        "version": version.version,
        "version_id": version.id,
        "service_id": version.service_id or None,
        "created_at": version.created_at,
        "endpoint": endpoint_of(project, toolbox, version.version),
        "default_endpoint": default_endpoint_of(project, toolbox),
        "fingerprint": _fingerprint(values),
    }


def _fingerprint(values: Values) -> str:
    return hashed(described(values))


def _patience(values: Values) -> PollSettings:
    return PollSettings(float(str(values["timeout_s"])), 5)


def _service_of(values: Values) -> ToolboxService:
    """The data plane that the inputs name. Imports the Azure SDK, which takes seconds: never in check or diff."""
    from foundry_agents.azure import toolbox_service  # noqa: PLC0415 (late on purpose)

    return toolbox_service(text_of(values, "project_endpoint"))


def _version_in(resource_id: str) -> str:
    return resource_id.rpartition(":")[2]
