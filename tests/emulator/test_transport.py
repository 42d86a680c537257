from __future__ import annotations

import asyncio

from foundry_emulator.transport import Joining


class Inner(asyncio.Transport):
    """Records the calls that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[object] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.calls.append(bytes(data))

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")

    def is_closing(self) -> bool:
        return "close" in self.calls or "abort" in self.calls


async def calls_of(*steps: str) -> list[object]:
    inner = Inner()
    joining = Joining(inner, asyncio.get_running_loop())
    for step in steps:
        if step == "pause":
            await asyncio.sleep(0)
        elif step in {"close", "abort"}:
            getattr(joining, step)()
        else:
            joining.write(step.encode())
    await asyncio.sleep(0)
    return inner.calls


def test_writes_of_one_callback_are_sent_at_once() -> None:
    assert asyncio.run(calls_of("head", "body", "pause", "more")) == [b"headbody", b"more"]


def test_closing_sends_the_buffer_and_aborting_drops_it() -> None:
    assert asyncio.run(calls_of("head", "close")) == [b"head", "close"]
    assert asyncio.run(calls_of("head", "abort")) == ["abort"]
