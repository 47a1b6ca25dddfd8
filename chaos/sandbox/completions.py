"""``POST /chat/completions``: a request is read and routed, and what comes of it is answered, plain or as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any

from aiohttp import web

from chaos.errors import error_headers
from chaos.faults.unfit import concerns
from chaos.model import Effect
from chaos.sandbox import replies
from chaos.sandbox.answers import Said, bend, say
from chaos.sandbox.catalogue import SandboxCatalogue
from chaos.sandbox.history import History
from chaos.sandbox.replies import Exchange
from chaos.sandbox.router import Router
from chaos.sandbox.routing import route
from chaos.sandbox.streams import BROKE_OFF, Stream
from chaos.sandbox.wanted import Rejected, parse, read
from monitor.clock import Clock

METADATA_HEADERS = ("X-OpenRouter-Metadata", "X-OpenRouter-Experimental-Metadata")
STRANGER = "sandbox/another-model"
LARGEST_BODY = 64 * 1024
"""Bytes; of larger requests only the size is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to the API. ``front``: what the sandbox's own door does to it; ``entry``: its line in the history."""

    id: str
    front: Effect
    entry: dict[str, Any]


class Completions:
    def __init__(
        self, catalogue: SandboxCatalogue, router: Router, history: History, clock: Clock, rng: Random, seed: int
    ) -> None:
        self._catalogue = catalogue
        self._router = router
        self._history = history
        self._clock = clock
        self._rng = rng
        self._seed = seed

    async def answer(self, call: Call, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = parse(raw)
        call.entry["body"] = body if len(raw) <= LARGEST_BODY else f"{len(raw)} bytes"
        wanted = read(body, self._catalogue)
        if isinstance(wanted, Rejected):
            return _json(replies.rejection(wanted), wanted.status)
        headers = request.headers
        asks_metadata = any(headers.get(name, "").lower() == "enabled" for name in METADATA_HEADERS)
        exchange = Exchange(id=call.id, created=int(self._clock.now()), wanted=wanted, metadata=asks_metadata)
        found = route(wanted, self._catalogue, self._rng)
        if isinstance(found, Rejected):
            return _json({**replies.rejection(found), **replies.metadata(exchange)}, found.status)
        exchange = replace(exchange, total=found.total, available=found.endpoints)
        return await self._serve(call, request, exchange)

    async def _serve(self, call: Call, request: web.Request, exchange: Exchange) -> web.StreamResponse:
        begun = self._clock.monotonic()
        stream = Stream(request, call.id, self._clock) if exchange.wanted.stream else None
        exchange, own = await self._router.walk(exchange, stream or _Silent())
        effect = _either(call.front, own)
        if effect.rewrite == "wrong_model" and exchange.tried[-1].error is None:
            exchange = _as_stranger(exchange)
        said = self._said(exchange, effect)
        cancelled = False
        try:
            return await self._send(exchange, said, effect, stream)
        except (asyncio.CancelledError, ConnectionError):
            cancelled = True
            raise
        finally:
            seconds = self._clock.monotonic() - begun
            call.entry["answered"] = self._history.note(exchange, said, cancelled=cancelled, seconds=seconds)

    def _said(self, exchange: Exchange, effect: Effect) -> Said | None:
        if exchange.tried[-1].error is not None:
            return None
        said = say(exchange.wanted, exchange.endpoint, self._seed)
        return bend(said, effect) if concerns(effect.rewrite, exchange.wanted.body) else said

    async def _send(
        self, exchange: Exchange, said: Said | None, effect: Effect, stream: Stream | None
    ) -> web.StreamResponse:
        if said is None:
            return await self._fail(exchange, stream)
        if stream is None:
            return await self._plain(exchange, said, effect)
        pause = effect.chunk_delay or self._router.jittered(1 / exchange.endpoint.rate)
        return await stream.tell(exchange, said, effect, pause)

    async def _fail(self, exchange: Exchange, stream: Stream | None) -> web.StreamResponse:
        """Once a stream has been opened its 200 stands, and the error is all of its payload."""
        body, last = replies.failure(exchange), exchange.tried[-1]
        if stream is not None and stream.is_open:
            return await stream.end_with(body)
        with_wait = last.error is not None and last.status in (429, 503)
        return _json(body, last.status, error_headers(last.error) if last.error and with_wait else None)

    async def _plain(self, exchange: Exchange, said: Said, effect: Effect) -> web.Response:
        """What the front door does to a plain answer happens to all of them alike, after this."""
        pace = effect.chunk_delay or self._router.jittered(1 / exchange.endpoint.rate)
        await self._clock.sleep(pace * said.completion_tokens)
        if effect.error_after is not None:
            return _json(replies.error_in_answer(exchange, effect.error or BROKE_OFF), 200)
        answer = _json(replies.completion(exchange, said), 200)
        if effect.bytes_per_second is not None and isinstance(answer.body, bytes):
            await self._clock.sleep(len(answer.body) / effect.bytes_per_second)
        return answer


class _Silent:
    """The line of a plain answer: nothing can be said before it is complete."""

    async def open(self) -> None:
        pass

    async def keep_alive(self) -> None:
        pass


def _either(front: Effect, own: Effect) -> Effect:
    """Both at once; where both say something the front door, which is nearer to the caller, wins."""
    chosen = {one.name: getattr(front, one.name) for one in fields(Effect)}
    return replace(own, **{name: value for name, value in chosen.items() if value != getattr(Effect(), name)})


def _as_stranger(exchange: Exchange) -> Exchange:
    endpoint = exchange.endpoint
    other = replace(endpoint, model=replace(endpoint.model, id=STRANGER, canonical=STRANGER))
    return replace(exchange, tried=(*exchange.tried[:-1], replace(exchange.tried[-1], endpoint=other)))


def _json(body: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=replies.encode(body), status=status, content_type="application/json", headers=headers or {}
    )
