"""Operations on files (OpenAI's files API, which the service has below ``/openai/v1``)."""

from __future__ import annotations

import re

from starlette.responses import Response

from foundry_emulator.dataplane.call import Call, Handler, answer
from foundry_emulator.dataplane.files import Files
from foundry_emulator.dataplane.multipart import read_parts
from foundry_emulator.dataplane.paging import listed
from foundry_emulator.dataplane.problem import invalid, not_implemented
from foundry_emulator.dataplane.vector_stores import VectorStores

_MAX_BYTES = 512 * 1024 * 1024  # OpenAI's limit [docs]
_PURPOSES = frozenset({"assistants", "batch", "fine-tune", "vision", "user_data", "evals"})
_MOST_LISTED = 10_000
_MULTIPART = re.compile(r"multipart/form-data\b", re.IGNORECASE)


class FileOperations:
    """Serves the files of a project."""

    def __init__(self, files: Files, stores: VectorStores) -> None:
        self._files = files
        self._stores = stores

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation name in the parity ledger."""
        return {
            "files.create": self.create,
            "files.list": self.list,
            "files.retrieve": self.retrieve,
            "files.content": self.content,
            "files.delete": self.delete,
        }

    async def create(self, call: Call) -> Response:
        """Handle POST ``/files``, multipart: ``file`` with a filename, and ``purpose``."""
        content_type = call.request.headers.get("content-type", "")
        if not _MULTIPART.match(content_type):
            raise invalid("A file is uploaded as multipart/form-data.", "file")
        parts = await read_parts(content_type, call.chunks(_MAX_BYTES), limit=_MAX_BYTES)
        missing = [name for name in ("file", "purpose") if name not in parts]
        if missing:
            raise invalid(f"The multipart body lacks the part '{missing[0]}'.", missing[0])
        if any(name.startswith("expires_after") for name in parts):
            raise not_implemented("expires_after of a file")
        purpose = parts["purpose"].content.decode(errors="replace")
        if purpose not in _PURPOSES:
            raise invalid(f"purpose must be one of {', '.join(sorted(_PURPOSES))}.", "purpose")
        content, name = parts["file"].content, parts["file"].filename
        if not name:
            raise invalid("The part 'file' must have a filename.", "file")
        document = self._files.create(call.project.name, filename=name, purpose=purpose, content=content)
        return answer(document)

    async def list(self, call: Call) -> Response:
        """Handle GET ``/files?purpose=&limit=&order=&after=``, newest first."""
        purpose = call.query.get("purpose")
        found = [f for f in self._files.of_project(call.project.name) if purpose in {None, f["purpose"]}]
        return answer(listed(found, call.query, most=_MOST_LISTED))

    async def retrieve(self, call: Call) -> Response:
        """Handle GET ``/files/{id}``."""
        return answer(self._files.get(call.project.name, call.path["file"]))

    async def content(self, call: Call) -> Response:
        """Handle GET ``/files/{id}/content``: the bytes."""
        identity = str(self._files.get(call.project.name, call.path["file"])["id"])
        content = self._files.content(call.project.name, identity)
        return Response(content, headers={"content-type": "application/octet-stream"})

    async def delete(self, call: Call) -> Response:
        """Handle DELETE ``/files/{id}``; every vector store loses it too."""
        identity = str(self._files.get(call.project.name, call.path["file"])["id"])
        self._stores.forget_file(call.project.name, identity)
        self._files.delete(call.project.name, identity)
        return answer({"id": identity, "object": "file", "deleted": True})
