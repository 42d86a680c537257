"""The rules of an agent's inputs: what each accepts, and its canonical form.

Each takes the property path, what the user wrote and a report for problems. Sources of the rules: [docs], [sdk], [azd]
(all Microsoft) and [observed], as in docs/reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from foundry_agents.lifecycle.inputs.image_reference import pin_problem, pinned
from foundry_agents.lifecycle.schema.enums import AgentProtocol, known
from foundry_agents.lifecycle.schema.parsers import as_number, as_url, matching
from foundry_agents.lifecycle.schema.report import Report, shown

RESERVED_METADATA_PREFIX = "foundry-agents."
"""Metadata keys under this prefix are ownership metadata."""

METADATA_PAIRS = 16
"""Per version [sdk]."""
OWN_METADATA_PAIRS = 4

SHORTEST_KEY = 16
"""Characters of a fingerprint's key: a key that can be guessed would hide nothing [ours]."""

TIERS: tuple[tuple[str, str], ...] = (("0.5", "1Gi"), ("1", "2Gi"), ("2", "4Gi"))
"""Pairs of cpu and memory [docs, azd]; any other pair is a 400 `bad_request` [observed]."""

PROTOCOLS = known(AgentProtocol)
"""Known protocols [sdk]."""

RESERVED_ENVIRONMENT = re.compile(r"FOUNDRY_.*|AGENT_.*|APPLICATIONINSIGHTS_CONNECTION_STRING|PORT")
"""Names that the platform sets itself [docs, azd]; the service answers 400 `invalid_payload` [observed]."""

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROTOCOL_VERSION = re.compile(r"\d+\.\d+\.\d+")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)Gi")
_PROJECT_PATH = re.compile(r".*/api/projects/[^/]+")


def project_endpoint(path: str, raw: object, report: Report) -> str | None:
    """Parse the https URL of a project's data plane."""
    url = as_url(raw)
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


agent_name = matching(
    "[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?",
    ": 1 to 63 letters, digits and hyphens, not a hyphen at either end",
)
"""Parse 1 to 63 letters, digits and hyphens [sdk, azd]."""


def image(path: str, raw: object, report: Report) -> str | None:
    """Parse ``registry/repository@sha256:…``; a tag before the digest is dropped."""
    if not isinstance(raw, str) or not raw:
        report.add(path, "must be an image reference: registry/repository@sha256:…")
        return None
    if problem := pin_problem(raw):
        report.add(path, problem)
        return None
    return pinned(raw)


def cpu(path: str, raw: object, report: Report) -> str | None:
    """Parse a number of cores into text."""
    value = as_number(raw)
    if value is None or value <= 0:
        report.add(path, f'{shown(raw)}: a number of cores, for example "1"; tiers: {_tiers()}')
        return None
    return f"{value:g}"


def memory(path: str, raw: object, report: Report) -> str | None:
    """Parse gibibytes into text."""
    match = _MEMORY.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        report.add(path, f'{shown(raw)}: gibibytes, for example "2Gi"; tiers: {_tiers()}')
        return None
    return f"{float(match[1]):g}Gi"


def protocols(path: str, raw: object, report: Report) -> dict[str, str] | None:
    """Parse versions by protocol."""
    if not isinstance(raw, Mapping):
        report.add(path, 'must map protocols to versions, for example {"responses": "2.0.0"}')
        return None
    canonical: dict[str, str] = {}
    for name, version in sorted(raw.items()):
        where = f"{path}.{name}"
        if not report.accepts(name, PROTOCOLS):
            newer = f'AgentProtocol.of("{name}")'
            report.add(where, f"is not a protocol this release knows: {', '.join(PROTOCOLS)} (a newer one: {newer})")
        if report.is_unknown(version):
            canonical[name] = version
        elif name not in PROTOCOLS and isinstance(version, str) and version:
            canonical[name] = version  # this release does not know how its versions are written
        elif not isinstance(version, str) or not _PROTOCOL_VERSION.fullmatch(version):
            # The service accepts such a value at create and refuses the first call [observed].
            report.add(
                where,
                f'{shown(version)}: a version has three parts, for example "2.0.0"; the service accepts others and '
                "refuses the first call (older guides: ProtocolVersionNotSupported)",
            )
        else:
            canonical[name] = version
    return canonical or None


def environment(path: str, raw: object, report: Report) -> dict[str, str] | None:
    """Parse variables by name; a value is never part of a problem."""
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
            reason += "; remove it, or give the variable another name"
            report.add(where, reason)
        if not report.is_unknown(value) and not isinstance(value, str):
            report.add(where, "must be text: put the value in quotes")  # the value may be secret: never shown
        else:
            canonical[name] = value
    return canonical or None


def metadata(path: str, raw: object, report: Report) -> dict[str, str] | None:
    """Parse the user's own pairs, within the service's limits [sdk]."""
    if not isinstance(raw, Mapping):
        report.add(path, "must map names to text")
        return None
    room = METADATA_PAIRS - OWN_METADATA_PAIRS
    if len(raw) > room:
        report.add(
            path,
            f"has {len(raw)} entries; at most {room} are allowed, as this library needs {OWN_METADATA_PAIRS} of the "
            f"service's {METADATA_PAIRS}",
        )
    canonical: dict[str, str] = {}
    for name, value in sorted(raw.items()):
        where = f"{path}.{name}"
        if name.startswith(RESERVED_METADATA_PREFIX):
            report.add(
                where, f"the prefix {RESERVED_METADATA_PREFIX} is reserved for this library's ownership metadata"
            )
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


def fingerprint_key(path: str, raw: object, report: Report) -> str | None:
    """Parse a secret of at least 16 characters; it is never part of a problem."""
    if isinstance(raw, str) and (not raw or len(raw) >= SHORTEST_KEY):
        return raw or None
    report.add(path, f"must be text of at least {SHORTEST_KEY} characters, such as a random password")
    return None


owner = matching(r"[^/\s]+/[^/\s]+/[^/\s]+", " must be organization/project/stack")
"""Parse ``organization/project/stack``."""


def _tiers() -> str:
    return ", ".join(f"{cpu}/{memory}" for cpu, memory in TIERS)


def check_tier(values: Mapping[str, object], report: Report) -> None:
    """Check that cpu and memory make a tier, unless the user accepts a newer one."""
    cpu, memory = values.get("cpu"), values.get("memory")
    # Absent means that it is not known yet: the choice is judged when it is.
    if values.get("accept_new_tier", True) or cpu is None or memory is None or (cpu, memory) in TIERS:
        return
    partner = dict(TIERS).get(str(cpu))
    if partner is None:
        hint = f'a newer tier: Tier.of("{cpu}", "{memory}")'
        report.add("cpu", f"{shown(cpu)}: not a tier; tiers: {_tiers()} ({hint})")
    else:
        report.add("memory", f"{shown(memory)}: cpu {cpu} requires {partner}; tiers: {_tiers()}")
