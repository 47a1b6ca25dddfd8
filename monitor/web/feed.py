"""What happens, told to every page that listens: bounded in clients, in what waits for each, and in what is kept.

Nothing here waits for a page: one that reads too slowly is let go, comes back, and is told what it missed, or to load
itself anew where that is no longer kept.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.model import new_id

CLIENTS = 64
WAITING = 256
"""Messages that may wait for one client."""
KEPT = 512
"""Messages that a client who comes back can still be told."""
REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``data`` is JSON in one line."""

    id: str
    event: str
    data: str

    def encode(self) -> bytes:
        """As server-sent events want it."""
        return f"id: {self.id}\nevent: {self.event}\ndata: {self.data}\n\n".encode()


class Listener:
    """One client's queue. ``lost``: set once it has fallen too far behind, or everything ends."""

    def __init__(self, waiting: int) -> None:
        self._limit = waiting
        self._messages: deque[Message] = deque()
        self._came = asyncio.Event()
        self.lost = asyncio.Event()
        self.slow = False

    def put(self, message: Message) -> None:
        if len(self._messages) >= self._limit:
            self.slow = True
            self.lost.set()
            return
        self._messages.append(message)
        self._came.set()

    async def take(self) -> tuple[Message, ...]:
        """Whatever waits, at least one."""
        await self._came.wait()
        self._came.clear()
        found = tuple(self._messages)
        self._messages.clear()
        return found


class Feed:
    """``publish`` from anywhere in the loop; ``listen`` for each client."""

    def __init__(self, *, clients: int = CLIENTS, waiting: int = WAITING, kept: int = KEPT) -> None:
        self._clients, self._waiting = clients, waiting
        self._run = new_id()  # another run of the daemon counts from the start again
        self._numbers = itertools.count(1)
        self._kept: deque[Message] = deque(maxlen=kept)
        self._listeners: set[Listener] = set()
        self._last = f"{self._run}-0"

    @property
    def last(self) -> str:
        """The id of the newest message: a page that was made now has seen all up to it."""
        return self._last

    @property
    def clients(self) -> int:
        return len(self._listeners)

    def publish(self, event: str, data: Mapping[str, Any]) -> None:
        self._last = f"{self._run}-{next(self._numbers)}"
        message = Message(id=self._last, event=event, data=json.dumps(data, separators=(",", ":"), allow_nan=False))
        self._kept.append(message)
        for listener in self._listeners:
            listener.put(message)

    def listen(self, after: str | None) -> Listener | None:
        """None when there are as many clients as may be. ``after``: the id of the last message that was seen; what came
        since waits already, or a refresh where it is not known any more."""
        if len(self._listeners) >= self._clients:
            return None
        listener = Listener(self._waiting)
        for message in self._since(after):
            listener.put(message)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def close(self) -> None:
        """Let every client go, so that a stop need not wait for them."""
        for listener in self._listeners:
            listener.lost.set()

    def _since(self, after: str | None) -> tuple[Message, ...]:
        if after is None or after == self._last:
            return ()
        run, _, number = after.rpartition("-")
        kept = [message for message in self._kept if _number(message.id) > _as_number(number)]
        first = _number(self._kept[0].id) if self._kept else 0
        if run != self._run or _as_number(number) < first - 1 or len(kept) > self._waiting:
            return (Message(id=self._last, event=REFRESH, data="{}"),)
        return tuple(kept)


def _number(id_: str) -> int:
    return _as_number(id_.rpartition("-")[2])


def _as_number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 16 else -1
