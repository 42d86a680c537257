"""ToolboxVersion: one immutable version of a toolbox, with the tools that agents call over MCP.

Inputs and outputs are the rows of ``lifecycle/inputs/toolbox.py``; check and diff follow from them (``TableProvider``),
with each tool as a property of its own. A changed tool replaces the version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.service_errors import ServiceError, SignInError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata, hashed
from foundry_agents.lifecycle.inputs.tool_rules import by_name
from foundry_agents.lifecycle.inputs.toolbox import TOOLBOX_FIELDS, ToolboxInputs, ToolboxOutputs
from foundry_agents.lifecycle.ownership import Identity, toolbox_identity, version_of_toolbox
from foundry_agents.lifecycle.polling import PollSettings, SystemClock
from foundry_agents.lifecycle.schema.lists import list_or_as_is
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
from foundry_agents.resources._plugin import plain_arguments as plain
from foundry_agents.resources._plugin import run_record
from foundry_agents.resources._plugin.boundary import is_unknown, progress_on, readable_errors, warn_on
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import owner_of_this_stack, reject_duplicate, row_of
from foundry_agents.resources._plugin.readable import without_secrets
from foundry_agents.resources._plugin.retired import warn_if_kept
from foundry_agents.resources._plugin.run_effects import short_urn
from foundry_agents.resources._plugin.table_provider import Compared, TableProvider, owner_of, refuse_forced_name
from foundry_agents.resources._plugin.tool_payloads import HasPayload, api_payloads

TYPE = "pulumi-python:dynamic/foundry:ToolboxVersion"

TOOL = "tool:"
"""Before the name of each tool among the properties. A preview names top-level properties and nothing below them, so
each tool is one: `[diff: +tool:docs]` instead of `[diff: ~tools]`."""


class ToolboxVersion(Resource, module="foundry", name="ToolboxVersion"):
    """One immutable version of a toolbox.

    A changed tool makes a new version; tools that this stack has posted before are adopted instead of posted again.
    A version is deleted with its resource, as soon as no kept version of an agent calls it; with the last version the
    toolbox is deleted.

    Attributes:
        version: Its number, in text: "2".
        version_id: "support:2".
        service_id: The service's own id of it; None in state of a release that did not keep it.
        created_at: Seconds since 1970.
        endpoint: Where exactly this version is served over MCP.
        default_endpoint: Where the toolbox's default version is served.
        fingerprint: Hash of the tools, description and metadata; secret, as short texts could be guessed from it.
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
        tools: Sequence[HasPayload | Mapping[str, Any]],
        description: Input[str] | None = None,
        metadata: Input[Mapping[str, Input[str]]] | None = None,
        promote: Input[bool] | None = None,
        take_over: Input[bool] | None = None,
        readable: Sequence[str] = (),
        timeout_s: Input[float] | None = None,
        chosen: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the version; every input is described in the reference of ToolboxVersion.

        Raises:
            pulumi.RunError: The toolbox is declared twice, an argument or a tool is none, or a secret would become
                readable in it; the text names every problem.
        """
        subject = plain.subject_of("ToolboxVersion", resource_name)
        plain.reject_problems(subject, plain.texts(resource_name=resource_name))
        named = by_name(api_payloads(tools, may_be_raw=True))
        reject_duplicate(resource_name, project_endpoint, toolbox_name, kind="toolbox", name_input="toolbox_name")
        unset = TOOLBOX_FIELDS.unset()
        del unset["tools"]  # each is a property of its own
        props: dict[str, Any] = {
            **unset,
            "project_endpoint": project_endpoint,
            "toolbox_name": toolbox_name,
            "description": description,
            "metadata": metadata,
            "promote": promote,
            "take_over": take_over,
            "timeout_s": timeout_s,
            "readable": list_or_as_is(readable) or None,
            "owner": without_secrets(
                owner_of_this_stack(),
                f'toolbox "{resource_name}"',
                "put it into a ProjectConnection and name that (connection=…)",
                {"tools": named, "description": description, "metadata": metadata},
            ),
            "chosen": ["owner", *chosen],
            "urn": row_of(resource_name, TYPE, opts),
            **{f"{TOOL}{name}": tool for name, tool in named.items()},
        }
        super().__init__(ToolboxVersionProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


class ToolboxVersionProvider(TableProvider):
    """Create-or-adopt, read and delete of a version. The import path is in users' state: never move it."""

    table = TOOLBOX_FIELDS

    def compared(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Compared:
        """Return how inputs differ from state, tool by tool. Pure."""
        found = super().compared(olds, news)
        if "tools" not in found.replaces:
            return found
        others = [name for name in found.replaces if name != "tools"]
        return Compared(found.changed, [*others, *_changed(self._tools(olds), self._tools(news))])

    def gathered(self, props: Mapping[str, Any]) -> dict[str, Any]:
        """Return the bag with its tools under one name, as the table has it. Pure."""
        tools = {key.removeprefix(TOOL): value for key, value in props.items() if key.startswith(TOOL)}
        return {**{key: value for key, value in props.items() if not key.startswith(TOOL)}, "tools": tools}

    def spread(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values with each tool under a name of its own, as state has it. Pure."""
        tools = {f"{TOOL}{name}": tool for name, tool in values.get("tools", {}).items()}
        return {**{key: value for key, value in values.items() if key != "tools"}, **tools}

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make sure that a version with these tools exists, and is the default where that is asked for."""
        inputs = self._read(props)
        values, urn = inputs.canonical(), short_urn(inputs.urn)
        plan = ToolboxPlan(
            toolbox=inputs.toolbox_name,
            tools=inputs.tools,
            ownership=OwnershipMetadata(_fingerprint(inputs), inputs.owner),
            patience=_poll_settings(inputs),
            description=inputs.description,
            metadata=inputs.metadata,
            promote=inputs.promote,
            take_over=inputs.take_over,
            former_owners=owner_of(inputs).former,
            before_new=partial(
                refuse_forced_name, inputs, inputs.toolbox_name, "toolbox_name", 'Toolbox(…, toolbox_name="…")'
            ),
            claim=run_record.claim_identity(values, type(self).__name__, urn),
        )
        made = create_or_adopt(
            _service_of(inputs.project_endpoint),
            plan,
            SystemClock(),
            progress_on(inputs.urn),
            partial(warn_on, inputs.urn),
        )
        run_record.record_live(values, urn, made.view.id, toolbox_identity([made.view]))
        inputs = replace(inputs, former_owners=sorted(made.owner.former) or inputs.former_owners)
        return CreateResult(made.view.id, self.state(inputs, _outputs(made.view, inputs)))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return whether the version is there and still the default; gone only on a definite 404 of the version.

        What can't be read stays as it is in state, with a warning.
        """
        inputs = self._read(props)
        toolbox, version = inputs.toolbox_name, _version_in(id_)
        try:
            service = _service_of(inputs.project_endpoint)
            seen = service.get_version(toolbox, version)
            default = service.default_version(toolbox) if seen else None
        except (ServiceError, SignInError) as error:
            return self.unread_state(id_, props, error)
        if seen is None:
            return ReadResult("", {})
        # A default that someone else chose shows as a change of `promote`.
        shown = replace(inputs, promote=inputs.promote and default == version)
        return ReadResult(id_, self.state(shown, _outputs(seen, inputs)), inputs=self.spread(shown.canonical()))

    @readable_errors
    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Make the version the default again."""
        inputs = self._read(news)
        if inputs.promote:
            make_default(
                _service_of(inputs.project_endpoint),
                inputs.toolbox_name,
                _version_in(id_),
                progress_on(inputs.urn),
                clock=SystemClock(),
                patience=_poll_settings(inputs),
            )
        return UpdateResult(self.updated_state(inputs, olds))

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Delete this and older versions, except those used by an agent version or by this run."""
        inputs = self._read(props)
        values = inputs.canonical()
        claim = self.claim(props, values)
        if run_record.is_live(values, id_, claim):
            return
        became, reason = retire(
            _service_of(inputs.project_endpoint),
            inputs.toolbox_name,
            _version_in(id_),
            owner=owner_of(inputs),
            claim=claim,
            fresh=set(map(_version_in, run_record.live_ids(values, claim.run))),
            clock=SystemClock(),
            patience=_poll_settings(inputs),
            progress=progress_on(inputs.urn),
        )
        warn_if_kept(inputs.urn, f"toolbox {id_}", became, reason)

    def identity_in(self, props: Mapping[str, object]) -> Identity:
        """Return the identity of the toolbox, as state has it."""
        known = TOOLBOX_FIELDS.read_outputs(props)
        return version_of_toolbox(known.version_id, known.created_at, known.service_id or "")

    def _read(self, props: Mapping[str, Any]) -> ToolboxInputs:
        return TOOLBOX_FIELDS.read(self.gathered(props))

    def _tools(self, props: Mapping[str, Any]) -> Mapping[str, object]:
        """Return the tools by their names in state; their values need not be known yet."""
        values, _ = TOOLBOX_FIELDS.normalise({"tools": self.gathered(props)["tools"]}, is_unknown)
        return {name: tool for name, tool in self.spread(values).items() if name.startswith(TOOL)}


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _outputs(version: ToolboxVersionView, inputs: ToolboxInputs) -> ToolboxOutputs:
    project, toolbox = inputs.project_endpoint, version.toolbox
    return ToolboxOutputs(
        version=version.version,
        version_id=version.id,
        service_id=version.service_id or None,
        created_at=version.created_at,
        endpoint=endpoint_of(project, toolbox, version.version),
        default_endpoint=default_endpoint_of(project, toolbox),
        fingerprint=_fingerprint(inputs),
    )


def _fingerprint(inputs: ToolboxInputs) -> str:
    return hashed(TOOLBOX_FIELDS.described(inputs.canonical()))


def _poll_settings(inputs: ToolboxInputs) -> PollSettings:
    return PollSettings(inputs.timeout_s, 5)


def _service_of(project_endpoint: str) -> ToolboxService:
    """Return the data plane of a project. Imports the Azure SDK, which takes seconds: never in check or diff."""
    from foundry_agents.azure import toolbox_service  # noqa: PLC0415 (late on purpose)

    return toolbox_service(project_endpoint)


def _version_in(resource_id: str) -> str:
    return resource_id.rpartition(":")[2]
