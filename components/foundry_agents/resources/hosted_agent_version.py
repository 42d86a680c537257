"""HostedAgentVersion: one immutable version of a hosted agent, in state only when it is active."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pulumi
from pulumi import Input, Output
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from foundry_agents.lifecycle.failure.errors import InputError, Problem, ServiceError, SignInError
from foundry_agents.lifecycle.fingerprint import OwnershipMetadata, fingerprint, plain_fingerprint
from foundry_agents.lifecycle.images import check_image
from foundry_agents.lifecycle.inputs.version import VERSION_FIELDS, AgentDefinition
from foundry_agents.lifecycle.outcomes import Retired
from foundry_agents.lifecycle.ownership import Answer, Identity, identity, version_identity
from foundry_agents.lifecycle.polling import PollSettings, SystemClock
from foundry_agents.lifecycle.retention import remove
from foundry_agents.lifecycle.schema.enums import new_among
from foundry_agents.lifecycle.schema.fields import Values, as_number
from foundry_agents.lifecycle.service.agents import AgentService
from foundry_agents.lifecycle.service.registries import RegistryAccess
from foundry_agents.lifecycle.versions import VersionPlan, create_or_adopt, nothing_to_check, retire
from foundry_agents.lifecycle.views import VersionView
from foundry_agents.resources._plugin import run_record
from foundry_agents.resources._plugin.boundary import progress_on, readable_errors, warn_on
from foundry_agents.resources._plugin.outputs import unknown_until_made
from foundry_agents.resources._plugin.program import owner_of_this_stack, reject_duplicate, row_of
from foundry_agents.resources._plugin.registries import image_registry
from foundry_agents.resources._plugin.table_provider import TableProvider, owner_in, refuse_forced_name, text_of, urn_in
from foundry_agents.resources.inputs import Moderation, TelemetryEndpoint
from foundry_agents.sources.code_package import CodePackage, as_planned

TYPE = "pulumi-python:dynamic/foundry:HostedAgentVersion"


class HostedAgentVersionProvider(TableProvider):
    """Create-or-adopt, read and delete of a version. Its import path is in users' state: never move it."""

    table = VERSION_FIELDS
    secret_outputs = frozenset({"fingerprint"})

    @readable_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Makes sure that an active version with this definition exists."""
        values = self.values(props)
        definition = AgentDefinition.from_values(values)
        plan = VersionPlan(
            agent=text_of(values, "agent_name"),
            definition=definition,
            ownership=OwnershipMetadata(fingerprint(values), text_of(values, "owner")),
            # A version that was posted before there was a key is still known.
            also_known_as=frozenset({plain_fingerprint(values)}),
            pack=_packer(definition, text_of(values, "code_folder")),
            patience=patience(values),
            take_over=bool(values["take_over"]),
            former_owners=owner_in(values).former,
            claim=run_record.claim_identity(values, type(self).__name__, urn_in(values)),
            pull_identity=text_of(values, "pull_identity"),
            registry_id=text_of(values, "registry_id"),
            pull_grace_s=_pull_grace_s(values, datetime.now(tz=UTC)),
            before_new=partial(refuse_forced_name, values, "agent_name", 'HostedAgent(…, agent_name="…")'),
            before_post=partial(_check_image, values) if definition.image else nothing_to_check,
        )
        made = create_or_adopt(
            service_of(values), plan, SystemClock(), progress_on(values.get("urn")), registry=_registry_access()
        )
        run_record.record_live(values, urn_in(values), made.view.id, version_identity(made.view))
        if made.owner.former:
            values["former_owners"] = sorted(made.owner.former)
        return CreateResult(made.view.id, self.outputs(values, computed_outputs(made.view, values)))

    @readable_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Shows what the service says; gone only on a definite 404 of the version, or when it has failed.

        What can't be read stays as it is in state, with a warning.
        """
        values = self.values(props)
        try:
            seen = service_of(values).get_version(text_of(values, "agent_name"), _version_in(id_))
        except (ServiceError, SignInError) as error:
            return self.kept(id_, props, error)
        if seen is None or seen.status in {"failed", "deleted", "deleting"}:
            return ReadResult("", {})
        return ReadResult(id_, self.outputs(values, computed_outputs(seen, values)))

    @readable_errors
    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Takes settings of ours into state; nothing of the version itself changes, so nothing is sent."""
        computed = {key: olds[key] for key in (*_COMPUTED, *_OF_ITS_OWNER) if key in olds}
        del id_
        return UpdateResult(self.outputs(self.values(news), computed))

    @readable_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Takes the agent away when nothing declares it any more; else deletes what the resource was replaced by.

        A version that a rollout keeps stays as long as its agent is declared, and so does one that gets traffic or that
        the run has made, adopted or kept. Without proof that nothing declares the agent it stays, with a warning.
        """
        values = self.values(props)
        agent, owner, force = text_of(values, "agent_name"), owner_in(values), bool(values["force_delete"])
        claim, service = self.claim(props, values), service_of(values)
        progress, warn = progress_on(values.get("urn")), partial(warn_on, values.get("urn"))
        answer, reason = Answer.LIVES, ""
        if not claim.run.keeps:
            removed = remove(
                service, agent, owner=owner, claim=claim, force=force, clock=SystemClock(), patience=patience(values)
            )
            answer, reason = removed.answer, removed.reason
            for number in removed.serving:
                warn(f"{agent}:{number} {Retired.SERVES.value}, and others share the agent")
        if answer is Answer.STAYS:
            warn(f'agent "{agent}" stays: {reason}. To remove it, {_by_hand(values)}')
        if answer is not Answer.LIVES:
            return
        if run_record.is_replaced_with_another(values) and not claim.run.destroys:
            left = f'agent "{agent}" stays while what it depends on is replaced'
            warn(f"{left}; if the program does not declare it any more, {_by_hand(values)}")
        elif values["kept_by_rollout"]:
            progress(f"{id_} is kept: its rollout removes old versions")
        elif not run_record.is_live(values, id_, claim):
            became = retire(service, agent, _version_in(id_), owner=owner, force=force)
            say = warn if became in {Retired.SERVES, Retired.NOT_OURS} else progress
            say(f"{id_} {became.value}")

    def identity_in(self, props: Mapping[str, object]) -> Identity:
        """The agent's identity, as state has it."""
        return identity(
            guid=props.get("agent_guid"),
            principal=props.get("principal_id"),
            version=props.get("version_id"),
            created=int(as_number(props.get("created_at")) or 0),
        )


