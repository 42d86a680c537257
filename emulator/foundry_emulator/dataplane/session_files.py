"""Operations on the files of sessions (service-contract 5.2)."""

from __future__ import annotations

import shutil
from pathlib import Path

from starlette.responses import FileResponse, Response

from foundry_emulator.dataplane.agents import Agents
from foundry_emulator.dataplane.call import Call, Handler, answer, no_content
from foundry_emulator.dataplane.problem import ServiceProblem, bad_request, invalid
from foundry_emulator.dataplane.session_homes import SessionHomes, file_not_found
from foundry_emulator.dataplane.sessions import Session, Sessions

_MAX_BYTES = 50 * 1024 * 1024  # [spec]


class SessionFiles:
    """Serves ``../endpoint/sessions/{s}/files``. The texts of its errors are [modelled]."""

    def __init__(self, agents: Agents, sessions: Sessions, homes: SessionHomes) -> None:
        self._agents = agents
        self._sessions = sessions
        self._homes = homes

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "agents.upload_session_file": self.upload,
            "agents.download_session_file": self.download,
            "agents.list_session_files": self.list,
            "agents.delete_session_file": self.delete,
        }

    async def upload(self, call: Call) -> Response:
        """Handle PUT ``../files/content?path=``: 201; missing folders are created, an existing file is replaced."""
        path, place = self._place(call)
        content = await call.content(_MAX_BYTES)
        if place == self._homes.of(self._session(call)) or place.is_dir():
            raise bad_request(f"{path} is a directory.")
        draft = place.with_name(f".{call.request_id}.upload")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
            draft.replace(place)
        except (FileExistsError, NotADirectoryError):
            raise bad_request(f"A part of {path} is a file, not a directory.") from None
        written = place.relative_to(self._homes.of(self._session(call)))  # relative to the home in any case [sdk]
        return answer({"path": written.as_posix(), "bytes_written": len(content)}, 201)

    async def download(self, call: Call) -> Response:
        """Handle GET ``../files/content?path=``: the bytes."""
        path, place = self._place(call)
        if place.is_dir():
            raise bad_request(f"{path} is a directory.")
        if not place.is_file():
            raise file_not_found(path)
        return FileResponse(place, media_type="application/octet-stream")

    async def list(self, call: Call) -> Response:
        """Handle GET ``../files?path=``: a folder's entries by name; the default is the home's."""
        path, place = self._place(call, default=".")
        if place == self._homes.of(self._session(call)) and not place.exists():
            return answer({"path": path, "entries": []})
        if not place.is_dir():
            raise file_not_found(path)
        return answer({"path": path, "entries": [_entry(child) for child in sorted(place.iterdir())]})

    async def delete(self, call: Call) -> Response:
        """Handle DELETE ``../files?path=&recursive=``: 204; 409 for a folder that is not empty."""
        path, place = self._place(call)
        recursive = call.switch("recursive")
        if place == self._homes.of(self._session(call)):
            raise bad_request("The session's home can't be deleted.")
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif not place.is_dir():
            raise file_not_found(path)
        elif recursive:
            shutil.rmtree(place)
        elif any(place.iterdir()):
            raise ServiceProblem(409, "conflict", f"{path} is a directory that is not empty; use recursive=true.")
        else:
            place.rmdir()
        return no_content()

    def _place(self, call: Call, default: str = "") -> tuple[str, Path]:
        session = self._session(call)
        path = call.query.get("path") or default
        if not path:
            raise invalid("path is required.", "path")
        return path, self._homes.inside(session, path)

    def _session(self, call: Call) -> Session:
        return self._sessions.get(self._agents.get(call.project.name, call.agent), call.path["session"])


def _entry(path: Path) -> dict[str, object]:
    status = path.lstat()
    return {
        "name": path.name,
        "size": 0 if path.is_dir() else status.st_size,
        "is_directory": path.is_dir() and not path.is_symlink(),
        "modified_time": int(status.st_mtime),
    }
