"""Faults: rules that make the data plane fail on purpose."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundry_emulator.clock import Clock
from foundry_emulator.dataplane.problem import ServiceProblem
from foundry_emulator.dataplane.wire import JSON_UTF8, SUPPORTED_VERSIONS, render

_REMEMBERED_READS = 1024


class FaultProblem(ValueError):
    """A fault rule is not valid."""


class Action(StrEnum):
    """What a fault does."""

    STATUS = "status"  # returns that status; the request is not processed
    LATENCY = "latency"  # waits, then processes the request
    RESET_BEFORE_COMMIT = "reset_before_commit"  # drops the connection; the request is not processed
    COMMIT_THEN_RESET = "commit_then_reset"  # processes the request, then drops the connection
    STALE_READ = "stale_read"  # returns the earlier response to the same GET
    CUT_JSON = "cut_json"  # processes the request, sends half of the response, drops the connection


@dataclass(slots=True)
class Fault:
    """A rule. It matches by method and path, and fires on some of its matches.

    Attributes:
        id: Identifies the rule for its removal.
        action: What it does.
        method: HTTP method, or None for any.
        path: Regular expression to search for in the path, which begins with ``/api/projects/``.
        nth: The only match to fire on, counted from 1; or None.
        times: The number of matches to fire on; None for all.
        status: The status of action ``status``.
        retry_after: ``Retry-After`` of action ``status``: seconds or an HTTP date; or None.
        body: The body of action ``status``; None for the service's error envelope.
        latency_s: The seconds of action ``latency``.
        matched: How many requests have matched.
        fired: How often the rule has fired.
    """

    id: str
    action: Action
    method: str | None
    path: re.Pattern[str]
    nth: int | None
    times: int | None
    status: int
    retry_after: str | None
    body: object
    latency_s: float
    matched: int = 0
    fired: int = 0

    def fires(self, method: str, path: str) -> bool:
        """Count a request and return whether the rule fires on it."""
        if (self.method is not None and self.method != method) or not self.path.search(path):
            return False
        if self.action is Action.STALE_READ and method != "GET":
            return False
        self.matched += 1
        if self.nth is not None:
            return self.matched == self.nth
        return self.times is None or self.fired < self.times

    def document(self) -> dict[str, object]:
        """Return the rule as JSON."""
        return {
            "id": self.id,
            "action": self.action.value,
            "method": self.method,
            "path": self.path.pattern,
            "nth": self.nth,
            "times": self.times,
            "status": self.status if self.action is Action.STATUS else None,
            "retry_after": self.retry_after,
            "body": self.body,
            "latency_s": self.latency_s if self.action is Action.LATENCY else None,
            "matched": self.matched,
            "fired": self.fired,
        }


@dataclass(frozen=True, slots=True)
class _Answer:
    start: Message
    body: bytes


class Faults:
    """The active rules, in the order of their creation."""

    def __init__(self) -> None:
        self._rules: dict[str, Fault] = {}
        self._made = 0

    def add(self, document: Mapping[str, object]) -> Fault:
        """Add a rule from its JSON and return it.

        Raises:
            FaultProblem: The rule is not valid; the message says why.
        """
        self._made += 1
        rule = _fault(f"fault-{self._made}", document)
        self._rules[rule.id] = rule
        return rule

    def remove(self, fault_id: str) -> bool:
        """Remove a rule; return False when there was none."""
        return self._rules.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Remove all rules."""
        self._rules.clear()

    def all(self) -> list[Fault]:
        """Return the rules."""
        return list(self._rules.values())

    def firing(self, method: str, path: str) -> Iterator[Fault]:
        """Yield the rules that fire on a request: any number of latencies, then at most one other."""
        for rule in self.all():
            if rule.fires(method, path):
                yield rule
                if rule.action is not Action.LATENCY:
                    return