class HostedAgentVersion(Resource, module="foundry", name="HostedAgentVersion"):
    """One immutable version of a hosted agent.

    A change of any input that describes the agent makes a new version; a definition that this stack has posted before
    is adopted instead of posted again. The resource is in state only when the version is active.

    Attributes:
        version: Its number, in text: "8".
        version_id: The service's id, "support:8".
        status: As last read: "active".
        created_at: Seconds since 1970.
        principal_id: Object id of the agent's own Entra identity; the same for all its versions.
        client_id: Client id of that identity.
        agent_guid: The service's own id of the agent; None in state of a release that did not keep it.
        owner: The stack that manages the agent, under the name that it had first.
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
        code: CodePackage | None = None,
        cpu: Input[str | float] | None = None,
        memory: Input[str] | None = None,
        protocols: Input[Mapping[str, Input[str]]] | None = None,
        environment: Input[Mapping[str, Input[str]]] | None = None,
        session_idle_timeout_s: Input[int] | None = None,
        registry_connection: Input[str] | None = None,
        memory_snapshot: Input[bool] | None = None,
        rai_policy: Input[str] | None = None,
        rai_moderation: Input[Moderation] | None = None,
        telemetry: Input[Sequence[Input[TelemetryEndpoint]]] | None = None,
        description: Input[str] | None = None,
        metadata: Input[Mapping[str, Input[str]]] | None = None,
        fingerprint_key: Input[str] | None = None,
        accept_new_tier: Input[bool] | None = None,
        check_image: Input[bool] | None = None,
        start_image: Input[bool] | None = None,
        pull_identity: Input[str] | None = None,
        registry_id: Input[str] | None = None,
        pull_role_granted_at: Input[str] | None = None,
        pull_role_budget_s: Input[float] | None = None,
        take_over: Input[bool] | None = None,
        force_delete: Input[bool] | None = None,
        kept_by_rollout: Input[bool] | None = None,
        timeout_s: Input[float] | None = None,
        poll_interval_s: Input[float] | None = None,
        chosen: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the version; every input is described in the reference of HostedAgentVersion.

        Raises:
            pulumi.RunError: The agent is declared twice, or the folder of its code can't be packed.
        """
        reject_duplicate(resource_name, project_endpoint, agent_name)
        props: dict[str, Any] = {
            "project_endpoint": project_endpoint,
            "agent_name": agent_name,
            "image": image,
            "code": _digested(resource_name, code),
            "code_folder": str(code.folder) if code else None,
            "cpu": cpu,
            "memory": memory,
            "protocols": _plain_names(protocols),
            "environment": environment,
            "session_idle_timeout_s": session_idle_timeout_s,
            "registry_connection": registry_connection,
            "memory_snapshot": memory_snapshot,
            "rai_policy": rai_policy,
            "rai_moderation": rai_moderation,
            "telemetry": telemetry,
            "description": description,
            "metadata": metadata,
            "fingerprint_key": None if fingerprint_key is None else Output.secret(fingerprint_key),
            "accept_new": _newer_words(protocols, code),
            "accept_new_tier": accept_new_tier,
            "check_image": check_image,
            "start_image": start_image,
            "pull_identity": pull_identity,
            "registry_id": registry_id,
            "pull_role_granted_at": pull_role_granted_at,
            "pull_role_budget_s": pull_role_budget_s,
            "take_over": take_over,
            "force_delete": force_delete,
            "kept_by_rollout": kept_by_rollout,
            "timeout_s": timeout_s,
            "poll_interval_s": poll_interval_s,
            "owner": owner_of_this_stack(),
            "former_owners": None,
            "chosen": ["owner", *chosen],
            "urn": row_of(resource_name, TYPE, opts),
            # Declared so that a preview shows them as not known yet.
            **dict.fromkeys(_COMPUTED),
        }
        super().__init__(HostedAgentVersionProvider(), resource_name, props, opts)
        unknown_until_made(self, props)


