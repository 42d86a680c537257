"""The output of an agent as server-sent events (service-contract 5.2)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from starlette.responses import Response, StreamingResponse

from foundry_emulator.clock import Clock
from foundry_emulator.dataplane.agents import Agent, Agents, VersionKey
from foundry_emulator.dataplane.call import Call, Handler
from foundry_emulator.dataplane.problem import invalid, version_not_found
from foundry_emulator.dataplane.sessions import Session, Sessions
from foundry_emulator.settings import Settings

_LONGEST_S = 30 * 60  # [docs]
_LOOK_S = 0.25
_KINDS = frozenset({"console", "system"})
_MAX_TAIL, _DIGITS = 10_000, 6
_LARGEST_PIECE = 64 * 1024


class Logs(Protocol):
    """Knows the agents' log folders."""

    def log_folder(self, key: VersionKey, session_id: str) -> Path:
        """Return the folder of ``stdout.log`` and ``stderr.log`` of a session's process."""
        ...


class LogStream:
    """Serves both paths of the log stream.

    The stream starts with a status line and the logs so far, continues with new lines, and ends
    after `Settings.log_idle_s` without a line, after 30 minutes, or when the session is deleted. A line's time is
    when it was read; sessions that share a process share its log [modelled].
    """

    def __init__(self, agents: Agents, sessions: Sessions, logs: Logs, settings: Settings, clock: Clock) -> None:
        self._agents = agents
        self._sessions = sessions
        self._logs = logs
        self._settings = settings
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {"agents.get_session_log_stream": self.of_version, "the newer log stream": self.of_session}

    async def of_version(self, call: Call) -> Response:
        """Handle GET ``/agents/{a}/versions/{v}/sessions/{s}:logstream``."""
        agent, session = self._find(call)
        if agent.version(call.path["version"]).key.version != session.version:
            raise version_not_found(agent.name, f"{call.path['version']} and session {session.id}")
        return self._stream(agent, session, "console", None, follow=True)

    async def of_session(self, call: Call) -> Response:
        """Handle GET ``/agents/{a}/sessions/{s}:logstream?kind=&tail=&follow=`` [azd]."""
        agent, session = self._find(call)
        kind, tail = call.query.get("kind", "console"), call.query.get("tail")
        if kind not in _KINDS:
            raise invalid(f"kind must be console or system, not '{kind}'.", "kind")
        if tail is not None and not (
            tail.isascii() and tail.isdigit() and len(tail) < _DIGITS and int(tail) <= _MAX_TAIL
        ):
            raise invalid(f"tail must be an integer from 0 to {_MAX_TAIL}.", "tail")
        follow = call.switch("follow") if "follow" in call.query else True
        return self._stream(agent, session, kind, None if tail is None else int(tail), follow=follow)

    def _find(self, call: Call) -> tuple[Agent, Session]:
        agent = self._agents.get(call.project.name, call.agent)
        return agent, self._sessions.get(agent, call.path["session"])

    def _stream(self, agent: Agent, session: Session, kind: str, tail: int | None, *, follow: bool) -> Response:
        events = self._events(agent, session, kind, tail, follow=follow)
        return StreamingResponse(events, headers={"content-type": "text/event-stream", "cache-control": "no-cache"})

    async def _events(
        self, agent: Agent, session: Session, kind: str, tail: int | None, *, follow: bool
    ) -> AsyncIterator[bytes]:
        status = self._sessions.status(agent, session)
        yield self._event("status", f"Session {session.id} of version {session.version} is {status}")
        folder = self._logs.log_folder(VersionKey(agent.project, agent.name, session.version), session.id)
        files = [] if kind == "system" else [_Tail(name, folder / f"{name}.log") for name in ("stdout", "stderr")]
        lines = [(file.stream, line) for file in files for line in file.lines()]
        for stream, line in lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]:
            yield self._event(stream, line)
        started = last_line_at = self._clock.now()
        while follow and self._sessions.find(agent, session.id) is not None:
            now = self._clock.now()
            if now - last_line_at >= self._settings.log_idle_s or now - started >= _LONGEST_S:
                break
            await self._clock.sleep(_LOOK_S)
            for file in files:
                for line in file.lines():
                    last_line_at = self._clock.now()
                    yield self._event(file.stream, line)

    def _event(self, stream: str, message: str) -> bytes:
        moment = datetime.fromtimestamp(self._clock.now(), tz=UTC).isoformat(timespec="milliseconds")
        data = {"timestamp": moment.replace("+00:00", "Z"), "stream": stream, "message": message}
        return f"event: log\ndata: {json.dumps(data)}\n\n".encode()


class _Tail:
    """A growing file, which may not exist yet."""

    def __init__(self, stream: str, path: Path) -> None:
        self.stream = stream
        self._path = path
        self._place = 0

    def lines(self) -> Iterator[str]:
        """Return the whole lines that were written since the last call."""
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._place:  # the file was started again
                    self._place = 0
                file.seek(self._place)
                while line := file.readline(_LARGEST_PIECE):
                    if not line.endswith(b"\n") and len(line) < _LARGEST_PIECE:
                        return
                    self._place += len(line)
                    yield line.decode(errors="replace").rstrip("\r\n")
        except (FileNotFoundError, NotADirectoryError):
            return
