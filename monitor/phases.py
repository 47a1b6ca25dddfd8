"""How long the phases of one request take: the wait for a connection of our own, DNS, TCP, TLS."""

from __future__ import annotations

import ssl
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp


@dataclass(slots=True)
class Phases:
    """``begun`` holds the starts; ``seconds``, by phase, what is over: ``queued``, ``dns``, ``connect``, ``tls``."""

    begun: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def begin(self, phase: str) -> None:
        self.begun[phase] = time.perf_counter()

    def end(self, phase: str) -> None:
        self.seconds[phase] = time.perf_counter() - self.begun[phase]

    def connected(self) -> None:
        """aiohttp times a connection as a whole: what was not DNS and not TLS was TCP."""
        if "tls" in self.begun:
            self.end("tls")
        self.end("connect")
        self.seconds["connect"] -= self.seconds.get("dns", 0.0) + self.seconds.get("tls", 0.0)

    def unfinished(self, phase: str) -> bool:
        """Whether the phase has begun and not ended."""
        return phase in self.begun and phase not in self.seconds


CURRENT: ContextVar[Phases | None] = ContextVar("phases", default=None)
"""Of the request that is being sent: a TLS context is shared by all requests and is told of none."""


class TimedContext(ssl.SSLContext):
    """Notes when a handshake begins, which aiohttp's tracing does not tell."""

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        if phases := CURRENT.get():
            phases.begin("tls")
        return super().wrap_bio(*args, **kwargs)


class _Signal(Protocol):
    async def __call__(self, session: Any, context: Any, params: Any, /) -> None: ...


def _begin(phase: str) -> _Signal:
    async def signal(_session: Any, context: Any, _params: Any, /) -> None:
        context.trace_request_ctx.begin(phase)

    return signal


def _end(phase: str) -> _Signal:
    async def signal(_session: Any, context: Any, _params: Any, /) -> None:
        context.trace_request_ctx.end(phase)

    return signal


async def _connected(_session: Any, context: Any, _params: Any, /) -> None:
    context.trace_request_ctx.connected()


def tracing() -> aiohttp.TraceConfig:
    """Fills the Phases given to a request as ``trace_request_ctx``."""
    config = aiohttp.TraceConfig()
    config.on_connection_queued_start.append(_begin("queued"))
    config.on_connection_queued_end.append(_end("queued"))
    config.on_dns_resolvehost_start.append(_begin("dns"))
    config.on_dns_resolvehost_end.append(_end("dns"))
    config.on_connection_create_start.append(_begin("connect"))
    config.on_connection_create_end.append(_connected)
    return config
