"""Operations on toolboxes (service-contract 6.1, 6.3). `toolbox_mcp` serves their tools."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response

from foundry_emulator.dataplane.call import Call, Handler, answer, no_content
from foundry_emulator.dataplane.definition import check_description, check_metadata, check_toolbox_name
from foundry_emulator.dataplane.paging import Shape, listed
from foundry_emulator.dataplane.problem import ServiceProblem, invalid
from foundry_emulator.dataplane.toolboxes import Toolbox, Toolboxes

_SERVERS = ("server_url", "connector_id", "tunnel_id", "project_connection_id")


class ToolboxOperations:
    """Serves the toolboxes of a project."""

    def __init__(self, toolboxes: Toolboxes) -> None:
        self._toolboxes = toolboxes

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "toolboxes.create_version": self.create_version,
            "toolboxes.get_version": self.get_version,
            "toolboxes.list_versions": self.list_versions,
            "toolboxes.delete_version": self.delete_version,
            "toolboxes.get": self.get,
            "toolboxes.list": self.list,
            "toolboxes.delete": self.delete,
            "toolboxes.update": self.update,
        }

    async def create_version(self, call: Call) -> Response:
        """Handle POST ``/toolboxes/{t}/versions``: 200 with the version; ``skills`` is added [recorded]."""
        check_toolbox_name(call.path["toolbox"])
        body = await call.body_without_nulls()
        content: dict[str, object] = {"tools": _tools(body.get("tools")), "skills": _list(body, "skills")}
        if "policies" in body:
            content["policies"] = body["policies"]
        document = self._toolboxes.create_version(
            call.project.name,
            call.path["toolbox"],
            description=check_description(body.get("description")),
            metadata=check_metadata(body.get("metadata")),
            content=content,
        )
        return answer(document)

    async def get(self, call: Call) -> Response:
        """Handle GET ``/toolboxes/{t}``."""
        return answer(self._toolbox(call).document())

    async def list(self, call: Call) -> Response:
        """Handle GET ``/toolboxes``, newest first [modelled]."""
        toolboxes = self._toolboxes.of_project(call.project.name)
        return answer(listed([toolbox.document() for toolbox in toolboxes], call.query, shape=Shape.TOOLBOXES))

    async def get_version(self, call: Call) -> Response:
        """Handle GET ``/toolboxes/{t}/versions/{v}``."""
        return answer(self._toolboxes.version(self._toolbox(call), call.path["version"], call.request_id))

    async def list_versions(self, call: Call) -> Response:
        """Handle GET ``/toolboxes/{t}/versions``, newest first [recorded]."""
        return answer(listed(list(self._toolbox(call).versions.values()), call.query, shape=Shape.TOOLBOXES))

    async def update(self, call: Call) -> Response:
        """Handle PATCH ``/toolboxes/{t}``: ``default_version`` promotes an existing version [docs]."""
        toolbox = self._toolbox(call)
        body = await call.body_without_nulls()
        number = body.get("default_version")
        if not isinstance(number, str):
            raise invalid("default_version is required and must be a string.", "default_version")
        self._toolboxes.version(toolbox, number, call.request_id)
        self._toolboxes.promote(toolbox, number)
        return answer(toolbox.document())

    async def delete(self, call: Call) -> Response:
        """Handle DELETE ``/toolboxes/{t}``: 204, 404 when missing [recorded]."""
        self._toolboxes.delete(self._toolbox(call))
        return no_content()

    async def delete_version(self, call: Call) -> Response:
        """Handle DELETE ``/toolboxes/{t}/versions/{v}``: 204 [recorded].

        The default can't be deleted while other versions exist, or the toolbox would name a missing version; that
        is [modelled].
        """
        toolbox = self._toolbox(call)
        number = call.path["version"]
        self._toolboxes.version(toolbox, number, call.request_id)
        if number == toolbox.default_version and len(toolbox.versions) > 1:
            raise ServiceProblem(
                409, "conflict", f"Version {number} is the default of toolbox '{toolbox.name}'. Promote another first."
            )
        self._toolboxes.delete_version(toolbox, number)
        return no_content()

    def _toolbox(self, call: Call) -> Toolbox:
        return self._toolboxes.get(call.project.name, call.path["toolbox"], call.request_id)


def _tools(value: object) -> list[object]:
    """Return the tools, checked as far as service-contract 6.2 and 6.3 say; the error texts are [modelled].

    An unknown type is accepted: the service adds types every month.
    """
    if not isinstance(value, list):
        raise invalid("tools is required and must be a list.", "tools")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # names and labels go out over MCP, which has no half characters
        raise invalid("tools must not hold half of a surrogate pair.", "tools") from None
    unnamed: set[str] = set()
    for position, tool in enumerate(value):
        where = f"tools[{position}]"
        if not isinstance(tool, Mapping) or not isinstance(tool.get("type"), str):
            raise invalid("A tool must be an object with a type.", where)
        kind = str(tool["type"])
        if kind == "mcp" and not (isinstance(tool.get("server_label"), str) and any(tool.get(n) for n in _SERVERS)):
            raise invalid(
                "A tool of type mcp has a server_label and one of server_url, connector_id, tunnel_id.", where
            )
        if "name" not in tool:
            if kind in unnamed and kind != "mcp":  # an mcp tool's label is its name
                raise invalid(f"At most one tool of type {kind} may have no name.", where)  # [docs]
            unnamed.add(kind)
    return value


def _list(body: Mapping[str, object], name: str) -> list[object]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise invalid(f"{name} must be a list.", name)
    return value
