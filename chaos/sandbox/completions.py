"""``POST /chat/completions``: routes a request, calls one endpoint after the other, and answers, plain or streamed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from aiohttp import web

from chaos.faults.shape import error_headers, error_object
from chaos.model import Connect, Effect, ErrorReply
from chaos.sandbox import replies, wire
from chaos.sandbox.answers import Said, say
from chaos.sandbox.breaks import Breaks
from chaos.sandbox.catalogue import SandboxCatalogue
from chaos.sandbox.replies import Exchange, Tried
from chaos.sandbox.routing import route
from chaos.sandbox.wanted import Rejected, Wanted, read
from monitor.clock import Clock

METADATA_HEADERS = ("X-OpenRouter-Metadata", "X-OpenRouter-Experimental-Metadata")
KEEP_ALIVE_EVERY = 1.0
NONSENSE = "I would rather not say."
STRANGER = "sandbox/another-model"

_TIMED_OUT = ErrorReply(status=408, error_type="timeout", message="The provider did not answer in time")
_NO_ANSWER = ErrorReply(status=502, error_type="provider_unavailable", message="The provider gave no valid answer")
_BROKE_OFF = ErrorReply(status=502, error_type="provider_unavailable", message="The provider broke off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of one request, for the record: the exchange, what was said, and the status that was sent."""

    exchange: Exchange | None
    said: Said | None
    status: int
    seconds: float


