"""Bends a true answer as a fault's Effect says, piece by piece; the same for whoever holds the bytes."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Protocol

from chaos.errors import Wording, error_body, error_event
from chaos.injectors.shaping import UPSTREAM_ERROR, EventSplitter, Rewrite, halve, halve_event
from chaos.model import Effect
from monitor.sse import DONE, EventReader, bears_content

_AFTER = ("stall_after", "cut_after", "reset_after", "end_after", "error_after", "malformed_after")
_BODY_LIMIT = 4 * 1024 * 1024
_LAST = re.compile(r'"type":\s*"(message_delta|response\.(completed|incomplete|failed))"')
_STEPS_A_SECOND = 10
"""Into how many pieces a second of a slow body is cut."""


class CutError(Exception):
    """The answer ends here, in its middle."""


class ResetError(CutError):
    """It does not just end: the connection is reset."""


class Hold(Protocol):
    """Waits, but not beyond the end of the injection."""

    async def __call__(self, seconds: float = math.inf) -> None: ...


def bends(effect: Effect) -> bool:
    """Whether an effect changes a true answer, or when it comes."""
    slows = effect.first_token_delay > 0 or effect.chunk_delay > 0 or effect.bytes_per_second is not None
    return slows or effect.rewrite is not None or any(getattr(effect, name) is not None for name in _AFTER)


def bend(
    pieces: AsyncIterable[bytes], effect: Effect, hold: Hold, words: Wording, *, streamed: bool
) -> AsyncGenerator[bytes, None]:
    """The answer as the effect changes it, errors worded as the endpoint does. Raises CutError."""
    bent = _Stream(effect, hold, words).bend(pieces) if streamed else _plain(pieces, effect, hold, words)
    return bent if effect.bytes_per_second is None else _slowly(bent, effect.bytes_per_second, hold)


async def _plain(
    pieces: AsyncIterable[bytes], effect: Effect, hold: Hold, words: Wording
) -> AsyncGenerator[bytes, None]:
    """An answer of one piece: 0 events are before its body, any more are in the middle of it."""
    await hold(effect.first_token_delay + effect.chunk_delay)
    body = await _whole(pieces)
    if effect.rewrite is not None:
        body = Rewrite(effect.rewrite).body(body)
    if effect.error_after is not None:
        body = error_body(effect.error or UPSTREAM_ERROR, words)
    if effect.malformed_after is not None:
        body = halve(body)
    ends = (effect.stall_after, effect.cut_after, effect.reset_after, effect.end_after)
    breaks = [after for after in ends if after is not None]
    begun = halve(body) if breaks and min(breaks) > 0 else b""
    if begun:
        yield begun
    if effect.stall_after is not None:
        await hold()
    if effect.reset_after is not None:
        raise ResetError
    if effect.cut_after is not None:
        raise CutError
    if effect.end_after is None:
        yield body[len(begun) :]


class _Stream:
    """An event stream. A fault due after more events than there are comes before the stream's end."""

    def __init__(self, effect: Effect, hold: Hold, words: Wording) -> None:
        self._effect = effect
        self._hold = hold
        self._words = words
        self._rewrite = Rewrite(effect.rewrite) if effect.rewrite is not None else None
        self._sent = self._events = 0
        self._due = {name: after for name in _AFTER if (after := getattr(effect, name)) is not None}

    async def bend(self, pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        async for block in _blocks(pieces):
            data = next(EventReader().feed(block), "")
            token, last = bears_content(data), is_last(data)
            self._events += 1
            if self._due.get("reset_after") == 0:  # before anything at all
                raise ResetError
            if token:
                await self._hold(self._effect.chunk_delay if self._sent else self._effect.first_token_delay)
            if token or last:
                due = await self._strike(last=last)
                if "end_after" in due:
                    return
                if "error_after" in due:
                    yield self._error()
                    return
                if "malformed_after" in due:
                    yield halve_event(block)
                    continue
            self._sent += token
            yield self._rewrite.event(block, data) if self._rewrite else block
        if "error_after" in await self._strike(last=True):  # it ended without its last event
            yield self._error()

    def _error(self) -> bytes:
        return error_event(self._effect.error or UPSTREAM_ERROR, self._words, number=max(self._events - 1, 0))

    async def _strike(self, *, last: bool) -> set[str]:
        """Perform what is due before the next event; what changes that event is returned."""
        due = {name for name, after in self._due.items() if last or self._sent >= after}
        for name in due:
            del self._due[name]
        if "stall_after" in due:
            await self._hold()
        if "reset_after" in due:
            raise ResetError
        if "cut_after" in due:
            raise CutError
        return due


def is_last(data: str) -> bool:
    """OpenAI's mark of the end, or what comes after the last token of Messages and of Responses."""
    return data == DONE or _LAST.search(data[:200]) is not None


async def _slowly(pieces: AsyncGenerator[bytes, None], rate: float, hold: Hold) -> AsyncGenerator[bytes, None]:
    """So many bytes a second. A wait that the end of the injection cuts short lets the rest through at once."""
    step = max(1, int(rate / _STEPS_A_SECOND))
    try:
        async for piece in pieces:
            for at in range(0, len(piece), step):
                part = piece[at : at + step]
                await hold(len(part) / rate)
                yield part
    finally:
        await pieces.aclose()


async def _whole(pieces: AsyncIterable[bytes]) -> bytes:
    body = b""
    async for piece in pieces:
        body += piece
        if len(body) > _BODY_LIMIT:
            break
    return body


async def _blocks(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    splitter = EventSplitter()
    async for piece in pieces:
        for block in splitter.feed(piece):
            yield block
    if splitter.rest:
        yield splitter.rest
