from __future__ import annotations

import asyncio

from foundry_emulator.transport import Joining


class Inner(asyncio.Transport):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data))

    def close(self) -> None:
        self.told.append("close")

    def abort(self) -> None:
        self.told.append("abort")

    def is_closing(self) -> bool:
        return "close" in self.told or "abort" in self.told


async def told(*steps: str) -> list[object]:
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
    return inner.told


def test_what_is_written_in_one_go_is_sent_at_once() -> None:
    assert asyncio.run(told("head", "body", "pause", "more")) == [b"headbody", b"more"]


def test_closing_sends_what_is_kept_and_aborting_drops_it() -> None:
    assert asyncio.run(told("head", "close")) == [b"head", "close"]
    assert asyncio.run(told("head", "abort")) == ["abort"]
