"""Calls to agents over the responses protocol (service-contract 5.3, 9)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from urllib.parse import quote, urlencode

from starlette.responses import Response, StreamingResponse

from foundry_emulator.dataplane.agents import Version
from foundry_emulator.dataplane.call import Call, Handler
from foundry_emulator.dataplane.conversations import Conversations, conversation_of
from foundry_emulator.dataplane.forward import (
    Forward,
    Place,
    headers_back,
    headers_for,
    json_object,
    passed_back,
    session_id_of,
    whole,
)
from foundry_emulator.dataplane.wire import render
from foundry_emulator.runtime import AgentCall

_PROTOCOL = "responses"
_SNIFFED_BYTES = 256 * 1024


class Responses:
    """Serves ``../endpoint/protocols/openai/responses``."""

    def __init__(self, forward: Forward, conversations: Conversations) -> None:
        self._forward = forward
        self._conversations = conversations

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "responses.create": self.create,
            "responses.retrieve": self.retrieve,
            "responses.delete": self.delete,
            "responses.cancel": self.cancel,
            "responses.input_items.list": self.input_items,
        }

    async def create(self, call: Call) -> Response:
        """Handle POST, whole or streamed; in the requested session, else in its conversation's, else in a new one."""
        agent = self._forward.hosted(call)
        body = await call.body()
        conversation, requested = conversation_of(body), session_id_of(body, call.query)
        if conversation is not None:
            requested = requested or self._conversations.session_of(agent, conversation)
        place = await self._forward.enter(call, _PROTOCOL, requested)
        session_id = place.session.id
        if conversation is not None:
            self._conversations.tie(agent, conversation, session_id)
        document = {**body, "agent_session_id": session_id, "agent_reference": _reference(place.version)}
        document.pop("session_id", None)
        headers = headers_for(call, session_id) | {"content-type": "application/json"}
        answer = await self._forward.ask(call, place.instance, AgentCall("/responses", headers, render(document)))
        self._forward.touch(place)
        back = headers_back(answer, session_id)
        if body.get("stream") is True and back["content-type"].startswith("text/event-stream"):
            seen = _sniffed(answer.body, lambda made: self._forward.remember(place, made))
            return StreamingResponse(seen, answer.status, headers=back)
        content = await whole(answer, call.agent)
        return Response(self._completed(content, place, conversation), answer.status, headers=back)

    async def retrieve(self, call: Call) -> Response:
        """Handle GET ``../{id}``, forwarded to the process that created the response."""
        return await self._passed(call, "GET")

    async def delete(self, call: Call) -> Response:
        """Handle DELETE ``../{id}``, forwarded like `retrieve`."""
        return await self._passed(call, "DELETE")

    async def cancel(self, call: Call) -> Response:
        """Handle POST ``../{id}/cancel``, forwarded like `retrieve`."""
        return await self._passed(call, "POST", "/cancel")

    async def input_items(self, call: Call) -> Response:
        """Handle GET ``../{id}/input_items``, forwarded like `retrieve`."""
        return await self._passed(call, "GET", "/input_items")

    async def _passed(self, call: Call, method: str, rest: str = "") -> Response:
        made = call.path["response"]
        version, instance = await self._forward.maker(call, made, "Response")
        query = urlencode({name: value for name, value in call.query.items() if name != "api-version"})
        path = f"/responses/{quote(made, safe='')}{rest}{'?' if query else ''}{query}"
        answer = await self._forward.ask(call, instance, AgentCall(path, headers_for(call, None), b"", method))
        return await passed_back(answer, version.key.agent)

    def _completed(self, body: bytes, place: Place, conversation: str | None) -> bytes:
        """Return a response object with what the service adds if the agent did not: session, version, conversation."""
        document = json_object(body)
        if document.get("object") != "response":
            return body
        if isinstance(document.get("id"), str):
            self._forward.remember(place, str(document["id"]))
        added: dict[str, object] = {
            "agent_reference": _reference(place.version),
            "agent_session_id": place.session.id,
        }
        if conversation is not None:
            added["conversation"] = {"id": conversation}
        if all(document.get(key) for key in added):
            return body
        return render({**document, **{key: document.get(key) or value for key, value in added.items()}})


def _reference(version: Version) -> dict[str, str]:
    return {"type": "agent_reference", "name": version.key.agent, "version": version.key.version}


async def _sniffed(parts: AsyncIterator[bytes], made: Callable[[str], None]) -> AsyncIterator[bytes]:
    """Yield the parts of an event stream; report the response id of its first event."""
    seen: bytearray | None = bytearray()
    async for part in parts:
        if seen is not None:
            seen += part
            event, end, _ = bytes(seen).replace(b"\r\n", b"\n").partition(b"\n\n")
            if end:
                for line in event.split(b"\n"):
                    if line.startswith(b"data:"):
                        response = json_object(line.removeprefix(b"data:")).get("response")
                        if isinstance(response, dict) and isinstance(response.get("id"), str):
                            made(response["id"])
            if end or len(seen) > _SNIFFED_BYTES:
                seen = None
        yield part
