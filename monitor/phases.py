"""How long the phases of one request take: the wait for a connection of our own, DNS, TCP, TLS."""

from __future__ import annotations

import ssl
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from aiohttp.tracing import Trace


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


class ConnectionTrace(Trace):
    """Fills the phases of one request. aiohttp's own way of tracing costs a sixth of the request, most of it for what
    is not asked here."""

    def __init__(self, phases: Phases) -> None:
        self._phases = phases

    async def send_connection_queued_start(self) -> None:
        self._phases.begin("queued")

    async def send_connection_queued_end(self) -> None:
        self._phases.end("queued")

    async def send_dns_resolvehost_start(self, host: str) -> None:  # noqa: ARG002 - aiohttp's signature
        self._phases.begin("dns")

    async def send_dns_resolvehost_end(self, host: str) -> None:  # noqa: ARG002 - aiohttp's signature
        self._phases.end("dns")

    async def send_connection_create_start(self) -> None:
        self._phases.begin("connect")

    async def send_connection_create_end(self) -> None:
        self._phases.connected()

    async def send_connection_reuseconn(self) -> None: ...

    async def send_dns_cache_hit(self, host: str) -> None: ...

    async def send_dns_cache_miss(self, host: str) -> None: ...
