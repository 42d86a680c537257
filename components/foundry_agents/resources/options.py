"""Options that a component and the resource below it both take, each declared once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from pulumi import Input

from foundry_agents.resources.inputs import Moderation, TelemetryEndpoint
from foundry_agents.sources.code_package import CodePackage


class VersionOptions(TypedDict, total=False):
    """The options of HostedAgent that are inputs of its HostedAgentVersion; an option that is left out is unset."""

    code: CodePackage | None
    """A folder of source that the service runs, instead of an image."""
    cpu: Input[str | float] | None
    """Cores: "0.5", "1" or "2"; default "1"."""
    memory: Input[str] | None
    """Gibibytes: "1Gi", "2Gi" or "4Gi", together with cpu; default "2Gi"."""
    session_idle_timeout_s: Input[int] | None
    """Seconds until an idle session is put to sleep, 300 to 3600."""
    registry_connection: Input[str] | None
    """Connection of the project for a private registry that is not ACR."""
    memory_snapshot: Input[bool] | None
    """Start sessions from a snapshot of the initialised process."""
    rai_policy: Input[str] | None
    """Name of the Responsible AI policy to apply."""
    rai_moderation: Input[Moderation] | None
    """Where requests and answers of the protocol ``invocations`` hold text for that policy."""
    telemetry: Input[Sequence[Input[TelemetryEndpoint]]] | None
    """Collectors of your own for logs, traces and metrics."""
    description: Input[str] | None
    """At most 512 characters."""
    metadata: Input[Mapping[str, Input[str]]] | None
    """Up to 12 pairs of your own."""
    fingerprint_key: Input[str] | None
    """Secret of at least 16 characters that keys the fingerprint, so that secrets can't be guessed from it."""
    pull_role_budget_s: Input[float] | None
    """Seconds after it was granted in which a pull role may not be in effect yet; default 600."""
    take_over: Input[bool] | None
    """Manage an agent that exists and that this stack has not created."""
    force_delete: Input[bool] | None
    """Delete although sessions are active: they are ended."""
    timeout_s: Input[float] | None
    """Give up waiting for the version after this many seconds; default 1200."""
    poll_interval_s: Input[float] | None
    """Longest pause between two reads of a version that is being created; default 5."""


def reject_unknown(where: str, options: Mapping[str, object]) -> None:
    """Refuse names that VersionOptions does not have, as Python does for a call without ``**options``.

    Raises:
        TypeError: A name is misspelt; Python itself checks nothing of ``Unpack``.
    """
    for name in sorted(options.keys() - VersionOptions.__optional_keys__):
        raise TypeError(f"{where} got an unexpected keyword argument {name!r}")
