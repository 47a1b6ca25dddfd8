"""A notifier that fails as it is told, and keeps what got through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitor.model import Notice


class Recorder:
    """A notifier that fails as it is told, and keeps what got through."""

    def __init__(self, name: str = "slack") -> None:
        self.name = name
        self.fails: Callable[[Notice], BaseException | None] = lambda _: None
        self.got: list[tuple[Notice, str | None]] = []
        self.tried: list[Notice] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = 0

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        self.tried.append(notice)
        await self.gate.wait()
        if error := self.fails(notice):
            raise error
        self.got.append((notice, ref))
        return ref or f"C1:{len(self.got)}"

    async def close(self) -> None:
        self.closed += 1

    @property
    def said(self) -> list[str]:
        return [f"{value.incident} {value.state}" for value, _ in self.got]


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)