class FaultLayer:
    """ASGI middleware that applies `Faults` to the application it wraps: the data plane.

    ``scope["state"]["fault"]`` names a fault that fires, for the journal. A fault counts as fired only when
    it had an effect: a stale read without an earlier response has none.
    """

    def __init__(self, app: ASGIApp, faults: Faults, *, clock: Clock) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock
        self._reads: OrderedDict[str, _Answer] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with the faults that fire on it."""
        fault = await self._latencies(scope)
        if fault is None:
            await self._remembering(scope, receive, send)
        elif fault.action is Action.STATUS:
            _note(scope, fault)
            await _send(send, _status_answer(fault, scope["state"]["request_id"]))
        elif fault.action is Action.RESET_BEFORE_COMMIT:
            _note(scope, fault)
            await _drop(scope)
        elif fault.action is Action.STALE_READ:
            stale = self._reads.get(_address(scope))
            if stale is None:
                await self._remembering(scope, receive, send)
            else:
                _note(scope, fault)
                await _send(send, stale)
        else:
            _note(scope, fault)
            answer = await self._collect(scope, receive)
            scope["state"]["committed"] = answer.start["status"]
            if fault.action is Action.CUT_JSON:
                await send(answer.start)
                await send(
                    {"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True}
                )
            await _drop(scope, flush=fault.action is Action.CUT_JSON)

    async def _latencies(self, scope: Scope) -> Fault | None:
        """Wait for all latencies that fire; return the rule that fires after them, if any."""
        for rule in self._faults.firing(scope["method"], scope["path"]):
            if rule.action is not Action.LATENCY:
                return rule
            _note(scope, rule)
            await self._clock.sleep(rule.latency_s)
        return None

    async def _remembering(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and keep the response to a GET while a rule may repeat it."""
        requested = scope["method"] == "GET" and any(r.action is Action.STALE_READ for r in self._faults.all())
        if not requested:
            await self._app(scope, receive, send)
            return
        answer = await self._collect(scope, receive)
        self._reads[_address(scope)] = answer
        self._reads.move_to_end(_address(scope))
        if len(self._reads) > _REMEMBERED_READS:
            self._reads.popitem(last=False)
        await _send(send, answer)

    async def _collect(self, scope: Scope, receive: Receive) -> _Answer:
        start: Message = {"type": "http.response.start", "status": 500, "headers": []}
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, keep)
        return _Answer(start, b"".join(parts))


def _note(scope: Scope, fault: Fault) -> None:
    fault.fired += 1
    scope["state"]["fault"] = fault.action.value


def _address(scope: Scope) -> str:
    return f"{scope['path']}?{scope['query_string'].decode('latin-1')}"


async def _send(send: Send, answer: _Answer) -> None:
    await send(answer.start)
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


async def _drop(scope: Scope, *, flush: bool = False) -> None:
    """Drop the connection without another byte; the listener puts the transport into the scope."""
    transport: asyncio.Transport = scope["state"]["transport"]
    if flush:
        transport.close()
    else:
        transport.abort()
    await asyncio.sleep(0)  # the server notices it before it looks for a response


def _status_answer(fault: Fault, request_id: str) -> _Answer:
    problem = ServiceProblem(fault.status, "server_error", "A fault was asked for.")
    body = render(problem.document(request_id) if fault.body is None else fault.body)
    headers = {
        "content-type": JSON_UTF8,
        "content-length": str(len(body)),
        "api-supported-versions": SUPPORTED_VERSIONS,
        "x-request-id": request_id,
        "apim-request-id": request_id,
    }
    if fault.retry_after is not None:
        headers["retry-after"] = fault.retry_after
    start: Message = {
        "type": "http.response.start",
        "status": fault.status,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
    return _Answer(start, body)


def _fault(fault_id: str, document: Mapping[str, object]) -> Fault:
    known = {"action", "method", "path", "nth", "times", "status", "retry_after", "body", "latency_s"}
    if unknown := sorted(set(document) - known):
        raise FaultProblem(f"unknown properties of a fault: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    implied = next((name for name in ("status", "latency_s") if name in document), "")
    action = document.get("action", implied.removesuffix("_s"))
    if not isinstance(action, str) or action not in set(Action):
        raise FaultProblem(f"action must be one of {', '.join(Action)}, not {action!r}")
    if (document.get("nth") is not None) and (document.get("times") is not None):
        raise FaultProblem("nth and times are mutually exclusive")
    method, latency, retry_after = (document.get(name) for name in ("method", "latency_s", "retry_after"))
    status = document.get("status", 500)
    if isinstance(status, bool) or not isinstance(status, int) or not 400 <= status <= 599:  # noqa: PLR2004  HTTP
        raise FaultProblem(f"status must be an integer from 400 to 599, not {status!r}")
    if action == Action.LATENCY and (
        isinstance(latency, bool) or not isinstance(latency, int | float) or not 0 <= latency <= 3600  # noqa: PLR2004  an hour
    ):
        raise FaultProblem(f"latency_s must be a number from 0 to 3600, not {latency!r}")
    return Fault(
        id=fault_id,
        action=Action(action),
        method=None if method is None else str(method).upper(),
        path=_pattern(document.get("path", "")),
        nth=_count("nth", document.get("nth")),
        times=_count("times", document.get("times")),
        status=status,
        retry_after=None if retry_after is None else str(retry_after),
        body=document.get("body"),
        latency_s=float(latency) if isinstance(latency, int | float) else 0.0,
    )


def _pattern(value: object) -> re.Pattern[str]:
    try:
        return re.compile(str(value))
    except re.error as problem:
        raise FaultProblem(f"path is not a valid regular expression: {problem}") from None


def _count(name: str, value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise FaultProblem(f"{name} must be an integer >= 1, not {value!r}")
    return value if isinstance(value, int) else None
