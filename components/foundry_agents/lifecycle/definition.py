"""What a hosted agent's version is: its inputs, their rules, and the definition they make.

The table below is the one truth about the inputs of ``HostedAgentVersion``. Sources of the rules: service-contract
tags as in the README of docs/reference ([docs], [sdk], [azd], [observed]).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from foundry_agents.lifecycle.fields import (
    Field,
    FieldTable,
    OnChange,
    Report,
    as_number,
    flag,
    number,
    shown,
    switch,
    text,
)

RESERVED_METADATA_PREFIX = "foundry-agents."
"""Metadata keys under this prefix are our marks."""

METADATA_PAIRS = 16
"""Per version [sdk]."""
OWN_METADATA_PAIRS = 4

TIERS: tuple[tuple[str, str], ...] = (("0.5", "1Gi"), ("1", "2Gi"), ("2", "4Gi"))
"""cpu and memory go together [docs, azd]; anything else is a 400 `bad_request` [observed]."""

PROTOCOLS = (
    "a2a",
    "activity",
    "invocations",
    "invocations_ws",
    "mcp",
    "responses",
    "voice",
    "voice_conversation_engine",
)
"""Known protocols [sdk]."""

RESERVED_ENVIRONMENT = re.compile(r"FOUNDRY_.*|AGENT_.*|APPLICATIONINSIGHTS_CONNECTION_STRING|PORT")
"""Names that the platform sets itself [docs, azd]; the service answers 400 `invalid_payload` [observed]."""

_AGENT_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REPOSITORY = re.compile(r"[^/\s@]+(/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+")
_PROTOCOL_VERSION = re.compile(r"\d+\.\d+\.\d+")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)Gi")
_PROJECT_PATH = re.compile(r".*/api/projects/[^/]+")


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
        image: ``registry/repository@sha256:…``.
        cpu: Cores, as text.
        memory: For example "2Gi".
        protocols: Version by protocol name.
        environment: Variables of the container; values may be secret.
        session_idle_timeout_s: Seconds until an idle session is put to sleep; None leaves it to the service.
        registry_connection: Name or id of the project's connection for a private registry that is not ACR.
        memory_snapshot: Sessions start from a snapshot of the initialised process.
        rai_policy: Name of the Responsible AI policy to apply.
        description: At most 512 characters; "" is unset.
        metadata: The user's own pairs.
    """

    image: str
    cpu: str
    memory: str
    protocols: Mapping[str, str]
    environment: Mapping[str, str]
    session_idle_timeout_s: int | None = None
    registry_connection: str | None = None
    memory_snapshot: bool = False
    rai_policy: str | None = None
    description: str = ""
    metadata: Mapping[str, str] | None = None

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> AgentDefinition:
        """Makes it from canonical values of VERSION_FIELDS that have no problem."""
        names = cls.__dataclass_fields__
        given = {name: value for name, value in values.items() if name in names}
        given.setdefault("environment", {})
        return cls(**given)  # type: ignore[arg-type]  # the table has checked every value


def _project_endpoint(path: str, raw: object, report: Report) -> str | None:
    try:
        url = urlsplit(raw.strip()) if isinstance(raw, str) else None
    except ValueError:
        url = None
    if url is None:
        report.add(path, f"{shown(raw)} is not a URL")
        return None
    if url.scheme != "https":
        report.add(path, f"{shown(raw)} must begin with https://: a bearer token is never sent in the clear")
    elif not url.netloc or url.query or url.fragment or not _PROJECT_PATH.fullmatch(url.path.rstrip("/")):
        report.add(
            path,
            f"{shown(raw)} is not a project's endpoint: https://….services.ai.azure.com/api/projects/NAME",
        )
    return url._replace(netloc=url.netloc.lower()).geturl().rstrip("/")


