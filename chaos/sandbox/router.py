"""Calls one endpoint after the other until one gives a first token, as a router does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Protocol

from chaos.faults.replies import reply
from chaos.model import Connect, Effect, ErrorReply
from chaos.sandbox.answers import refuses_reasoning_off
from chaos.sandbox.breaks import Breaks
from chaos.sandbox.catalogue import Endpoint
from chaos.sandbox.replies import Exchange, Tried
from chaos.sandbox.wanted import Wanted
from monitor.clock import Clock

JITTER = 0.15
KEEP_ALIVE_EVERY = 1.0
"""Seconds between the comments that keep a stream alive while an endpoint is silent."""
REACHED = 0.3
"""The share of the time to the first token after which an endpoint has accepted or refused a request."""

_TIMED_OUT = reply(408, message="The provider did not answer in time")
_INVALID = reply(502, message="The provider gave no valid answer")
_WHOLE = Effect()
_UNREACHABLE: Mapping[Connect | None, ErrorReply] = {
    Connect.REFUSE: reply(502, message="The provider refused the connection"),
    Connect.DNS: reply(502, message="The provider's name cannot be resolved"),
    Connect.TLS: reply(502, message="The TLS handshake with the provider failed"),
    None: reply(502, message="The provider reset the connection"),
}


class Line(Protocol):
    """The caller's end of an exchange while the router is still looking for an answer."""

    async def open(self) -> None:
        """An endpoint has accepted: tell the caller that something is coming."""
        ...

    async def keep_alive(self) -> None: ...


class Router:
    """``timeout``: how long it waits for an endpoint's first token, in seconds, before it tries the next."""

    def __init__(self, breaks: Breaks, clock: Clock, rng: Random, timeout: float) -> None:
        self._breaks = breaks
        self._clock = clock
        self._rng = rng
        self._timeout = timeout

    async def walk(self, exchange: Exchange, line: Line) -> tuple[Exchange, Effect]:
        """Any error before the first token moves on, to the next provider and then to the next model.

        The exchange comes back with what was tried, the last one being the answer, and the rest of its fault.
        """
        effect, visit = _WHOLE, self._breaks.visit()
        for endpoint in exchange.available:
            effect = visit.strike(endpoint.model.id, endpoint.provider) or _WHOLE
            begun = self._clock.monotonic()
            error = await self._call(endpoint, effect, exchange.wanted, line)
            seconds = self._clock.monotonic() - begun
            exchange = replace(
                exchange, tried=(*exchange.tried, Tried(endpoint=endpoint, error=error, seconds=seconds))
            )
            if error is None:
                break
        return exchange, effect

    def jittered(self, seconds: float) -> float:
        return seconds * self._rng.uniform(1 - JITTER, 1 + JITTER)

    async def _call(self, endpoint: Endpoint, effect: Effect, wanted: Wanted, line: Line) -> ErrorReply | None:
        """What the router sees of one endpoint up to its first token: None when it answers."""
        deadline = self._clock.monotonic() + self._timeout
        first_token = self.jittered(endpoint.first_token)
        if effect.connect is not None or effect.reset:
            return _UNREACHABLE[effect.connect]
        if not await self._wait(effect.connect_delay + effect.delay + first_token * REACHED, deadline, None):
            return _TIMED_OUT
        refused = _refused(endpoint, effect, wanted)
        if refused is not None:
            return refused
        await line.open()
        if not await self._wait(effect.first_token_delay + first_token * (1 - REACHED), deadline, line):
            return _TIMED_OUT
        if _breaks_off(effect.stall_after, wanted):
            await self._wait(self._timeout, deadline, line)
            return _TIMED_OUT
        ends = (effect.cut_after, effect.reset_after, effect.end_after, effect.malformed_after)
        if any(_breaks_off(after, wanted) for after in ends):
            return _INVALID
        return None

    async def _wait(self, seconds: float, deadline: float, line: Line | None) -> bool:
        """False when the deadline comes first. Waits in pieces where a caller has to be kept in good hope."""
        left = deadline - self._clock.monotonic()
        in_time, left = seconds < left, min(seconds, left)
        while line is not None and left > KEEP_ALIVE_EVERY:
            await self._clock.sleep(KEEP_ALIVE_EVERY)
            await line.keep_alive()
            left -= KEEP_ALIVE_EVERY
        await self._clock.sleep(left)
        return in_time


def _refused(endpoint: Endpoint, effect: Effect, wanted: Wanted) -> ErrorReply | None:
    if effect.error is not None and effect.error_after is None:
        return effect.error
    if effect.raw is not None:
        return _INVALID
    if wanted.max_tokens is not None and wanted.max_tokens < endpoint.least_tokens:
        return reply(400, message=f"Invalid 'max_output_tokens': expected a value >= {endpoint.least_tokens}")
    if refuses_reasoning_off(wanted, endpoint.model):
        return reply(400, message="Reasoning is mandatory for this endpoint and cannot be disabled.")
    return None


def _breaks_off(after: int | None, wanted: Wanted) -> bool:
    """Of a plain answer nothing has been passed on yet, so the router can still move on when it breaks off."""
    return after is not None and (after == 0 or not wanted.stream)
