"""The types of inputs that are mappings: what a program may write for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from pulumi import Input


class TelemetryHeader(TypedDict):
    """A header by which a collector authenticates the agent; its value is a secret of the project."""

    name: Input[str]
    """Name of the HTTP header."""
    secret_id: Input[str]
    """Id of the connection or secret store that holds the value."""
    secret_key: Input[str]
    """Key of the value in it."""


class TelemetryEndpoint(TypedDict):
    """A collector of your own, over OTLP."""

    endpoint: Input[str]
    """URL of the collector."""
    protocol: Input[str]
    """``Http`` or ``Grpc``."""
    data: Input[Sequence[Input[str]]]
    """``ContainerStdoutStderr``, ``ContainerOtel``, ``Metrics``; an empty list sends nothing."""
    header: NotRequired[Input[TelemetryHeader]]
    """How the collector authenticates the agent."""


class StreamSelector(TypedDict):
    """Which events of a streamed answer hold text."""

    event_type: Input[str]
    """Type of the server-sent event."""
    text_field: NotRequired[Input[str]]
    """Field of the event that holds the text; default ``delta``."""


class Moderation(TypedDict):
    """Where requests and answers of the protocol ``invocations`` hold text."""

    response_mode: Input[str]
    """``non_streaming``, ``streaming`` or ``both``."""
    input_content_type: NotRequired[Input[str]]
    """``json`` (default) or ``text``."""
    output_content_type: NotRequired[Input[str]]
    """``json`` (default) or ``text``."""
    input_paths: NotRequired[Input[Sequence[Input[str]]]]
    """Where a JSON request holds the user's text."""
    output_paths: NotRequired[Input[Sequence[Input[str]]]]
    """Where a JSON answer holds the agent's text."""
    stream_selectors: NotRequired[Input[Sequence[Input[StreamSelector]]]]
    """Which events of a stream hold text."""
