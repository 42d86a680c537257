"""HostedAgentVersion: one immutable version of a hosted agent, in state only when it is active.

Inputs and outputs are the rows of ``lifecycle/inputs/version.py``; check and diff follow from them (``TableProvider``).
A change of what describes the version replaces it, a change of how the library works does nothing or updates state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Unpack

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.errors import InputError, Problem
from foundry_agents.lifecycle.failure.service_errors import ServiceError, SignInError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata, fingerprint, plain_fingerprint
from foundry_agents.lifecycle.images import check_image
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS, VersionInputs, VersionOutputs
from foundry_agents.lifecycle.inputs.version_parts import CODE
from foundry_agents.lifecycle.outcomes import Retired
from foundry_agents.lifecycle.ownership import Answer, Identity, identity, version_identity
from foundry_agents.lifecycle.polling import PollSettings, SystemClock
from foundry_agents.lifecycle.retention import remove
from foundry_agents.lifecycle.schema.enums import new_among
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.service.registries import RegistryAccess
from foundry_agents.lifecycle.versions import VersionPlan, create_or_adopt, nothing_to_check, retire
from foundry_agents.lifecycle.views import VersionView
from foundry_agents.resources._plugin import plain_arguments as plain
from foundry_agents.resources._plugin import run_record
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors, warn_on
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import owner_of_this_stack, reject_duplicate, row_of
from foundry_agents.resources._plugin.readable import without_secrets
from foundry_agents.resources._plugin.registries import image_registry
from foundry_agents.resources._plugin.run_effects import short_urn
from foundry_agents.resources._plugin.table_provider import TableProvider, owner_of, refuse_forced_name
from foundry_agents.resources.options import VersionOptions, reject_unknown
from foundry_agents.sources.code_package import CodePackage, as_planned

TYPE = "pulumi-python:dynamic/foundry:HostedAgentVersion"


class HostedAgentVersion(Resource, module="foundry", name="HostedAgentVersion"):
    """One immutable version of a hosted agent.

    A change of any input that describes the agent makes a new version; a definition that this stack has posted before
    is adopted instead of posted again. The resource is in state only when the version is active.

    Attributes:
        version: Its number as text: "8".
        version_id: The service's id, "support:8".
        status: As last read: "active".
        created_at: Seconds since 1970.
        principal_id: Object id of the agent's own Entra identity; the same for all its versions.
        client_id: Client id of that identity.
        agent_guid: The service's own id of the agent; None in state of a release that did not keep it.
        owner: The stack that manages the agent, under its original name.
        former_owners: Owners whose versions were taken over; None when there are none.
        fingerprint: Hash of the definition; secret, because it covers environment values.
    """

    version: Output[str]
    version_id: Output[str]
    status: Output[str]
    created_at: Output[int]
    principal_id: Output[str]
    client_id: Output[str]
    agent_guid: Output[str | None]
    owner: Output[str]
    former_owners: Output[Sequence[str] | None]
    fingerprint: Output[str]
    agent_name: Output[str]
    project_endpoint: Output[str]
    image: Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        project_endpoint: Input[str],
        agent_name: Input[str],
        image: Input[str] | None = None,
        protocols: Input[Mapping[str, Input[str]]] | None = None,
        environment: Input[Mapping[str, Input[str]]] | None = None,
        accept_new_tier: Input[bool] | None = None,
        check_image: Input[bool] | None = None,
        start_image: Input[bool] | None = None,
        pull_identity: Input[str] | None = None,
        registry_id: Input[str] | None = None,
        pull_role_granted_at: Input[str] | None = None,
        kept_by_rollout: Input[bool] | None = None,
        chosen: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
        **options: Unpack[VersionOptions],
    ) -> None:
        """Declare the version; every input is described in the reference of HostedAgentVersion.

        Raises:
            pulumi.RunError: The agent is declared twice, or the folder of its code can't be packed.
        """
        reject_unknown("HostedAgentVersion.__init__()", options)
        plain.reject_problems(
            plain.subject_of("HostedAgentVersion", resource_name),
            plain.texts(resource_name=resource_name),
            plain.one_of("code", options.get("code"), CodePackage, 'CodePackage("folder", entry_point=["python"])'),
        )
        reject_duplicate(resource_name, project_endpoint, agent_name)
        code, key = options.get("code"), options.get("fingerprint_key")
        props: dict[str, Any] = {
            **VERSION_FIELDS.unset(),
            **options,
            "project_endpoint": project_endpoint,
            "agent_name": agent_name,
            "image": image,
            "code": _digested(resource_name, code),
            "code_folder": str(code.folder) if code else None,
            "protocols": _plain_names(protocols),
            "environment": environment,
            "fingerprint_key": None if key is None else Output.secret(key),
            "accept_new": _newer_values(protocols, code),
            "accept_new_tier": accept_new_tier,
            "check_image": check_image,
            "start_image": start_image,
            "pull_identity": pull_identity,
            "registry_id": registry_id,
            "pull_role_granted_at": pull_role_granted_at,
            "kept_by_rollout": kept_by_rollout,
            "owner": without_secrets(
                owner_of_this_stack(),
                f'agent "{resource_name}"',
                "put it into a connection, and use ConnectionSecret in `environment`",
                {name: options.get(name) for name in ("description", "metadata", "telemetry")},
            ),
            "chosen": ["owner", *chosen],
            "urn": row_of(resource_name, TYPE, opts),
        }
        super().__init__(HostedAgentVersionProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


class HostedAgentVersionProvider(TableProvider):
    """Create-or-adopt, read and delete of a version. The import path is in users' state: never move it."""

    table = VERSION_FIELDS

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make sure that an active version with this definition exists."""
        inputs = VERSION_FIELDS.read(props)
        values, urn = inputs.canonical(), short_urn(inputs.urn)
        definition = inputs.definition()
        plan = VersionPlan(
            agent=inputs.agent_name,
            definition=definition,
            ownership=OwnershipMetadata(fingerprint(values), inputs.owner),
            # A version that was posted before there was a key is still known.
            also_known_as=frozenset({plain_fingerprint(values)}),
            pack=_packer(inputs),
            patience=_poll_settings(inputs),
            take_over=inputs.take_over,
            former_owners=owner_of(inputs).former,
            claim=run_record.claim_identity(values, type(self).__name__, urn),
            pull_identity=inputs.pull_identity,
            registry_id=inputs.registry_id,
            pull_grace_s=_pull_grace_s(inputs, datetime.now(tz=UTC)),
            before_new=partial(
                refuse_forced_name, inputs, inputs.agent_name, "agent_name", 'HostedAgent(…, agent_name="…")'
            ),
            before_post=partial(_check_image, inputs) if definition.image else nothing_to_check,
        )
        made = create_or_adopt(
            service_of(inputs.project_endpoint),
            plan,
            SystemClock(),
            progress_on(inputs.urn),
            registry=_registry_access(),
        )
        run_record.record_live(values, urn, made.view.id, version_identity(made.view))
        inputs = replace(inputs, former_owners=sorted(made.owner.former) or inputs.former_owners)
        return CreateResult(made.view.id, self.state(inputs, computed_outputs(made.view, inputs)))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return what the service has; gone only on a definite 404 of the version, or when it has failed.

        What can't be read stays as it is in state, with a warning.
        """
        inputs = VERSION_FIELDS.read(props)
        try:
            seen = service_of(inputs.project_endpoint).get_version(inputs.agent_name, _version_in(id_))
        except (ServiceError, SignInError) as error:
            return self.unread_state(id_, props, error)
        if seen is None or seen.status in {"failed", "deleted", "deleting"}:
            return ReadResult("", {})
        return ReadResult(id_, self.state(inputs, computed_outputs(seen, inputs)))

    @readable_errors
    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Write the library's own settings to state; the version itself does not change, so nothing is sent."""
        return UpdateResult(self.updated_state(VERSION_FIELDS.read(news), olds))

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Delete the agent when no resource declares it any more; else delete the version that was replaced.

        A version that a rollout keeps stays as long as its agent is declared, and so does one that gets traffic or that
        the run has created, adopted or kept. Without proof that no resource declares the agent it stays, with a
        warning.
        """
        inputs = VERSION_FIELDS.read(props)
        values, agent, owner = inputs.canonical(), inputs.agent_name, owner_of(inputs)
        claim, service = self.claim(props, values), service_of(inputs.project_endpoint)
        progress, warn = progress_on(inputs.urn), partial(warn_on, inputs.urn)
        answer, reason = Answer.LIVES, ""
        if not claim.run.keeps:
            removed = remove(
                service,
                agent,
                owner=owner,
                claim=claim,
                force=inputs.force_delete,
                clock=SystemClock(),
                patience=_poll_settings(inputs),
            )
            answer, reason = removed.answer, removed.reason
            for number in removed.serving:
                warn(f"{agent}:{number} {Retired.SERVES.value}, and others share the agent")
        if answer is Answer.STAYS:
            warn(f'agent "{agent}" stays: {reason}. To remove it, {_by_hand(inputs)}')
        if answer is not Answer.LIVES:
            return
        if run_record.is_replaced_with_another(values) and not claim.run.destroys:
            left = f'agent "{agent}" stays while what it depends on is replaced'
            warn(f"{left}; if the program does not declare it any more, {_by_hand(inputs)}")
        elif inputs.kept_by_rollout:
            progress(f"{id_} is kept: its rollout removes old versions")
        elif not run_record.is_live(values, id_, claim):
            became = retire(service, agent, _version_in(id_), owner=owner, force=inputs.force_delete)
            say = warn if became in {Retired.SERVES, Retired.NOT_OURS} else progress
            say(f"{id_} {became.value}")

    def identity_in(self, props: Mapping[str, object]) -> Identity:
        """Return the agent's identity, as state has it."""
        known = VERSION_FIELDS.read_outputs(props)
        return identity(
            guid=known.agent_guid, principal=known.principal_id, version=known.version_id, created=known.created_at
        )


