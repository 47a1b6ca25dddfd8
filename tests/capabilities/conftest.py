"""A sandbox with a prober on it, and the config of one chain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import pytest

from chaos.sandbox import Sandbox
from monitor.catalogue import read_catalogue
from monitor.clock import SystemClock
from monitor.config.model import Config
from monitor.model import Outcome, ProbeSpec
from monitor.offering import Catalogue
from monitor.probes import Prober, expand
from monitor.transport import AioTransport
from tests.probes.conftest import clock, config, prober

__all__ = ["clock", "config", "prober"]


class Watched:
    """A sandbox and what is asked of it; without ``read_catalogue`` nothing is known beforehand."""

    def __init__(self, sandbox: Sandbox, url: str, make: Callable[..., Config]) -> None:
        self.sandbox = sandbox
        self.catalogue = Catalogue()
        self.transport = AioTransport()
        self._url = url
        self._make = make

    async def read_catalogue(self, *models: str) -> None:
        endpoint = self._make({"mode": "client", "targets": [{"label": "a", "model": "m"}]}, url=self._url)
        router = endpoint.endpoints["router"]
        self.catalogue = await read_catalogue(self.transport, router, "key", models, SystemClock())

    async def ask(self, chain: dict[str, Any], key: str, **more: Any) -> Outcome:
        built = self._make(chain, url=self._url)
        spec: ProbeSpec = next(spec for spec in expand(built) if spec.key == key)
        asking = Prober(
            config=built,
            transport=lambda _: self.transport,
            catalogue=lambda _: self.catalogue,
            clock=SystemClock(),
            rng=Random(3),
        )
        return await asking.probe(spec, **more)


@pytest.fixture
async def watched(config: Callable[..., Config]) -> AsyncIterator[Watched]:
    sandbox = Sandbox()
    one = Watched(sandbox, await sandbox.start(), config)
    yield one
    await one.transport.aclose()
    await sandbox.stop()
