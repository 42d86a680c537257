"""The data plane's routes: every operation of the parity ledger, with what serves it."""

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
    """Every operation of the ledger; missing ones answer 501.

    Args:
        handlers: by the operation's name.

    Raises:
        ValueError: code and ledger disagree.
    """
    entries = ledger()
    built = {entry.name for entry in entries if entry.parity is not Parity.MISSING}
    # One route serves both ways of making a version; the body's type decides.
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
    """The routes below ``/api/projects/{project}``; whatever no operation matches answers 501 too.

    The most asked for comes first. Then paths with a colon: ``/agents/{agent}:enable`` is also an agent's name as
    far as a pattern knows.
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
    """What an operation needs; that Foundry Agent Consumer may make sessions and use their files is [modelled]."""
    if "/endpoint/" in entry.path:
        return Right.INVOKE
    if entry.path.endswith("mcp"):
        return Right.TOOLS
    return Right.READ if entry.method == "GET" else Right.WRITE