def _agent_name(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and _AGENT_NAME.fullmatch(raw):
        return raw
    report.add(path, f"{shown(raw)}: 1 to 63 letters, digits and hyphens, not a hyphen at either end")
    return None


def _image(path: str, raw: object, report: Report) -> str | None:
    if not isinstance(raw, str) or not raw:
        report.add(path, "must be an image reference: registry/repository@sha256:…")
        return None
    name, _, digest = raw.partition("@")
    repository = re.sub(r":[\w.-]+$", "", name)  # a tag beside a digest is decoration: it may move, the digest can't
    if not digest:
        report.add(path, f"{shown(raw)}: a tag can move; pin the image by digest: {repository}@sha256:…")
        return None
    if not _DIGEST.fullmatch(digest):
        report.add(path, f"{shown(raw)}: a digest is sha256: and 64 hexadecimal digits")
        return None
    if not _REPOSITORY.fullmatch(repository):
        report.add(path, f"{shown(raw)}: write the registry's host and a repository in lower case before the digest")
        return None
    return f"{repository}@{digest}"


def _cpu(path: str, raw: object, report: Report) -> str | None:
    value = as_number(raw)
    if value is None or value <= 0:
        report.add(path, f'{shown(raw)}: a number of cores, for example "1"; tiers: {_tiers()}')
        return None
    return f"{value:g}"


def _memory(path: str, raw: object, report: Report) -> str | None:
    match = _MEMORY.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        report.add(path, f'{shown(raw)}: gibibytes, for example "2Gi"; tiers: {_tiers()}')
        return None
    return f"{float(match[1]):g}Gi"


def _protocols(path: str, raw: object, report: Report) -> dict[str, str] | None:
    if not isinstance(raw, Mapping):
        report.add(path, 'must map protocols to versions, for example {"responses": "2.0.0"}')
        return None
    canonical: dict[str, str] = {}
    for name, version in sorted(raw.items()):
        where = f"{path}.{name}"
        if name not in PROTOCOLS:
            report.add(where, f"is not a protocol this release knows: {', '.join(PROTOCOLS)}")
        if report.is_unknown(version):
            canonical[name] = version
        elif not isinstance(version, str) or not _PROTOCOL_VERSION.fullmatch(version):
            # The service takes such a value at create and refuses it at the first call [observed].
            report.add(
                where,
                f'{shown(version)}: a version has three parts, for example "2.0.0"; the service takes others and '
                "refuses the first call (older guides: ProtocolVersionNotSupported)",
            )
        else:
            canonical[name] = version
    return canonical or None


def _environment(path: str, raw: object, report: Report) -> dict[str, str] | None:
    if not isinstance(raw, Mapping):
        report.add(path, "must map names to text")
        return None
    canonical: dict[str, str] = {}
    for name, value in sorted(raw.items()):
        where = f"{path}.{name}"
        if not _ENVIRONMENT_NAME.fullmatch(name):
            report.add(where, "is not a variable name: letters, digits and _, not a digit first")
        elif RESERVED_ENVIRONMENT.fullmatch(name):
            prefix = next((p for p in ("FOUNDRY_", "AGENT_") if name.startswith(p)), None)
            reason = f"the prefix {prefix} is reserved by the platform" if prefix else "is set by the platform"
            report.add(where, reason)
        if not report.is_unknown(value) and not isinstance(value, str):
            report.add(where, "must be text: put the value in quotes")  # the value may be secret: never shown
        else:
            canonical[name] = value
    return canonical or None


def _metadata(path: str, raw: object, report: Report) -> dict[str, str] | None:
    if not isinstance(raw, Mapping):
        report.add(path, "must map names to text")
        return None
    room = METADATA_PAIRS - OWN_METADATA_PAIRS
    if len(raw) > room:
        report.add(
            path,
            f"has {len(raw)} entries; at most {room} fit beside the {OWN_METADATA_PAIRS} marks of this library",
        )
    canonical: dict[str, str] = {}
    for name, value in sorted(raw.items()):
        where = f"{path}.{name}"
        if name.startswith(RESERVED_METADATA_PREFIX):
            report.add(where, f"the prefix {RESERVED_METADATA_PREFIX} is reserved for this library's marks")
        if len(name) > 64:  # noqa: PLR2004 (the service's limit, named in the text)
            report.add(where, f"the name has {len(name)} characters; at most 64 are allowed")
        if report.is_unknown(value):
            canonical[name] = value
        elif not isinstance(value, str):
            report.add(where, "must be text: put the value in quotes")
        elif len(value) > 512:  # noqa: PLR2004 (the service's limit, named in the text)
            report.add(where, f"the value has {len(value)} characters; at most 512 are allowed")
        else:
            canonical[name] = value
    return canonical or None


def _owner(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and re.fullmatch(r"[^/\s]+/[^/\s]+/[^/\s]+", raw):
        return raw
    report.add(path, f"{shown(raw)} must be organization/project/stack")
    return None


def _tiers() -> str:
    return ", ".join(f"{cpu}/{memory}" for cpu, memory in TIERS)


def _check_tier(values: Mapping[str, object], report: Report) -> None:
    cpu, memory = values.get("cpu"), values.get("memory")
    # Absent means that it is not known yet: the choice is judged when it is.
    if values.get("accept_new_tier", True) or cpu is None or memory is None or (cpu, memory) in TIERS:
        return
    partner = dict(TIERS).get(str(cpu))
    if partner is None:
        hint = f'a newer tier: Tier.of("{cpu}", "{memory}")'
        report.add("cpu", f"{shown(cpu)}: not a tier; tiers: {_tiers()} ({hint})")
    else:
        report.add("memory", f"{shown(memory)}: cpu {cpu} goes with {partner}; tiers: {_tiers()}")


_Row = Field[object]
_Parse = Callable[[str, object, Report], object | None]

IDENTITY_FIELDS: tuple[_Row, ...] = (
    Field(
        "project_endpoint",
        _project_endpoint,
        "The project's data plane, `https://….services.ai.azure.com/api/projects/NAME`; take it from the project's "
        "output, never build it from names.",
        "sdk: no token over plain http",
        required=True,
        identity=True,
    ),
    Field(
        "agent_name",
        _agent_name,
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
        _owner,
        "The stack that manages the agent, `organization/project/stack`; set for you.",
        "ours",
        on_change=OnChange.IGNORE,
        required=True,
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
            _image,
            "Container image, linux/amd64, pinned by digest: `registry/repository@sha256:…`.",
            "docs; pinning is ours",
            required=True,
        ),
        Field(
            "cpu",
            _cpu,
            "Cores, together with memory one of the tiers 0.5/1Gi, 1/2Gi, 2/4Gi.",
            "docs, azd",
            default="1",
        ),
        Field("memory", _memory, "Gibibytes, for example `2Gi`; goes with cpu.", "docs, azd", default="2Gi"),
        Field(
            "protocols",
            _protocols,
            "Version of each protocol that the container speaks.",
            "sdk, docs",
            default={"responses": "2.0.0"},
        ),
        Field(
            "environment",
            _environment,
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
        Field("description", text(most=512), "At most 512 characters.", "service"),
        Field(
            "metadata",
            _metadata,
            "Up to 12 pairs of your own; name up to 64, value up to 512 characters.",
            "sdk",
        ),
        *OURS_FIELDS,
        Field(
            "accept_new_tier",
            flag,
            "Let a cpu and memory pair through that this release does not know (`Tier.of`).",
            "ours",
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
    cross_check=_check_tier,
)
"""Inputs of HostedAgentVersion."""


def fingerprinted(values: Mapping[str, object]) -> dict[str, object]:
    """The part of canonical values that makes one version differ from another."""
    return {
        row.name: values[row.name]
        for row in VERSION_FIELDS.fields
        if row.on_change is OnChange.REPLACE and not row.identity and row.name in values
    }