def computed_outputs(version: VersionView, inputs: VersionInputs) -> VersionOutputs:
    """Return what the service adds to the inputs."""
    return VersionOutputs(
        version=version.version,
        version_id=version.id,
        status=version.status,
        created_at=version.created_at,
        principal_id=version.principal_id,
        client_id=version.client_id,
        agent_guid=version.guid or None,
        fingerprint=fingerprint(inputs.canonical()),
    )


def service_of(project_endpoint: str) -> AgentService:
    """Return the data plane of a project. Imports the Azure SDK, which takes seconds: never in check or diff."""
    from foundry_agents.azure import agent_service  # noqa: PLC0415 (late on purpose)

    return agent_service(project_endpoint)


def _registry_access() -> RegistryAccess:
    from foundry_agents.azure import registry_access  # noqa: PLC0415 (late on purpose)

    return registry_access()


def _poll_settings(inputs: VersionInputs) -> PollSettings:
    return PollSettings(inputs.timeout_s, inputs.poll_interval_s)


def _check_image(inputs: VersionInputs) -> None:
    image, progress = inputs.image or "", progress_on(inputs.urn)
    if inputs.check_image:
        check_image(image_registry(), image, progress, partial(warn_on, inputs.urn))
    if inputs.start_image:
        from foundry_agents.docker.readiness import start_and_ask  # noqa: PLC0415 (few ask for it)

        start_and_ask(image, inputs.environment, SystemClock(), progress)


