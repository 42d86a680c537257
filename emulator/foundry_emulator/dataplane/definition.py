"""Checks of an agent's definition, and the definition as the service returns it (service-contract 2.2 to 2.4, 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from foundry_emulator.dataplane.problem import bad_request, invalid, not_implemented

HOSTED = "hosted"
PROMPT = "prompt"
WORKFLOW = "workflow"
# Prompt and workflow agents are stored, returned, and active at once [recorded]; nothing here runs them.
_STORED_KINDS = frozenset({PROMPT, WORKFLOW, "external"})
_OTHER_KINDS = frozenset({"voice", "container_app"})  # kinds of the service that are not implemented here

_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_TOOLBOX_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_PREFIXES = ("FOUNDRY_", "AGENT_")
_RESERVED_NAMES = frozenset({"APPLICATIONINSIGHTS_CONNECTION_STRING", "PORT"})
_TIERS = frozenset({(Decimal("0.5"), "1Gi"), (Decimal(1), "2Gi"), (Decimal(2), "4Gi")})
_PROTOCOLS = frozenset(
    {
        "activity",
        "responses",
        "a2a",
        "mcp",
        "invocations",
        "voice",
        "invocations_ws",
        "voice_conversation_engine",
    }
)
_RUNTIMES = frozenset({"python_3_11", "python_3_12", "python_3_13", "python_3_14", "dotnet_10"})  # [sdk][docs]
_RESOLUTIONS = frozenset({"bundled", "remote_build"})  # [sdk]
_IDLE_TIMEOUT_S = (120, 14400)  # [sdk]; the bounds are uncertain
_DESCRIPTION_CHARACTERS = 512
_METADATA_PAIRS, _METADATA_KEY, _METADATA_VALUE = 16, 64, 512

_ECHO_ORDER = (
    "cpu",
    "memory",
    "environment_variables",
    "image",
    "container_configuration",
    "protocol_versions",
    "code_configuration",
)


def check_name(name: str) -> None:
    """Refuse an agent name that the service refuses, [sdk][azd]; the code is [modelled]."""
    if not _NAME.fullmatch(name):
        raise invalid(
            f"Agent name '{name}' is invalid: it must be 1 to 63 letters, digits or hyphens, "
            "beginning and ending with a letter or digit.",
            "name",
        )


def check_toolbox_name(name: str) -> None:
    """Refuse an invalid toolbox name; underscores are valid as in Microsoft's samples [sdk]. The rest: [modelled]."""
    if not _TOOLBOX_NAME.fullmatch(name):
        raise invalid(
            f"Toolbox name '{name}' is invalid: it must be 1 to 63 letters, digits, hyphens or underscores, "
            "beginning and ending with a letter or digit.",
            "name",
        )


def check_description(value: object) -> str:
    """Return the description, ``""`` when none was sent, [recorded]; at most 512 characters, [spec]."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _DESCRIPTION_CHARACTERS:
        raise invalid(f"description must be a string of at most {_DESCRIPTION_CHARACTERS} characters.", "description")
    return value


def check_metadata(value: object) -> dict[str, str]:
    """Return the metadata, ``{}`` when none was sent, [recorded]; 16 pairs, key 64, value 512, [sdk]."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > _METADATA_PAIRS:
        raise invalid(f"metadata must be an object of at most {_METADATA_PAIRS} pairs.", "metadata")
    for key, text in value.items():
        if len(key) > _METADATA_KEY or not isinstance(text, str) or len(text) > _METADATA_VALUE:
            raise invalid(
                f"metadata['{key}'] is invalid: keys have at most {_METADATA_KEY} characters, "
                f"values are strings of at most {_METADATA_VALUE}.",
                f"metadata.{key}",
            )
    return dict(value)


def check_definition(value: object, *, code_sha256: str | None = None) -> dict[str, object]:
    """Return the definition as the service returns it.

    Args:
        value: The request's ``definition``, without nulls.
        code_sha256: Digest of the uploaded zip, or None; returned as ``content_hash`` [recorded].

    Raises:
        ServiceProblem: 400 for the first problem, as the service reports one at a time; 501 for a kind
            or a source that the local Azure does not implement.
    """
    if not isinstance(value, Mapping):
        raise invalid("definition is required and must be an object.", "definition")
    kind = value.get("kind")
    if not isinstance(kind, str):
        raise invalid("definition.kind is required and must be a string.", "definition.kind")
    if kind in _STORED_KINDS and code_sha256 is None:
        return {"kind": kind, **{key: item for key, item in value.items() if key != "kind"}}
    if kind in _OTHER_KINDS:
        raise not_implemented(f"agents of kind '{kind}'")
    if kind != HOSTED:
        raise invalid(f"definition.kind {kind!r} is not a kind of agent.", "definition.kind")
    _check_source(value, code_sha256)
    _check_tier(value)
    _check_protocols(value)
    _check_environment(value.get("environment_variables"))
    _check_session_configuration(value.get("session_configuration"))
    # kind first, then the old protocol list, which is empty when the new one was sent [recorded]
    echo: dict[str, object] = {
        "kind": HOSTED,
        "container_protocol_versions": value.get("container_protocol_versions", []),
    }
    echo.update({key: value[key] for key in _ECHO_ORDER if key in value})
    echo.update({key: item for key, item in value.items() if key not in echo})
    code = echo.get("code_configuration")
    if isinstance(code, Mapping):
        echo["code_configuration"] = {**code, "content_hash": code_sha256}
    return echo


def image_of(definition: Mapping[str, object]) -> str | None:
    """Return the image reference of a hosted definition, in its new or old form."""
    container = definition.get("container_configuration")
    image = container.get("image") if isinstance(container, Mapping) else definition.get("image")
    return image if isinstance(image, str) else None


