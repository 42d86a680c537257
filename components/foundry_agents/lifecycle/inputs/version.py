"""What a hosted agent's version is: its inputs, and the definition they make.

The table below is the one truth about the inputs of ``HostedAgentVersion``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from foundry_agents.lifecycle.inputs import rules, version_parts
from foundry_agents.lifecycle.schema.fields import (
    ACCEPT_NEW,
    Field,
    FieldTable,
    Items,
    OnChange,
    flag,
    line,
    number,
    switch,
    text,
)


@dataclass(frozen=True)
class Tier:
    """A size that a hosted agent runs in.

    Attributes:
        cpu: Cores, as text: "0.5", "1", "2".
        memory: Gibibytes, as text: "1Gi", "2Gi", "4Gi".
        accept_new: True lets a pair through that this release does not know; the service then decides.
    """

    cpu: str = "1"
    memory: str = "2Gi"
    accept_new: bool = False

    @classmethod
    def of(cls, cpu: str, memory: str) -> Tier:
        """A tier that is newer than this release, for example ``Tier.of("4", "8Gi")``."""
        return cls(cpu, memory, accept_new=True)


@dataclass(frozen=True)
class AgentDefinition:
    """What is asked of the service: the canonical form of a version, without names and marks.

    Attributes:
        image: ``registry/repository@sha256:…``; None for a code agent.
        code: The input ``code`` in canonical form; None for an image agent.
        cpu: Cores, as text.
        memory: For example "2Gi".
        protocols: Version by protocol name.
        environment: Variables of the container; values may be secret.
        session_idle_timeout_s: Seconds until an idle session is put to sleep; None leaves it to the service.
        registry_connection: Name or id of the project's connection for a private registry that is not ACR.
        memory_snapshot: Sessions start from a snapshot of the initialised process.
        rai_policy: Name of the Responsible AI policy to apply.
        rai_moderation: The input ``rai_moderation`` in canonical form.
        telemetry: The input ``telemetry`` in canonical form.
        description: At most 512 characters; "" is unset.
        metadata: The user's own pairs.
        archive: The zip that ``code`` is the digest of, open for reading; there only while a version is posted.
    """

    cpu: str
    memory: str
    protocols: Mapping[str, str]
    environment: Mapping[str, str]
    image: str | None = None
    code: Mapping[str, Any] | None = None
    session_idle_timeout_s: int | None = None
    registry_connection: str | None = None
    memory_snapshot: bool = False
    rai_policy: str | None = None
    rai_moderation: Mapping[str, Any] | None = None
    telemetry: Sequence[Mapping[str, Any]] = ()
    description: str = ""
    metadata: Mapping[str, str] | None = None
    archive: BinaryIO | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> AgentDefinition:
        """Makes it from canonical values of VERSION_FIELDS that have no problem."""
        names = cls.__dataclass_fields__
        given = {name: value for name, value in values.items() if name in names}
        given.setdefault("environment", {})
        return cls(**given)  # type: ignore[arg-type]  # the table has checked every value


_Row = Field[object]

IDENTITY_FIELDS: tuple[_Row, ...] = (
    Field(
        "project_endpoint",
        rules.project_endpoint,
        "The project's data plane, `https://….services.ai.azure.com/api/projects/NAME`; take it from the project's "
        "output, never build it from names.",
        "sdk: no token over plain http",
        required=True,
        identity=True,
    ),
    Field(
        "agent_name",
        rules.agent_name,
        "Name of the agent in its project: 1 to 63 letters, digits, hyphens.",
        "sdk, azd",
        required=True,
        identity=True,
    ),
)
"""Which agent; shared by every resource that concerns one."""

OURS_FIELDS: tuple[_Row, ...] = (
    Field(
        "owner",
        rules.owner,
        "The stack that manages the agent, `organization/project/stack`; set for you.",
        "ours",
        on_change=OnChange.IGNORE,
        required=True,
    ),
    Field(
        "former_owners",
        Items(line, "owners", ordered=False),
        "Owners whose things this stack has taken over (`take_over`); set for you.",
        "ours",
        on_change=OnChange.IGNORE,
    ),
    Field(
        "chosen",
        Items(line, "names of inputs", ordered=False),
        "Inputs that the library has chosen, such as an agent's name after its component: they stay as they were "
        "first, whatever the stack and the component are called now; set for you.",
        "ours",
        on_change=OnChange.IGNORE,
    ),
    Field("urn", text(), "Row on which progress is shown; set for you.", "ours", on_change=OnChange.IGNORE),
    Field(
        "force_delete",
        flag,
        "Delete although sessions are active: they are ended.",
        "sdk: force on delete",
        # Deletes see what is in state, so a change must get there; it sends nothing.
        on_change=OnChange.UPDATE,
        default=False,
    ),
)
"""How we work; never a request of its own."""

VERSION_FIELDS = FieldTable(
    "the agent's settings",
    (
        *IDENTITY_FIELDS,
        Field(
            "image",
            rules.image,
            "Container image, linux/amd64, pinned by digest: `registry/repository@sha256:…`. Exactly one of image and "
            "code is given.",
            "docs; pinning is ours",
        ),
        Field(
            "code",
            version_parts.CODE,
            "Code package instead of an image: what CodePackage makes of a folder.",
            "sdk, docs",
        ),
        Field(
            "cpu",
            rules.cpu,
            "Cores, together with memory one of the tiers 0.5/1Gi, 1/2Gi, 2/4Gi.",
            "docs, azd",
            default="1",
        ),
        Field("memory", rules.memory, "Gibibytes, for example `2Gi`; goes with cpu.", "docs, azd", default="2Gi"),
        Field(
            "protocols",
            rules.protocols,
            "Version of each protocol that the container speaks.",
            "sdk, docs",
            default={"responses": "2.0.0"},
        ),
        Field(
            "environment",
            rules.environment,
            "Variables of the container. Names that the platform sets itself are refused.",
            "docs, azd",
            secret=True,
        ),
        Field(
            "session_idle_timeout_s",
            number(least=300, most=3600, whole=True, unit=" s"),
            "Seconds until an idle session is put to sleep.",
            "azd; other sources allow a little more",
        ),
        Field(
            "registry_connection",
            text(),
            "Name or id of the project's connection that has the credentials of a private registry; not for ACR, which "
            "the project's identity pulls from.",
            "sdk, docs",
        ),
        Field(
            "memory_snapshot",
            switch,
            "Start sessions from a snapshot of the initialised process instead of from the image.",
            "sdk 2.10",
        ),
        Field("rai_policy", text(), "Name of the Responsible AI policy to apply.", "sdk"),
        Field(
            "rai_moderation",
            version_parts.MODERATION,
            "Where requests and answers of the protocol `invocations` hold text, so that the policy can look at it; "
            "without this it does not see that protocol. Goes with rai_policy.",
            "sdk",
        ),
        Field(
            "telemetry",
            Items(version_parts.TELEMETRY_ENDPOINT, "collectors", ordered=False),
            "Collectors of your own for logs, traces and metrics of the container.",
            "sdk",
        ),
        Field("description", text(most=512), "At most 512 characters.", "service"),
        Field(
            "metadata",
            rules.metadata,
            "Up to 12 pairs of your own; name up to 64, value up to 512 characters.",
            "sdk",
        ),
        *OURS_FIELDS,
        Field(
            "kept_by_rollout",
            flag,
            "The agent's AgentRollout decides how long versions stay: a replacement deletes nothing, and the agent "
            "goes when nothing declares it any more; set by HostedAgent.",
            "ours",
            # Deletes see what is in state, so a change must get there; it sends nothing.
            on_change=OnChange.UPDATE,
            default=False,
        ),
        Field(
            "code_folder",
            text(),
            "Folder that the code package is made from, packed when a version is posted. Where it is, on this machine "
            "or another, makes no difference.",
            "ours",
            on_change=OnChange.IGNORE,
        ),
        Field(
            "fingerprint_key",
            rules.fingerprint_key,
            "With it the fingerprint, which stands in the version's metadata, can't be used to try values of secrets. "
            f"At least {rules.SHORTEST_KEY} characters, the same for ever; another one makes new versions of what is "
            "posted again.",
            "ours",
            on_change=OnChange.IGNORE,
            secret=True,
        ),
        Field(
            ACCEPT_NEW,
            Items(line, "words", ordered=False),
            "Protocols and other words of the service that this release does not know and that are meant as they are "
            "(`AgentProtocol.of`, `Runtime.of`).",
            "ours",
            on_change=OnChange.IGNORE,
        ),
        Field(
            "accept_new_tier",
            flag,
            "Let a cpu and memory pair through that this release does not know (`Tier.of`).",
            "ours",
            on_change=OnChange.IGNORE,
            default=False,
        ),
        Field(
            "check_image",
            flag,
            "Look at the image before a version is posted: its digest is in the registry, it is for linux/amd64 and "
            "says what to start. What this machine can't read is told and let through.",
            "docs",
            on_change=OnChange.IGNORE,
            default=False,
        ),
        Field(
            "start_image",
            flag,
            "Start the image on this machine's Docker daemon, with the agent's variables, before a version is posted, "
            "until it answers /readiness. Without a daemon nothing is proved, and that is told.",
            "docs",
            on_change=OnChange.IGNORE,
            default=False,
        ),
        Field(
            "pull_identity",
            text(),
            "Principal id of the project's identity, which pulls the image; named in the error when a pull fails.",
            "docs",
            on_change=OnChange.IGNORE,
        ),
        Field(
            "registry_id",
            text(),
            "ARM id of the registry; when a pull has failed its policies and roles are read there, so that the error "
            "names the cause. Set by HostedAgent.",
            "ours",
            on_change=OnChange.IGNORE,
        ),
        Field(
            "pull_role_granted_at",
            text(),
            "When the pull role was granted, as ISO 8601; set by HostedAgent.",
            "ours",
            on_change=OnChange.IGNORE,
        ),
        Field(
            "pull_role_budget_s",
            number(least=0, most=3600, unit=" s"),
            "For how long after it was granted a pull role may not be in effect: until then a version whose image "
            "could not be pulled is posted again, five times at most.",
            "azd: minutes; the figure is ours",
            on_change=OnChange.IGNORE,
            default=600,
        ),
        Field(
            "take_over",
            flag,
            "Manage an agent that exists and that this stack has not made.",
            "ours",
            on_change=OnChange.IGNORE,
            default=False,
        ),
        Field(
            "timeout_s",
            number(least=1, unit=" s"),
            "Give up waiting for `active` after this many seconds; healthy versions have taken up to 590.",
            "ours",
            on_change=OnChange.IGNORE,
            default=1200,
        ),
        Field(
            "poll_interval_s",
            number(least=0.1, most=60, unit=" s"),
            "Longest pause between two looks at a version that is being created; the first ones are shorter.",
            "ours",
            on_change=OnChange.IGNORE,
            default=5,
        ),
    ),
    cross_check=rules.check_tier,
    one_of=("image", "code"),
    requires={"rai_moderation": "rai_policy", "registry_connection": "image"},
)
"""Inputs of HostedAgentVersion."""


def fingerprinted(values: Mapping[str, object]) -> dict[str, object]:
    """The part of canonical values that makes one version differ from another."""
    return {
        row.name: values[row.name]
        for row in VERSION_FIELDS.fields
        if row.on_change is OnChange.REPLACE and not row.identity and row.name in values
    }