_COMPUTED = ("version", "version_id", "status", "created_at", "principal_id", "client_id", "agent_guid", "fingerprint")

_OF_ITS_OWNER = ("owner", "former_owners")
"""Inputs whose value in state is from when the version was made."""


def computed_outputs(version: VersionView, values: Values) -> dict[str, object]:
    """What the service adds to the inputs."""
    return {
        "version": version.version,
        "version_id": version.id,
        "status": version.status,
        "created_at": version.created_at,
        "principal_id": version.principal_id,
        "client_id": version.client_id,
        "agent_guid": version.guid or None,
        "fingerprint": fingerprint(values),
    }


def service_of(values: Values) -> AgentService:
    """The data plane that the inputs name. Imports the Azure SDK, which takes seconds: never in check or diff."""
    from foundry_agents.azure import agent_service  # noqa: PLC0415 (late on purpose)

    return agent_service(text_of(values, "project_endpoint"))


def _registry_access() -> RegistryAccess:
    from foundry_agents.azure import registry_access  # noqa: PLC0415 (late on purpose)

    return registry_access()


def _check_image(values: Values) -> None:
    image, progress = text_of(values, "image"), progress_on(values.get("urn"))
    if values["check_image"]:
        check_image(image_registry(), image, progress, partial(warn_on, values.get("urn")))
    if values["start_image"]:
        from foundry_agents.docker.readiness import start_and_ask  # noqa: PLC0415 (few ask for it)

        variables = values.get("environment")
        start_and_ask(image, variables if isinstance(variables, Mapping) else {}, SystemClock(), progress)


def patience(values: Values) -> PollSettings:
    """The waiting settings among the inputs."""
    return PollSettings(float(str(values["timeout_s"])), float(str(values["poll_interval_s"])))


def _digested(resource_name: str, code: CodePackage | None) -> dict[str, object] | None:
    try:
        return code.as_input() if code else None
    except InputError as error:
        # The program's fault, told without a traceback.
        raise pulumi.RunError(f'"{resource_name}": {error}') from None


def _plain_names(protocols: Input[Mapping[str, Input[str]]] | None) -> Input[Mapping[str, Input[str]]] | None:
    """Names that ``AgentProtocol.of`` made are text to Pulumi."""
    return {str(name): version for name, version in protocols.items()} if isinstance(protocols, Mapping) else protocols


def _newer_words(protocols: object, code: CodePackage | None) -> list[str] | None:
    names = protocols if isinstance(protocols, Mapping) else ()
    return new_among([*names, code.runtime if code else None]) or None


def _packer(definition: AgentDefinition, folder: str) -> Callable[[], AbstractContextManager[BinaryIO]] | None:
    """Packs the folder of a code agent, relative to the program's, when it comes to a POST."""
    if definition.code is None:
        return None
    if not folder:
        return _nothing_to_pack
    return partial(as_planned, Path(folder), str(definition.code["sha256"]))


def _nothing_to_pack() -> AbstractContextManager[BinaryIO]:
    reason = "is required to post a code agent: no version with this definition is there to adopt"
    raise InputError("the agent's code", [Problem("code_folder", reason)])


def _pull_grace_s(values: Values, now: datetime) -> float:
    """Seconds for which a pull role may still not be in effect; 0 when nobody says when it was granted."""
    try:
        granted = datetime.fromisoformat(text_of(values, "pull_role_granted_at"))
    except ValueError:
        return 0.0
    granted = granted if granted.tzinfo else granted.replace(tzinfo=UTC)
    return max(0.0, float(str(values["pull_role_budget_s"])) - (now - granted).total_seconds())


def _by_hand(values: Values) -> str:
    where = f"{values['project_endpoint']}/agents/{values['agent_name']}?api-version=v1"
    return f"delete it by hand, in the portal or by DELETE {where}"


def _version_in(resource_id: str) -> str:
    return resource_id.rpartition(":")[2]
