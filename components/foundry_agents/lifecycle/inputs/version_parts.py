"""The parts of a definition that have entries of their own: code, telemetry and moderation.

The rows follow the service's own models [sdk 2.10]; the adapter knows their names in the API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foundry_agents.lifecycle.schema.enums import Runtime, known
from foundry_agents.lifecycle.schema.fields import Rows, row
from foundry_agents.lifecycle.schema.parsers import as_url, enum_value, non_empty, sha256_hex, text
from foundry_agents.lifecycle.schema.report import Report, shown
from foundry_agents.lifecycle.schema.shapes import Items, Record

BUNDLED, REMOTE_BUILD = "bundled", "remote_build"
DEPENDENCY_RESOLUTIONS = (BUNDLED, REMOTE_BUILD)
"""Who installs the dependencies of a code package [sdk]."""

TELEMETRY_DATA = ("ContainerStdoutStderr", "ContainerOtel", "Metrics")
TELEMETRY_PROTOCOLS = ("Http", "Grpc")
CONTENT_TYPES = ("json", "text")
RESPONSE_MODES = ("non_streaming", "streaming", "both")


def _collector(path: str, raw: object, report: Report) -> str | None:
    """A URL with a host."""
    url = as_url(raw)
    if url and (url.username or url.password):
        report.add(path, "must not hold a user or a password: it is shown; use header")
        return None
    if url is None or url.scheme not in {"http", "https"} or not url.hostname:
        report.add(path, f"{shown(raw)} is not the URL of a collector, for example https://otel.example.com:4318")
        return None
    return url.geturl()


@dataclass(frozen=True, kw_only=True)
class Code(Rows):
    """The input ``code``."""

    sha256: str = row(sha256_hex, "Digest of the zip; CodePackage computes it.", "sdk", required=True)
    runtime: str = row(
        enum_value(known(Runtime), "runtime", 'Runtime.of("{}")'),
        "What runs it: `python_3_13`, `python_3_14`, `dotnet_10`; `Runtime.of(…)` for a newer one.",
        "docs",
        required=True,
    )
    entry_point: Sequence[str] = row(
        Items(non_empty, "texts: a command and its arguments"),
        'Command and arguments that start it, for example `["python", "main.py"]`.',
        "sdk",
        required=True,
    )
    dependency_resolution: str = row(
        enum_value(DEPENDENCY_RESOLUTIONS, "way to get dependencies"),
        "`bundled`: the folder holds them; `remote_build`: the service installs what the folder's manifest names.",
        "sdk",
        default=BUNDLED,
    )


CODE = Record(Code)


@dataclass(frozen=True, kw_only=True)
class TelemetryHeader(Rows):
    """The entry ``header`` of a collector."""

    name: str = row(non_empty, "Name of the HTTP header.", "sdk", required=True)
    secret_id: str = row(non_empty, "Id of the connection or secret store that holds its value.", "sdk", required=True)
    secret_key: str = row(non_empty, "Key of the value in it.", "sdk", required=True)


@dataclass(frozen=True, kw_only=True)
class TelemetryEndpoint(Rows):
    """An item of the input ``telemetry``."""

    endpoint: str = row(_collector, "URL of an OTLP collector.", "sdk", required=True)
    protocol: str = row(enum_value(TELEMETRY_PROTOCOLS, "transport of OTLP"), "`Http` or `Grpc`.", "sdk", required=True)
    data: Sequence[str] = row(
        Items(enum_value(TELEMETRY_DATA, "kind of telemetry"), "kinds of telemetry", ordered=False, may_be_empty=True),
        "What is sent: `ContainerStdoutStderr`, `ContainerOtel`, `Metrics`; an empty list sends nothing.",
        "sdk",
        required=True,
    )
    header: Mapping[str, Any] | None = row(
        Record(TelemetryHeader),
        "A header with a secret of the project's, by which the collector authenticates the agent.",
        "sdk",
    )


TELEMETRY_ENDPOINT = Record(TelemetryEndpoint)


def _check_moderation(path: str, values: Mapping[str, object], report: Report) -> None:
    """Require what is needed to find the text, by the shape of requests and answers [sdk]."""
    streams = values["response_mode"] in {"streaming", "both"}
    whole = values["response_mode"] in {"non_streaming", "both"}
    json_in, json_out = values["input_content_type"] == "json", values["output_content_type"] == "json"
    for name, needed, when in (
        ("input_paths", json_in, "input_content_type is json"),
        ("output_paths", whole and json_out, f"response_mode is {values['response_mode']} and answers are json"),
        ("stream_selectors", streams and json_out, f"response_mode is {values['response_mode']} and answers are json"),
    ):
        if needed and name not in values:
            report.add(f"{path}.{name}", f"is required when {when}")


@dataclass(frozen=True, kw_only=True)
class StreamSelector(Rows):
    """An item of ``stream_selectors``."""

    event_type: str = row(non_empty, "Type of the server-sent event that carries text.", "sdk", required=True)
    text_field: str = row(text(), "Field of that event which holds the text.", "sdk", default="delta")


@dataclass(frozen=True, kw_only=True)
class Moderation(Rows):
    """The input ``rai_moderation``."""

    response_mode: str = row(
        enum_value(RESPONSE_MODES, "shape of answers"),
        "`non_streaming`, `streaming` or `both`.",
        "sdk",
        required=True,
    )
    input_content_type: str = row(
        enum_value(CONTENT_TYPES, "content type"), "`json` or `text`: how a request is read.", "sdk", default="json"
    )
    output_content_type: str = row(
        enum_value(CONTENT_TYPES, "content type"), "`json` or `text`: how an answer is read.", "sdk", default="json"
    )
    input_paths: Sequence[str] | None = row(
        Items(non_empty, "paths"), "Where a JSON request holds the user's text.", "sdk"
    )
    output_paths: Sequence[str] | None = row(
        Items(non_empty, "paths"), "Where a JSON answer holds the agent's text.", "sdk"
    )
    stream_selectors: Sequence[Mapping[str, Any]] | None = row(
        Items(Record(StreamSelector), "selectors"), "Which events of a stream hold text.", "sdk"
    )


MODERATION = Record(Moderation, cross_check=_check_moderation)
