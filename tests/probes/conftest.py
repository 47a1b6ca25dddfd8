"""A prober on a config of one chain, with a clock that moves only when told to."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from monitor.config.model import AlertsFile, ChainConfig, Config, EndpointConfig
from monitor.offering import Catalogue
from monitor.probes import Prober

URL = "http://upstream/api/v1"


class HandClock:
    """Time as the test wants it."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def config() -> Callable[..., Config]:
    def make(*chains: dict[str, Any], dialect: str = "openrouter", url: str = URL) -> Config:
        return Config(
            endpoints={"router": EndpointConfig(dialect=dialect, url=url)},
            chains=tuple(
                ChainConfig.model_validate(
                    {"name": "chat", "endpoint": "router", "probes": [{"kind": "completion", "every": "60s"}], **chain}
                )
                for chain in chains
            ),
            drills=(),
            alerts=AlertsFile.model_validate(
                {
                    "notifiers": [{"name": "log", "kind": "log"}],
                    "routes": [{"notify": ["log"]}],
                    "rules": [{"name": "r", "when": "chain_down"}],
                }
            ),
            secrets={"endpoints/router": SecretStr("very-secret-key")},
        )

    return make


@pytest.fixture
def prober(clock: HandClock) -> Callable[..., Prober]:
    def make(config: Config, *, catalogue: Catalogue | None = None, transport: Any = None, real: Any = None) -> Prober:
        return Prober(
            config=config,
            transport=lambda name: transport or httpx.MockTransport(lambda request: httpx.Response(599)),
            catalogue=lambda name: catalogue or Catalogue(),
            clock=real or clock,
            rng=Random(7),
        )

    return make
