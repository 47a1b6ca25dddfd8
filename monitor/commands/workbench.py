"""What a command needs to ask by itself, without a daemon: endpoints, a prober, and the sandbox if wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from chaos.sandbox import Sandbox
from monitor.clock import Clock, SystemClock
from monitor.config.model import Config
from monitor.drift import discovered_now
from monitor.endpoints import Endpoints, on_sandbox
from monitor.probes import Prober


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    config: Config
    endpoints: Endpoints
    prober: Prober
    clock: Clock
    rng: Random


@asynccontextmanager
async def workbench(config: Config, *, sandbox: bool) -> AsyncIterator[Workbench]:
    """Ready to ask, catalogues read and providers discovered; everything is closed again at the end."""
    inside = Sandbox() if sandbox else None
    if inside:
        config = on_sandbox(config, await inside.start())
    clock, rng = SystemClock(), Random()
    endpoints = Endpoints(config, clock)
    try:
        await endpoints.refresh()
        config = discovered_now(config, endpoints.catalogue)
        prober = Prober(
            config=config, transport=endpoints.transport, catalogue=endpoints.catalogue, clock=clock, rng=rng
        )
        yield Workbench(config=config, endpoints=endpoints, prober=prober, clock=clock, rng=rng)
    finally:
        await endpoints.close()
        if inside:
            await inside.stop()