def environment_of(definition: Mapping[str, object]) -> dict[str, str]:
    """Return the agent's own environment variables."""
    variables = definition.get("environment_variables")
    return dict(variables) if isinstance(variables, Mapping) else {}


def protocols_of(definition: Mapping[str, object]) -> dict[str, str]:
    """Protocol names with their versions, from the new or the old list."""
    found: dict[str, str] = {}
    for key in ("container_protocol_versions", "protocol_versions"):
        entries = definition.get(key)
        if isinstance(entries, list):
            found.update({str(entry["protocol"]): str(entry["version"]) for entry in entries})
    return found


def idle_timeout_of(definition: Mapping[str, object]) -> int | None:
    """``session_configuration.idle_timeout_seconds``, or None when not set."""
    session = definition.get("session_configuration")
    seconds = session.get("idle_timeout_seconds") if isinstance(session, Mapping) else None
    return seconds if isinstance(seconds, int) else None


def _check_source(value: Mapping[str, object], code_sha256: str | None) -> None:
    container, code, image = (value.get(key) for key in ("container_configuration", "code_configuration", "image"))
    if (container is not None or image is not None) == (code is not None):  # [spec]
        raise invalid("Exactly one of container_configuration and code_configuration must be set.", "definition")
    if (code is not None) != (code_sha256 is not None):  # [modelled]
        raise invalid("code_configuration comes with a zip, in a multipart body, and nothing else does.", "definition")
    if code is not None:
        _check_code(code)
        return
    if container is not None and image is not None:
        raise invalid("image and container_configuration exclude each other.", "definition.image")
    if container is not None and not isinstance(container, Mapping):
        raise invalid("container_configuration must be an object.", "definition.container_configuration")
    reference = container.get("image") if isinstance(container, Mapping) else image
    if not isinstance(reference, str) or not reference.strip():
        where = "definition.image" if container is None else "definition.container_configuration.image"
        raise invalid("The container image must be a non-empty string.", where)


def _check_code(code: object) -> None:
    where = "definition.code_configuration"
    if not isinstance(code, Mapping):
        raise invalid("code_configuration must be an object.", where)
    for name, known in (("runtime", _RUNTIMES), ("dependency_resolution", _RESOLUTIONS)):
        given = code.get(name)
        if not isinstance(given, str) or given not in known:
            raise invalid(f"{name} must be one of {', '.join(sorted(known))}.", f"{where}.{name}")
    words = code.get("entry_point")
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and _is_plain(word) for word in words):
        raise invalid("entry_point must be a list of at least one string.", f"{where}.entry_point")


def _check_tier(value: Mapping[str, object]) -> None:
    cpu, memory = value.get("cpu"), value.get("memory")
    for name, size in (("cpu", cpu), ("memory", memory)):
        if not isinstance(size, str):
            raise invalid(f"{name} is required and must be a string.", f"definition.{name}")
    try:
        tier = (Decimal(str(cpu)), memory)
    except InvalidOperation:
        tier = (Decimal(0), memory)
    if tier[0].is_nan() or tier not in _TIERS:
        raise bad_request("CPU and Memory must be specified as a valid resource tier")  # [observed]


def _check_protocols(value: Mapping[str, object]) -> None:
    keys = [key for key in ("protocol_versions", "container_protocol_versions") if value.get(key)]
    if not keys:
        raise invalid("At least one protocol version is required.", "definition.protocol_versions")
    for key in ("protocol_versions", "container_protocol_versions"):
        entries = value.get(key, [])
        if not isinstance(entries, list):
            raise invalid(f"{key} must be a list.", f"definition.{key}")
        for position, entry in enumerate(entries):
            where = f"definition.{key}[{position}]"
            if not isinstance(entry, Mapping) or not isinstance(entry.get("version"), str):
                raise invalid("A protocol version has a protocol and a version, both strings.", where)
            # The version's text is not checked: an unknown one fails at the first call [observed].
            if not isinstance(entry.get("protocol"), str) or entry["protocol"] not in _PROTOCOLS:
                raise invalid(f"'{entry.get('protocol')}' is not a protocol.", f"{where}.protocol")


def _check_environment(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise invalid("environment_variables must be an object.", "environment_variables")
    for position, (name, text) in enumerate(value.items()):
        problem = _environment_problem(name, text)
        if problem is not None:
            raise invalid(problem, f"environment_variables[{position}]")  # [observed]


def _environment_problem(name: str, text: object) -> str | None:
    if name in _RESERVED_NAMES or name.startswith(_RESERVED_PREFIXES):
        return f"Environment variable '{name}' is reserved by the platform."
    if not _ENVIRONMENT_NAME.fullmatch(name):
        return f"Environment variable name '{name}' is invalid."
    if not isinstance(text, str) or not _is_plain(text):
        return f"The value of environment variable '{name}' must be a string of characters."
    return None


def _is_plain(text: str) -> bool:
    """Return whether a value fits into a process's environment: no NUL and no half of a surrogate pair."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def _check_session_configuration(value: object) -> None:
    if value is None:
        return
    where = "definition.session_configuration"
    if not isinstance(value, Mapping):
        raise invalid("session_configuration must be an object.", where)
    seconds = value.get("idle_timeout_seconds")
    low, high = _IDLE_TIMEOUT_S
    if seconds is not None and (
        isinstance(seconds, bool) or not isinstance(seconds, int) or not low <= seconds <= high
    ):
        raise invalid(f"idle_timeout_seconds must be an integer from {low} to {high}.", f"{where}.idle_timeout_seconds")