class Completions:
    """``timeout``: how long the router waits for an endpoint's first token, in seconds, before it tries the next."""

    def __init__(
        self,
        catalogue: SandboxCatalogue,
        breaks: Breaks,
        clock: Clock,
        seed: int,
        timeout: float,
        ended: Callable[[Ended], None],
    ) -> None:
        self._catalogue = catalogue
        self._breaks = breaks
        self._clock = clock
        self._seed = seed
        self._timeout = timeout
        self._ended = ended
        self._rng = Random(seed)

    async def answer(self, request: web.Request, *, id_: str, front: Effect | None) -> web.StreamResponse:
        """``front``: what is broken at the sandbox's own door, as far as it concerns the answer itself."""
        begun = self._clock.monotonic()
        wanted = read(await request.read(), self._catalogue)
        if isinstance(wanted, Rejected):
            return self._reject(wanted, id_, begun)
        found = route(wanted, self._catalogue, self._rng)
        wants_metadata = any(request.headers.get(name) == "enabled" for name in METADATA_HEADERS)
        exchange = Exchange(
            id=id_,
            created=int(self._clock.now()),
            wanted=wanted,
            available=() if isinstance(found, Rejected) else found.endpoints,
            tried=(),
            metadata=wants_metadata,
        )
        if isinstance(found, Rejected):
            body = {**replies.rejection(found), **replies.metadata(exchange)}
            self._ended(Ended(exchange=None, said=None, status=found.status, seconds=self._clock.monotonic() - begun))
            return _json(body, found.status, id_)
        exchange, effect = await self._try(exchange)
        if exchange.tried[-1].error is not None:
            return self._fail(exchange, begun)
        return await self._say(request, exchange, front or effect or Effect(), begun)

    async def _try(self, exchange: Exchange) -> tuple[Exchange, Effect | None]:
        """Call the endpoints in order until one gives a first token; any error before it moves on."""
        effect: Effect | None = None
        for endpoint in exchange.available:
            effect = self._breaks.strike(endpoint.model.id, endpoint.provider)
            begun = self._clock.monotonic()
            error = await self._call(effect, exchange.wanted)
            one = Tried(
                endpoint=endpoint,
                status=error.status if error else 200,
                error=error,
                seconds=self._clock.monotonic() - begun,
            )
            exchange = replace(exchange, tried=(*exchange.tried, one))
            if error is None:
                break
        return exchange, effect

    async def _call(self, effect: Effect | None, wanted: Wanted) -> ErrorReply | None:
        """What the router sees of one endpoint up to its first token: None when it answers."""
        if effect is None:
            return None
        if effect.connect is not None or effect.reset:
            return _unreachable(effect.connect)
        wait = effect.delay + effect.first_token_delay
        if wait >= self._timeout:
            await self._clock.sleep(self._timeout)
            return _TIMED_OUT
        await self._clock.sleep(wait)
        if effect.error is not None and effect.error_after is None:
            return effect.error
        if effect.raw is not None:
            return _NO_ANSWER
        return await self._broken_off(effect, wanted.stream)

    async def _broken_off(self, effect: Effect, stream: bool) -> ErrorReply | None:
        """Of a plain answer nothing has been sent on yet, so what breaks off in its middle can still move on."""
        before_first = not stream
        if effect.stall_after is not None and (before_first or effect.stall_after == 0):
            await self._clock.sleep(self._timeout)
            return _TIMED_OUT
        for after in (effect.cut_after, effect.malformed_after):
            if after is not None and (before_first or after == 0):
                return _NO_ANSWER
        return None

    def _reject(self, refused: Rejected, id_: str, begun: float) -> web.Response:
        self._ended(Ended(exchange=None, said=None, status=refused.status, seconds=self._clock.monotonic() - begun))
        return _json(replies.rejection(refused), refused.status, id_)

    def _fail(self, exchange: Exchange, begun: float) -> web.Response:
        last = exchange.tried[-1]
        self._ended(Ended(exchange=exchange, said=None, status=last.status, seconds=self._clock.monotonic() - begun))
        headers = error_headers(last.error) if last.error and last.status in (429, 503) else {}
        return _json(replies.failure(exchange), last.status, exchange.id, headers)

    async def _say(self, request: web.Request, exchange: Exchange, effect: Effect, begun: float) -> web.StreamResponse:
        said = _bent(say(exchange.wanted, exchange.endpoint.model, self._seed), effect)
        if effect.rewrite == "wrong_model":
            exchange = _as_stranger(exchange)
        try:
            if exchange.wanted.stream:
                return await self._stream(request, exchange, said, effect)
            return await self._plain(request, exchange, said, effect)
        finally:
            self._ended(Ended(exchange=exchange, said=said, status=200, seconds=self._clock.monotonic() - begun))

    async def _plain(self, request: web.Request, exchange: Exchange, said: Said, effect: Effect) -> web.StreamResponse:
        endpoint = exchange.endpoint
        await self._clock.sleep(self._jittered(endpoint.first_token + said.completion_tokens / endpoint.rate))
        body = replies.completion(exchange, said)
        if effect.error_after is not None:
            error = error_object(effect.error or _BROKE_OFF, endpoint.display)
            return _json({"error": error, **replies.metadata(exchange)}, 200, exchange.id)
        if effect.cut_after is not None:
            return await wire.cut(request, replies.encode(body))
        if effect.stall_after is not None:
            return await wire.stall(request, replies.encode(body))
        if effect.malformed_after is not None:
            whole = replies.encode(body)
            return web.Response(body=whole[: len(whole) // 2], content_type="application/json")
        return _json(body, 200, exchange.id)

    async def _stream(self, request: web.Request, exchange: Exchange, said: Said, effect: Effect) -> web.StreamResponse:
        endpoint = exchange.endpoint
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Generation-Id": exchange.id})
        response.headers["Cache-Control"] = "no-cache"
        await response.prepare(request)
        await response.write(replies.KEEP_ALIVE)
        await self._clock.sleep(self._jittered(endpoint.first_token))
        pause = effect.chunk_delay or self._jittered(1 / endpoint.rate)
        for number, chunk in enumerate(replies.chunks(exchange, said)):
            last = chunk["choices"][0]["finish_reason"] is not None
            if await self._strike(request, response, exchange, effect, number, last=last):
                return response
            if number:
                await self._clock.sleep(pause)
            if _due(effect.malformed_after, number, last=last):
                await response.write(b'data: {"id": "gen-broken", "choices": [\n\n')
                continue
            await response.write(replies.event(chunk))
        await response.write(replies.event(replies.last_chunk(exchange, said)) + replies.DONE)
        await response.write_eof()
        return response

    async def _strike(
        self,
        request: web.Request,
        response: web.StreamResponse,
        exchange: Exchange,
        effect: Effect,
        number: int,
        *,
        last: bool,
    ) -> bool:
        """Perform what is due before this chunk; True when that was the end of the stream."""
        if _due(effect.cut_after, number, last=last):
            wire.abort(request)
            return True
        if _due(effect.stall_after, number, last=last):
            await self._keep_alive_for_ever(response)
            return True
        if _due(effect.error_after, number, last=last):
            await response.write(
                replies.event(replies.error_chunk(exchange, effect.error or _BROKE_OFF)) + replies.DONE
            )
            await response.write_eof()
            return True
        return False

    async def _keep_alive_for_ever(self, response: web.StreamResponse) -> None:
        """A stalled upstream looks alive: the router goes on with its comments until the caller leaves."""
        with contextlib.suppress(ConnectionError):
            while True:
                await self._clock.sleep(KEEP_ALIVE_EVERY)
                await response.write(replies.KEEP_ALIVE)

    def _jittered(self, seconds: float) -> float:
        return seconds * self._rng.uniform(0.85, 1.15)


def _due(after: int | None, number: int, *, last: bool) -> bool:
    """At its event, or at the last one of an answer that is shorter."""
    return after is not None and (number == after or (last and number < after))


def _unreachable(connect: Connect | None) -> ErrorReply:
    what = {
        Connect.REFUSE: "refused the connection",
        Connect.DNS: "cannot be resolved",
        Connect.TLS: "failed the TLS handshake",
        None: "reset the connection",
    }[connect]
    return ErrorReply(status=502, error_type="provider_unavailable", message=f"The provider {what}")


def _bent(said: Said, effect: Effect) -> Said:
    if effect.rewrite == "empty_content":
        return replace(said, content="", tool_calls=(), completion_tokens=0)
    if effect.rewrite == "wrong_answer":
        return replace(said, content=NONSENSE, tool_calls=())
    if effect.rewrite == "starved":
        used = max(said.completion_tokens, 1)
        return replace(said, content="", tool_calls=(), finish="length", completion_tokens=used, reasoning_tokens=used)
    return said


def _as_stranger(exchange: Exchange) -> Exchange:
    endpoint = exchange.endpoint
    other = replace(endpoint, model=replace(endpoint.model, id=STRANGER, canonical=STRANGER))
    return replace(exchange, tried=(*exchange.tried[:-1], replace(exchange.tried[-1], endpoint=other)))


def _json(body: Mapping[str, Any], status: int, id_: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=replies.encode(body), status=status, content_type="application/json",
        headers={"X-Generation-Id": id_, **(headers or {})},
    )  # fmt: skip