def _digested(resource_name: str, code: CodePackage | None) -> dict[str, object] | None:
    try:
        return code.as_input() if code else None
    except InputError as error:
        # The program's fault, reported without a traceback.
        raise pulumi.RunError(f'"{resource_name}": {error}') from None


def _plain_names(protocols: Input[Mapping[str, Input[str]]] | None) -> Input[Mapping[str, Input[str]]] | None:
    """Turn names that ``AgentProtocol.of`` made into text for Pulumi."""
    return {str(name): version for name, version in protocols.items()} if isinstance(protocols, Mapping) else protocols


def _newer_values(protocols: object, code: CodePackage | None) -> list[str] | None:
    names = protocols if isinstance(protocols, Mapping) else ()
    return new_among([*names, code.runtime if code else None]) or None


def _packer(inputs: VersionInputs) -> Callable[[], AbstractContextManager[BinaryIO]] | None:
    """Return what packs the folder of a code agent, relative to the program's, when a version is posted."""
    if inputs.code is None:
        return None
    if not inputs.code_folder:
        return _nothing_to_pack
    return partial(as_planned, Path(inputs.code_folder), CODE.read(inputs.code).sha256)


def _nothing_to_pack() -> AbstractContextManager[BinaryIO]:
    reason = "is required to post a code agent: there is no version with this definition to adopt"
    raise InputError("the agent's code", [Problem("code_folder", reason)])


def _pull_grace_s(inputs: VersionInputs, now: datetime) -> float:
    """Return for how many seconds a pull role may still not be in effect; 0 when its grant has no time."""
    try:
        granted = datetime.fromisoformat(inputs.pull_role_granted_at)
    except ValueError:
        return 0.0
    granted = granted if granted.tzinfo else granted.replace(tzinfo=UTC)
    return max(0.0, inputs.pull_role_budget_s - (now - granted).total_seconds())


def _by_hand(inputs: VersionInputs) -> str:
    where = f"{inputs.project_endpoint}/agents/{inputs.agent_name}?api-version=v1"
    return f"delete it by hand, in the portal or by DELETE {where}"


def _version_in(resource_id: str) -> str:
    return resource_id.rpartition(":")[2]
