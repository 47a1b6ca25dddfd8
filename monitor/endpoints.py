"""The endpoints of a config while they are in use: one transport each, and what each one offers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import httpx
import structlog

from monitor.catalogue import READERS
from monitor.clock import Clock
from monitor.config.model import Config, EndpointConfig
from monitor.offering import Catalogue, Price
from monitor.offers import keep_unread, with_prices
from monitor.transport import AioTransport

log = structlog.get_logger("endpoints")


def on_sandbox(config: Config, url: str) -> Config:
    """The config with every endpoint of dialect openrouter pointed at the sandbox."""
    endpoints = {
        name: endpoint.model_copy(update={"url": url}) if endpoint.dialect == "openrouter" else endpoint
        for name, endpoint in config.endpoints.items()
    }
    return replace(config, endpoints=endpoints)


def declared(endpoint: EndpointConfig) -> Mapping[str, Price]:
    """What the config says that models cost, in USD per token."""
    million = 1_000_000
    return {
        model: Price(prompt=price.prompt / million, completion=price.completion / million)
        for model, price in endpoint.prices.items()
    }


class Endpoints:
    """Transports and catalogues by endpoint name. A catalogue that was never read is empty; the last good one stays."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._transports: dict[str, AioTransport] = {}
        self._catalogues: dict[str, Catalogue] = {}
        self._declare()

    def transport(self, name: str) -> httpx.AsyncBaseTransport:
        if name not in self._transports:
            self._transports[name] = AioTransport(ca_file=self._config.endpoints[name].ca_file)
        return self._transports[name]

    def catalogue(self, name: str) -> Catalogue:
        return self._catalogues.get(name, Catalogue())

    async def apply(self, config: Config) -> None:
        """Use another config; connections of endpoints that changed or vanished are closed."""
        before, self._config = self._config, config
        for name in [name for name in self._transports if before.endpoints[name] != config.endpoints.get(name)]:
            await self._transports.pop(name).aclose()
            self._catalogues.pop(name, None)
        self._declare()

    def _declare(self) -> None:
        """What the config says of prices holds before anything was read, and where nothing ever is."""
        for name, endpoint in self._config.endpoints.items():
            self._catalogues[name] = with_prices(self.catalogue(name), declared(endpoint))

    async def refresh(self) -> None:
        """Read what each endpoint offers: free calls. What cannot be read keeps its last good value."""
        await asyncio.gather(*map(self._refresh, self._config.endpoints))

    async def _refresh(self, name: str) -> None:
        endpoint = self._config.endpoints[name]
        read = READERS.get(endpoint.dialect)
        if read is None:
            return
        targets = (target for chain in self._config.chains for target in chain.all_targets())
        models = sorted({target.model for target in targets if target.endpoint == name})
        secret = self._config.secrets.get(f"endpoints/{name}")
        key = secret.get_secret_value() if secret else None
        found = await read(self.transport(name), endpoint, key, models, self._clock)
        if found.at is None:
            log.warning("the catalogue cannot be read: prices and dated model names stay as last known", endpoint=name)
            return
        self._catalogues[name] = with_prices(keep_unread(self.catalogue(name), found), declared(endpoint))

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()
