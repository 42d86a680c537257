"""The data plane's routes: every operation of the parity ledger with its handler."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import BaseRoute, Route

from foundry_emulator.dataplane.access import Access, Right
from foundry_emulator.dataplane.call import Endpoint, Handler, Operation
from foundry_emulator.dataplane.wire import SUPPORTED_VERSIONS
from foundry_emulator.parity import Entry, Parity, ledger

PREFIX = "/api/projects/"
_TOOLBOX_VERSIONS = "1.0"  # [recorded]
_MOST_ASKED = "agents.get_version"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def operations(handlers: Mapping[str, Handler]) -> list[Operation]:
    """Return every operation of the ledger; those without a handler return 501.

    Args:
        handlers: The handlers by operation name.

    Raises:
        ValueError: Code and ledger disagree.
    """
    entries = ledger()
    built = {entry.name for entry in entries if entry.parity is not Parity.MISSING}
    # One route serves both ways to create a version; the body's type decides.
    built.discard("agents.create_version_from_code")
    if built != set(handlers):
        raise ValueError(f"ledger and code disagree about {sorted(built ^ set(handlers))}")
    return [
        Operation(
            entry.name,
            entry.method,
            entry.path,
            _right(entry),
            handlers.get(entry.name),
            _TOOLBOX_VERSIONS if entry.path.startswith("/toolboxes") else SUPPORTED_VERSIONS,
            needs_version=not entry.path.startswith("/openai/"),
        )
        for entry in entries
        if entry.name in handlers or entry.parity is Parity.MISSING
    ]


def routes(table: list[Operation], access: Access) -> list[BaseRoute]:
    """Return the routes below ``/api/projects/{project}``; any other path returns 501 too.

    The most frequent route is first. Then paths with a colon: for a pattern, ``/agents/{agent}:enable`` is an
    agent's name too.
    """
    ordered = sorted(table, key=lambda operation: (operation.name != _MOST_ASKED, ":" not in operation.path))
    listed: list[BaseRoute] = [
        Route(f"{PREFIX}{{project}}{operation.path}", Endpoint(operation, access), methods=[operation.method])
        for operation in ordered
    ]
    unknown = Operation("this path and method", "*", "", Right.READ)
    listed.append(Route(f"{PREFIX}{{project}}/{{rest:path}}", Endpoint(unknown, access), methods=_METHODS))
    return listed


def _right(entry: Entry) -> Right:
    """Return the right for an operation; that Foundry Agent Consumer may create sessions, use files is [modelled]."""
    if "/endpoint/" in entry.path:
        return Right.INVOKE
    if entry.path.endswith("mcp"):
        return Right.TOOLS
    return Right.READ if entry.method == "GET" else Right.WRITE
