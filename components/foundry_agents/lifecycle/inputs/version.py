"""What a hosted agent's version is: its inputs, and the definition they make.

The rows below are the only description of the inputs of ``HostedAgentVersion``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from foundry_agents.lifecycle.inputs import rules, version_parts
from foundry_agents.lifecycle.inputs.shared import Described, ForceDelete, OfAgent, Owned
from foundry_agents.lifecycle.schema.fields import FieldTable, OnChange, Rows, output, read_rows, row
from foundry_agents.lifecycle.schema.parsers import flag, non_empty, number, switch, text
from foundry_agents.lifecycle.schema.shapes import Items


@dataclass(frozen=True)
class Tier:
    """A size that a hosted agent runs in.

    Attributes:
        cpu: Cores, as text: "0.5", "1", "2".
        memory: Gibibytes, as text: "1Gi", "2Gi", "4Gi".
        accept_new: True accepts a pair that this release does not know; the service then decides.
    """

    cpu: str = "1"
    memory: str = "2Gi"
    accept_new: bool = False

    @classmethod
    def of(cls, cpu: str, memory: str) -> Tier:
        """Return a tier that is newer than this release, for example ``Tier.of("4", "8Gi")``."""
        return cls(cpu, memory, accept_new=True)


@dataclass(frozen=True, kw_only=True)
class AgentDefinition(Described):
    """What is asked of the service: the inputs that describe a version, without names and owner.

    Attributes:
        archive: The zip that ``code`` is the digest of, open for reading; set only while a version is posted.
    """

    image: str | None = row(
        rules.image,
        "Container image, linux/amd64, pinned by digest: `registry/repository@sha256:…`. Exactly one of image and "
        "code is given.",
        "docs; pinning is ours",
    )
    code: Mapping[str, Any] | None = row(
        version_parts.CODE,
        "Code package instead of an image: what CodePackage makes of a folder.",
        "sdk, docs",
    )
    cpu: str = row(
        rules.cpu,
        "Cores, together with memory one of the tiers 0.5/1Gi, 1/2Gi, 2/4Gi.",
        "docs, azd",
        default="1",
    )
    memory: str = row(rules.memory, "Gibibytes, for example `2Gi`; see cpu.", "docs, azd", default="2Gi")
    protocols: Mapping[str, str] = row(
        rules.protocols,
        "Version of each protocol that the container speaks.",
        "sdk, docs",
        default={"responses": "2.0.0"},
    )
    environment: Mapping[str, str] = row(
        rules.environment,
        "Variables of the container. Names that the platform sets itself are refused.",
        "docs, azd",
        secret=True,
        empty={},
    )
    session_idle_timeout_s: int | None = row(
        number(least=300, most=3600, whole=True, unit=" s"),
        "Seconds until an idle session is put to sleep.",
        "azd; other sources allow a little more",
    )
    registry_connection: str | None = row(
        text(),
        "Name or id of the project's connection that has the credentials of a private registry; not for ACR, which "
        "the project's identity pulls from.",
        "sdk, docs",
    )
    memory_snapshot: bool = row(
        switch,
        "Start sessions from a snapshot of the initialised process instead of from the image.",
        "sdk 2.10",
        empty=False,
    )
    rai_policy: str | None = row(text(), "Name of the Responsible AI policy to apply.", "sdk")
    rai_moderation: Mapping[str, Any] | None = row(
        version_parts.MODERATION,
        "Where requests and answers of the protocol `invocations` hold text, so that the policy can look at it; "
        "without this it does not see that protocol. Requires rai_policy.",
        "sdk",
    )
    telemetry: Sequence[Mapping[str, Any]] = row(
        Items(version_parts.TELEMETRY_ENDPOINT, "collectors", ordered=False),
        "Collectors of your own for logs, traces and metrics of the container.",
        "sdk",
        empty=(),
    )
    archive: BinaryIO | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> AgentDefinition:
        """Make it from canonical values of VERSION_FIELDS that have no problem."""
        return read_rows(cls, values)


@dataclass(frozen=True, kw_only=True)
class VersionInputs(ForceDelete, Owned, AgentDefinition, OfAgent):
    """Inputs of HostedAgentVersion."""

    kept_by_rollout: bool = row(
        flag,
        "The agent's AgentRollout decides how long versions stay: a replacement deletes nothing, and the agent "
        "is deleted when no resource declares it any more; set by HostedAgent.",
        "ours",
        # Deletes see what is in state, so a change must get there; it sends nothing.
        on_change=OnChange.UPDATE,
        default=False,
    )
    code_folder: str = row(
        text(),
        "Folder that the code package is made from, packed when a version is posted. Where it is, on this machine "
        "or another, makes no difference.",
        "ours",
        on_change=OnChange.IGNORE,
        empty="",
    )
    fingerprint_key: str | None = row(
        rules.fingerprint_key,
        "Keys the fingerprint (HMAC), which is stored in the version's metadata, so that secrets can't be guessed from "
        f"it. At least {rules.SHORTEST_KEY} characters, and the same forever: another key makes new versions of what "
        "is posted again.",
        "ours",
        on_change=OnChange.IGNORE,
        secret=True,
    )
    accept_new: Sequence[str] = row(
        Items(non_empty, "enum values", ordered=False),
        "Protocols and other enum values of the service that this release does not know and that are accepted as they "
        "are (`AgentProtocol.of`, `Runtime.of`).",
        "ours",
        on_change=OnChange.IGNORE,
        empty=(),
    )
    accept_new_tier: bool = row(
        flag,
        "Accept a pair of cpu and memory that this release does not know (`Tier.of`).",
        "ours",
        on_change=OnChange.IGNORE,
        default=False,
    )
    check_image: bool = row(
        flag,
        "Check the image before a version is posted: its digest is in the registry, it is for linux/amd64 and it "
        "says what to start. If the registry can't be read from this machine, a warning is logged and the deployment "
        "continues.",
        "docs",
        on_change=OnChange.IGNORE,
        default=False,
    )
    start_image: bool = row(
        flag,
        "Start the image on this machine's Docker daemon, with the agent's variables, before a version is posted, "
        "until it answers /readiness. Without a daemon a warning is logged and nothing is tested.",
        "docs",
        on_change=OnChange.IGNORE,
        default=False,
    )
    pull_identity: str = row(
        text(),
        "Principal id of the project's identity, which pulls the image; named in the error when a pull fails.",
        "docs",
        on_change=OnChange.IGNORE,
        empty="",
    )
    registry_id: str = row(
        text(),
        "ARM id of the registry; when a pull has failed its policies and roles are read there, so that the error "
        "names the cause. Set by HostedAgent.",
        "ours",
        on_change=OnChange.IGNORE,
        empty="",
    )
    pull_role_granted_at: str = row(
        text(),
        "When the pull role was granted, as ISO 8601; set by HostedAgent.",
        "ours",
        on_change=OnChange.IGNORE,
        empty="",
    )
    pull_role_budget_s: float = row(
        number(least=0, most=3600, unit=" s"),
        "For how long after it was granted a pull role may not be in effect yet. Until then a version whose image "
        "could not be pulled is posted again, five times at most.",
        "azd: minutes; the figure is ours",
        on_change=OnChange.IGNORE,
        default=600,
    )
    take_over: bool = row(
        flag,
        "Manage an agent that exists and that this stack has not created.",
        "ours",
        on_change=OnChange.IGNORE,
        default=False,
    )
    timeout_s: float = row(
        number(least=1, unit=" s"),
        "Give up waiting for `active` after this many seconds; healthy versions have taken up to 590.",
        "ours",
        on_change=OnChange.IGNORE,
        default=1200,
    )
    poll_interval_s: float = row(
        number(least=0.1, most=60, unit=" s"),
        "Longest pause between two reads of a version that is being created; the first ones are shorter.",
        "ours",
        on_change=OnChange.IGNORE,
        default=5,
    )

    def definition(self) -> AgentDefinition:
        """Return the part that is asked of the service."""
        return AgentDefinition.from_values(self.canonical())


@dataclass(frozen=True, kw_only=True)
class VersionOutputs(Rows):
    """Outputs of HostedAgentVersion."""

    version: str = output(text(), 'Its number, as text: `"8"`.', default="")
    version_id: str = output(text(), 'The service\'s id: `"support:8"`.', default="")
    status: str = output(text(), "As last read: `active`.", default="")
    created_at: int = output(number(least=0, whole=True), "Seconds since 1970.", default=0)
    principal_id: str = output(
        text(), "Object id of the agent's own Entra identity; the same for all its versions.", default=""
    )
    client_id: str = output(text(), "Client id of that identity.", default="")
    agent_guid: str | None = output(
        text(), "The service's own id of the agent; none in state of a release that did not keep it."
    )
    fingerprint: str = output(text(), "Hash of the definition; it covers environment values.", default="", secret=True)


VERSION_FIELDS = FieldTable(
    "the agent's settings",
    VersionInputs,
    VersionOutputs,
    cross_check=rules.check_tier,
    one_of=("image", "code"),
    requires={"rai_moderation": "rai_policy", "registry_connection": "image"},
)
"""Inputs and outputs of HostedAgentVersion."""
