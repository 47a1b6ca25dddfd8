"""A streamed answer on its way to the caller: keep-alives, chunks at the endpoint's rate, and what breaks it off."""

from __future__ import annotations

from aiohttp import web

from chaos.faults.replies import reply
from chaos.model import Effect
from chaos.sandbox import replies, wire
from chaos.sandbox.answers import Said
from chaos.sandbox.replies import Exchange
from chaos.sandbox.router import KEEP_ALIVE_EVERY
from monitor.clock import Clock

MALFORMED = b'data: {"id": "gen-\n\n'
BROKE_OFF = reply(502, message="The provider broke off")
_AHEAD = 0.002
"""Seconds by which a chunk may come early: shorter sleeps cost more than they are worth."""


class Stream:
    def __init__(self, request: web.Request, id_: str, clock: Clock) -> None:
        self._request = request
        self._clock = clock
        self._response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-cache",
                "X-Generation-Id": id_,
            }
        )

    @property
    def is_open(self) -> bool:
        return self._response.prepared

    async def open(self) -> None:
        """Send the head and a first comment; only the first time."""
        if not self.is_open:
            await self._response.prepare(self._request)
            await self.keep_alive()

    async def keep_alive(self) -> None:
        await self._response.write(replies.KEEP_ALIVE)

    async def end_with(self, body: object) -> web.StreamResponse:
        await self._response.write(replies.event(body))
        await self._response.write_eof()
        return self._response

    async def tell(self, exchange: Exchange, said: Said, effect: Effect, pause: float) -> web.StreamResponse:
        """Chunk by chunk, ``pause`` seconds apart. A fault due after more than there are comes at the last."""
        await self.open()
        begun = self._clock.monotonic()
        for number, chunk in enumerate(replies.chunks(exchange, said)):
            ends = chunk["choices"][0]["finish_reason"] is not None
            await self._pace(begun + number * pause)
            if _due(effect.reset_after, number, ends=ends):
                wire.reset(self._request)
                return self._response
            if _due(effect.cut_after, number, ends=ends):
                wire.close(self._request)
                return self._response
            if _due(effect.end_after, number, ends=ends):
                await self._response.write_eof()
                return self._response
            if _due(effect.stall_after, number, ends=ends):
                await self._stall()
            if _due(effect.error_after, number, ends=ends):
                return await self.end_with(replies.error_chunk(exchange, effect.error or BROKE_OFF))
            malformed = _due(effect.malformed_after, number, ends=ends)
            await self._write(MALFORMED if malformed else replies.event(chunk), effect)
        await self._response.write(replies.event(replies.last_chunk(exchange, said)) + replies.DONE)
        await self._response.write_eof()
        return self._response

    async def _write(self, data: bytes, effect: Effect) -> None:
        if effect.bytes_per_second is not None:
            await self._clock.sleep(len(data) / effect.bytes_per_second)
        await self._response.write(data)

    async def _pace(self, due: float) -> None:
        early = due - self._clock.monotonic()
        if early > _AHEAD:
            await self._clock.sleep(early)

    async def _stall(self) -> None:
        """A stalled upstream looks alive: the router goes on with its comments until the caller leaves."""
        while True:
            await self._clock.sleep(KEEP_ALIVE_EVERY)
            await self.keep_alive()


def _due(after: int | None, number: int, *, ends: bool) -> bool:
    return after is not None and (number == after or (ends and number < after))
