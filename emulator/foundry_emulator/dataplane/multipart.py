"""Multipart request bodies (RFC 7578), parsed by Starlette and python-multipart."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from foundry_emulator.dataplane.problem import invalid


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body.

    Attributes:
        content: The bytes.
        filename: The file name that the part declares; None for a plain field.
    """

    content: bytes
    filename: str | None = None


async def read_parts(content_type: str, chunks: AsyncGenerator[bytes, None], *, limit: int) -> dict[str, Part]:
    """Return the parts by name; of parts with the same name, the last.

    Args:
        content_type: The request's header.
        chunks: The body as it arrives; large files go to disk meanwhile.
        limit: The most bytes that a field may have.

    Raises:
        ServiceProblem: 400 for a body that is not valid.
    """
    try:
        form = await _Parser(content_type, chunks, limit).parse()
    except MultiPartException as problem:
        raise invalid(f"The multipart body is not valid: {problem.message}") from None
    try:
        return {name: await _part(value) for name, value in form.multi_items()}
    finally:
        await form.close()


class _Parser(MultiPartParser):
    """Starlette's parser; it also refuses a body that stops before its last boundary, as a cut connection leaves it."""

    def __init__(self, content_type: str, chunks: AsyncGenerator[bytes, None], limit: int) -> None:
        super().__init__(Headers({"content-type": content_type}), self._complete(chunks), max_part_size=limit)
        self._has_ended = False

    def on_end(self) -> None:
        self._has_ended = True

    async def _complete(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in chunks:
            yield chunk
        if not self._has_ended:
            raise MultiPartException("It has no closing boundary.")


async def _part(value: UploadFile | str) -> Part:
    return Part(value.encode()) if isinstance(value, str) else Part(await value.read(), value.filename)
