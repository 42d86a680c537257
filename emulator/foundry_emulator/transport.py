"""A transport that sends several writes at once: head and body of a response as one TLS record."""

from __future__ import annotations

import asyncio


class Joining(asyncio.Transport):
    """Buffers writes until the running callback ends, then sends them at once.

    The response of a version read then costs one encryption and one system call instead of two. Closing sends
    the buffer, aborting drops it.

    Args:
        inner: The transport that sends.
        loop: The running loop.
    """

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._inner = inner
        self._loop = loop
        self._kept: list[bytes | bytearray | memoryview] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Buffer ``data`` until the end of the running callback."""
        if not self._kept:
            self._loop.call_soon(self._flush)
        self._kept.append(data)

    def close(self) -> None:
        """Send the buffer and close."""
        self._flush()
        self._inner.close()

    def abort(self) -> None:
        """Drop the buffer and the connection."""
        self._kept.clear()
        self._inner.abort()

    def is_closing(self) -> bool:
        """Return whether it is closing or closed."""
        return self._inner.is_closing()

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return what the inner transport knows."""
        return self._inner.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Stop reading."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Resume reading."""
        self._inner.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Set the protocol of the connection."""
        self._inner.set_protocol(protocol)

    def _flush(self) -> None:
        kept, self._kept = self._kept, []
        if kept and not self._inner.is_closing():
            self._inner.write(b"".join(kept))
