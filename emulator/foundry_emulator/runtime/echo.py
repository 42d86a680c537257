"""The `echo` runtime: runs nothing and returns ``Echo: <input>``, as the recorded sample agent does."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from foundry_emulator.ids import new_id, new_partition
from foundry_emulator.runtime.base import AgentAnswer, AgentCall, Instance, Workload

_SERVER = "foundry-emulator-echo/1"
_KEPT = 1000
Json = dict[str, object]


class EchoRuntime:
    """Starts instances that are ready at once and echo.

    Args:
        clock: Unix seconds.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock

    async def start(self, workload: Workload) -> Instance:
        """Return an instance; this never fails."""
        return _Echo(workload, self._clock)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""


class _Echo:
    def __init__(self, workload: Workload, clock: Callable[[], float]) -> None:
        self._reference = {
            "type": "agent_reference",
            "name": workload.agent,
            "version": workload.version,
        }
        self._clock = clock
        self._made: dict[str, Json] = {}

    @property
    def alive(self) -> bool:
        return True

    async def call(self, call: AgentCall, *, timeout_s: float) -> AgentAnswer:  # noqa: ARG002  never late
        headers = {"content-type": "application/json", "x-platform-server": _SERVER}
        path = call.path.partition("?")[0]
        protocol, _, made = path.removeprefix("/").partition("/")
        if made and protocol in {"responses", "invocations"} and made in self._made and call.method == "GET":
            return AgentAnswer(200, headers, _parts([json.dumps(self._made[made]).encode()]))
        if call.method != "POST" or path not in {"/responses", "/invocations"}:
            return AgentAnswer(404, headers, _parts([b'{"detail":"Not Found"}']))
        if path == "/invocations":
            return self._invoked(call, headers)
        request: Json = json.loads(call.body)
        response = self._response(f"Echo: {_last_text(request.get('input'))}", request.get("agent_session_id"))
        self._keep(str(response["id"]), response)
        if request.get("stream") is True:
            return AgentAnswer(200, headers | {"content-type": "text/event-stream"}, _parts(_events(response)))
        return AgentAnswer(200, headers, _parts([json.dumps(response).encode()]))

    def _invoked(self, call: AgentCall, headers: dict[str, str]) -> AgentAnswer:
        """Return the body unchanged, under a new id."""
        invocation = secrets.token_hex(16)
        self._keep(invocation, {"id": invocation, "status": "completed"})
        kind = call.headers.get("content-type", "application/octet-stream")
        return AgentAnswer(
            200, headers | {"content-type": kind, "x-agent-invocation-id": invocation}, _parts([call.body])
        )

    def _keep(self, made: str, document: Json) -> None:
        self._made[made] = document
        if len(self._made) > _KEPT:
            del self._made[next(iter(self._made))]

    async def stop(self) -> None:
        """Do nothing: there is no process."""

    def _response(self, text: str, session: object) -> Json:
        """Return the body in the recorded shape."""
        now = int(self._clock())
        partition = new_partition()
        response_id = f"caresp_{new_id(partition)}"
        message: Json = {
            "type": "message",
            "id": f"msg_{new_id(partition)}",
            "role": "assistant",
            "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
            "status": "completed",
            "response_id": response_id,
            "agent_reference": self._reference,
        }
        return {
            "id": response_id,
            "object": "response",
            "output": [message],
            "created_at": now,
            "agent_reference": self._reference,
            "status": "completed",
            "completed_at": now,
            "response_id": response_id,
            "model": "",
            "agent_session_id": session,
            "background": False,
        }


def _last_text(given: object) -> str:
    """Return the input text: the string, or the last text of a list of items."""
    if isinstance(given, str):
        return given
    if isinstance(given, Mapping):
        text = given.get("text")
        return text if isinstance(text, str) else _last_text(given.get("content"))
    if isinstance(given, list):
        texts = (_last_text(item) for item in reversed(given))
        return next((text for text in texts if text), "")
    return ""


def _events(response: Json) -> Iterator[bytes]:
    """Yield the server-sent events of a response with one message, as the OpenAI client reads them."""
    output = response["output"]
    message: Json = output[0] if isinstance(output, list) else {}
    content = message["content"]
    part: Json = content[0] if isinstance(content, list) else {}
    started = response | {"status": "in_progress", "output": []}
    started.pop("completed_at")
    where: Json = {"item_id": message["id"], "output_index": 0}
    place: Json = where | {"content_index": 0}
    empty = part | {"text": ""}
    events: list[tuple[str, Json]] = [
        ("response.created", {"response": started}),
        ("response.in_progress", {"response": started}),
        (
            "response.output_item.added",
            {"output_index": 0, "item": message | {"status": "in_progress", "content": []}},
        ),
        ("response.content_part.added", place | {"part": empty}),
        ("response.output_text.delta", place | {"delta": part["text"], "logprobs": []}),
        ("response.output_text.done", place | {"text": part["text"], "logprobs": []}),
        ("response.content_part.done", place | {"part": part}),
        ("response.output_item.done", {"output_index": 0, "item": message}),
        ("response.completed", {"response": response}),
    ]
    for number, (kind, fields) in enumerate(events):
        data = json.dumps({"type": kind, "sequence_number": number, **fields})
        yield f"event: {kind}\ndata: {data}\n\n".encode()


async def _parts(parts: Iterator[bytes] | list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
