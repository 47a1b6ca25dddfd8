"""Bends a true answer as a fault's Effect says, piece by piece; the same for whoever holds the bytes."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Protocol

from chaos.faults.shape import error_body
from chaos.injectors.shaping import UPSTREAM_ERROR, EventSplitter, Rewrite, error_event, halve, halve_event
from chaos.model import Effect
from monitor.sse import DONE, EventReader, bears_content

_AFTER = ("stall_after", "cut_after", "error_after", "malformed_after")
_BODY_LIMIT = 4 * 1024 * 1024


class CutError(Exception):
    """The answer ends here, in its middle."""


class Hold(Protocol):
    """Waits, but not beyond the end of the injection."""

    async def __call__(self, seconds: float = math.inf) -> None: ...


def bends(effect: Effect) -> bool:
    """Whether an effect changes a true answer, or when it comes."""
    slows = effect.first_token_delay > 0 or effect.chunk_delay > 0
    return slows or effect.rewrite is not None or any(getattr(effect, name) is not None for name in _AFTER)


async def bend_plain(pieces: AsyncIterable[bytes], effect: Effect, hold: Hold) -> AsyncGenerator[bytes, None]:
    """An answer of one piece: 0 events are before its body, any more are in the middle of it. Raises CutError."""
    await hold(effect.first_token_delay + effect.chunk_delay)
    body = await _whole(pieces)
    if effect.rewrite is not None:
        body = Rewrite(effect.rewrite).body(body)
    if effect.error_after is not None:
        body = error_body(effect.error or UPSTREAM_ERROR)
    if effect.malformed_after is not None:
        body = halve(body)
    breaks = [after for after in (effect.stall_after, effect.cut_after) if after is not None]
    begun = halve(body) if breaks and min(breaks) > 0 else b""
    if begun:
        yield begun
    if effect.stall_after is not None:
        await hold()
    if effect.cut_after is not None:
        raise CutError
    yield body[len(begun) :]


def bend_stream(pieces: AsyncIterable[bytes], effect: Effect, hold: Hold) -> AsyncGenerator[bytes, None]:
    """An event stream. A fault due after more events than there are comes before the stream's end. Raises CutError."""
    return _Stream(effect, hold).bend(pieces)


class _Stream:
    def __init__(self, effect: Effect, hold: Hold) -> None:
        self._effect = effect
        self._hold = hold
        self._rewrite = Rewrite(effect.rewrite) if effect.rewrite is not None else None
        self._sent = 0
        self._due = {name: after for name in _AFTER if (after := getattr(effect, name)) is not None}

    async def bend(self, pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        async for block in _blocks(pieces):
            data = next(EventReader().feed(block), "")
            token, last = bears_content(data), data == DONE
            if token:
                await self._hold(self._effect.chunk_delay if self._sent else self._effect.first_token_delay)
            if token or last:
                if "error_after" in (due := await self._strike(last=last)):
                    yield error_event(self._effect.error or UPSTREAM_ERROR)
                    return
                if "malformed_after" in due:
                    yield halve_event(block)
                    continue
            self._sent += token
            yield self._rewrite.event(block, data) if self._rewrite else block
        if "error_after" in await self._strike(last=True):  # it ended without [DONE]
            yield error_event(self._effect.error or UPSTREAM_ERROR)

    async def _strike(self, *, last: bool) -> set[str]:
        """Perform what is due before the next event; what changes that event is returned."""
        due = {name for name, after in self._due.items() if last or self._sent >= after}
        for name in due:
            del self._due[name]
        if "stall_after" in due:
            await self._hold()
        if "cut_after" in due:
            raise CutError
        return due


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
