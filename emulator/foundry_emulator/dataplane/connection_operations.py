"""Operations on a project's connections (service-contract 6.4); ARM creates and changes connections."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from foundry_emulator.arm.connections import Connection, Connections
from foundry_emulator.dataplane.call import Call, Handler, answer
from foundry_emulator.dataplane.problem import ServiceProblem


class ConnectionOperations:
    """Serves the connections of a project; only one operation returns credentials, all return their type [sdk]."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "connections.list": self.list,
            "connections.get": self.get,
            "connections.get_with_credentials": self.get_with_credentials,
        }

    async def list(self, call: Call) -> Response:
        """Handle GET ``/connections?connectionType=&defaultConnection=``, all on one page [modelled]."""
        kind = call.query.get("connectionType")
        default = call.switch("defaultConnection") if "defaultConnection" in call.query else None
        found = [
            _document(connection, {})
            for connection in self._connections.of_project(call.project.id)
            if (kind is None or connection.category.lower() == kind.lower())
            and (default is None or connection.is_default == default)
        ]
        return answer({"value": found})

    async def get(self, call: Call) -> Response:
        """Handle GET ``/connections/{n}``."""
        return answer(_document(self._connection(call), {}))

    async def get_with_credentials(self, call: Call) -> Response:
        """Handle POST ``/connections/{n}/getConnectionWithCredentials``."""
        connection = self._connection(call)
        return answer(_document(connection, connection.credentials))

    def _connection(self, call: Call) -> Connection:
        connection = self._connections.find(call.project.id, call.path["connection"])
        if connection is None:  # the text is [modelled]
            raise ServiceProblem(
                404, "not_found", f"Connection {call.path['connection']} can't be found in this project"
            )
        return connection


def _document(connection: Connection, credentials: Mapping[str, str]) -> dict[str, object]:
    """Return a connection in the shape of the SDK's model."""
    return {
        "name": connection.name,
        "id": connection.id,
        "type": connection.category,
        "target": connection.target,
        "isDefault": connection.is_default,
        "credentials": {**credentials, "type": connection.auth_type},
        "metadata": dict(connection.metadata),
    }
