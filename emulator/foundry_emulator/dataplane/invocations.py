"""Calls to agents over the invocations protocol: any body, the agent's own response (service-contract 5.3)."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.responses import Response

from foundry_emulator.dataplane.call import Call, Handler
from foundry_emulator.dataplane.forward import Forward, headers_for, passed_back, session_id_of
from foundry_emulator.runtime import AgentCall

_PROTOCOL = "invocations"
_ID_HEADER = "x-agent-invocation-id"  # [azd]
_MAX_BYTES = 4 * 1024 * 1024  # [modelled]


class Invocations:
    """Serves ``../endpoint/protocols/invocations``."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "invocations.create": self.create,
            "invocations.get": self.get,
            "invocations.cancel": self.cancel,
            "invocations' OpenAPI document": self.openapi,
        }

    async def create(self, call: Call) -> Response:
        """Handle POST: the agent gets the body unchanged, and the caller the response, 202 included."""
        self._forward.hosted(call)
        body = await call.content(_MAX_BYTES)
        place = await self._forward.enter(call, _PROTOCOL, session_id_of({}, call.query))
        query = {name: value for name, value in call.query.items() if name != "api-version"}
        query["agent_session_id"] = place.session.id
        path = f"/invocations?{urlencode(query)}"
        answer = await self._forward.ask(
            call, place.instance, AgentCall(path, headers_for(call, place.session.id), body)
        )
        self._forward.touch(place)
        if _ID_HEADER in answer.headers:
            self._forward.remember(place, answer.headers[_ID_HEADER])
        return await passed_back(answer, call.agent, place.session.id)

    async def get(self, call: Call) -> Response:
        """Handle GET ``../{id}``, forwarded to the process that took the invocation."""
        return await self._passed(call, "GET")

    async def cancel(self, call: Call) -> Response:
        """Handle POST ``../{id}/cancel``, forwarded like `get`."""
        return await self._passed(call, "POST", "/cancel")

    async def openapi(self, call: Call) -> Response:
        """Handle GET ``../docs/openapi.json`` of a version that the endpoint's rules choose."""
        version, instance = await self._forward.anywhere(call, _PROTOCOL)
        forwarded = AgentCall("/invocations/docs/openapi.json", headers_for(call, None), b"", "GET")
        return await passed_back(await self._forward.ask(call, instance, forwarded), version.key.agent)

    async def _passed(self, call: Call, method: str, rest: str = "") -> Response:
        taken = call.path["invocation"]
        version, instance = await self._forward.maker(call, taken, "Invocation")
        path = f"/invocations/{quote(taken, safe='')}{rest}"
        answer = await self._forward.ask(call, instance, AgentCall(path, headers_for(call, None), b"", method))
        return await passed_back(answer, version.key.agent)
