"""The parts of a definition that have inputs of their own: code, telemetry and moderation.

The rows follow the service's own models [sdk 2.10]; their names on the wire are the adapter's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from foundry_agents.lifecycle.schema.enums import Runtime, known
from foundry_agents.lifecycle.schema.fields import Field, Items, Record, Report, as_url, line, shown, text, word

BUNDLED, REMOTE_BUILD = "bundled", "remote_build"
DEPENDENCY_RESOLUTIONS = (BUNDLED, REMOTE_BUILD)
"""Who installs the dependencies of a code package [sdk]."""

TELEMETRY_DATA = ("ContainerStdoutStderr", "ContainerOtel", "Metrics")
TELEMETRY_PROTOCOLS = ("Http", "Grpc")
CONTENT_TYPES = ("json", "text")
RESPONSE_MODES = ("non_streaming", "streaming", "both")

_SHA256 = re.compile(r"[0-9a-f]{64}")


def _sha256(path: str, raw: object, report: Report) -> str | None:
    if isinstance(raw, str) and _SHA256.fullmatch(raw):
        return raw
    report.add(path, f"{shown(raw)}: 64 hexadecimal digits, in lower case")
    return None


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


CODE = Record(
    (
        Field(
            "sha256",
            _sha256,
            "Digest of the zip; CodePackage works it out.",
            "sdk",
            required=True,
        ),
        Field(
            "runtime",
            word(known(Runtime), "runtime", 'Runtime.of("{}")'),
            "What runs it: `python_3_13`, `python_3_14`, `dotnet_10`; `Runtime.of(…)` for a newer one.",
            "docs",
            required=True,
        ),
        Field(
            "entry_point",
            Items(line, "words: a command and its arguments"),
            'Command and arguments that start it, for example `["python", "main.py"]`.',
            "sdk",
            required=True,
        ),
        Field(
            "dependency_resolution",
            word(DEPENDENCY_RESOLUTIONS, "way to get dependencies"),
            "`bundled`: the folder holds them; `remote_build`: the service installs what the folder's manifest names.",
            "sdk",
            default=BUNDLED,
        ),
    )
)

_HEADER = Record(
    (
        Field("name", line, "Name of the HTTP header.", "sdk", required=True),
        Field("secret_id", line, "Id of the connection or secret store that holds its value.", "sdk", required=True),
        Field("secret_key", line, "Key of the value in it.", "sdk", required=True),
    )
)

TELEMETRY_ENDPOINT = Record(
    (
        Field("endpoint", _collector, "URL of an OTLP collector.", "sdk", required=True),
        Field(
            "protocol",
            word(TELEMETRY_PROTOCOLS, "transport of OTLP"),
            "`Http` or `Grpc`.",
            "sdk",
            required=True,
        ),
        Field(
            "data",
            Items(word(TELEMETRY_DATA, "kind of telemetry"), "kinds of telemetry", ordered=False, may_be_empty=True),
            "What is sent: `ContainerStdoutStderr`, `ContainerOtel`, `Metrics`; an empty list sends nothing.",
            "sdk",
            required=True,
        ),
        Field("header", _HEADER, "A header with a secret of the project's, by which the collector knows us.", "sdk"),
    )
)


def _check_moderation(path: str, values: Mapping[str, object], report: Report) -> None:
    """What is needed to find the text, by the shape of requests and answers [sdk]."""
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


_SELECTOR = Record(
    (
        Field("event_type", line, "Type of the server-sent event that carries text.", "sdk", required=True),
        Field("text_field", text(), "Field of that event which holds the text.", "sdk", default="delta"),
    )
)

MODERATION = Record(
    (
        Field(
            "response_mode",
            word(RESPONSE_MODES, "shape of answers"),
            "`non_streaming`, `streaming` or `both`.",
            "sdk",
            required=True,
        ),
        Field(
            "input_content_type",
            word(CONTENT_TYPES, "content type"),
            "`json` or `text`: how a request is read.",
            "sdk",
            default="json",
        ),
        Field(
            "output_content_type",
            word(CONTENT_TYPES, "content type"),
            "`json` or `text`: how an answer is read.",
            "sdk",
            default="json",
        ),
        Field("input_paths", Items(line, "paths"), "Where a JSON request holds the user's text.", "sdk"),
        Field("output_paths", Items(line, "paths"), "Where a JSON answer holds the agent's text.", "sdk"),
        Field("stream_selectors", Items(_SELECTOR, "selectors"), "Which events of a stream hold text.", "sdk"),
    ),
    cross_check=_check_moderation,
)
