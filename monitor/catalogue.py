"""Reads what an endpoint offers, with calls that cost nothing: models, the offers of those in use, providers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import httpx

from monitor.clock import Clock
from monitor.config.model import EndpointConfig
from monitor.exchange import Ask, Fate
from monitor.model import Catalogue, ModelEntry, Offer
from monitor.naming import find_entry
from monitor.offers import assemble, read_models, read_offers, read_providers
from monitor.reading import parse
from monitor.wire import exchange

TOTAL_SECONDS = 60.0
CALL_SECONDS = 15.0
CALLS_AT_ONCE = 8
MAX_BYTES = 32 * 1024 * 1024
"""Of one document: a router's list of all models is some megabytes."""


async def read_catalogue(
    transport: httpx.AsyncBaseTransport,
    endpoint: EndpointConfig,
    credential: str | None,
    models: Iterable[str],
    clock: Clock,
) -> Catalogue:
    """What ``endpoint`` offers, with the offers of ``models`` (ids as configured, suffixes and all).

    Raises nothing. What cannot be read is missing, and ``at`` is None when nothing could be. Takes a minute at most.
    """
    reader = _Reader(transport, endpoint, credential, clock)
    known, providers = await asyncio.gather(reader.models(), reader.providers())
    listed = Catalogue(models=known)
    ids = sorted({entry.id if (entry := find_entry(model, listed)) else model for model in models})
    found = dict(zip(ids, await asyncio.gather(*map(reader.offers, ids)), strict=True))
    if not (known or providers or any(found.values())):
        return Catalogue()
    return assemble(known, found, providers, clock.now())


class _Reader:
    """A few calls at a time, all before one deadline."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, endpoint: EndpointConfig, credential: str | None, clock: Clock
    ) -> None:
        self._transport = transport
        self._url = endpoint.url.rstrip("/")
        self._headers = {**endpoint.headers, **({"Authorization": f"Bearer {credential}"} if credential else {})}
        self._clock = clock
        self._until = clock.monotonic() + TOTAL_SECONDS
        self._free = asyncio.Semaphore(CALLS_AT_ONCE)

    async def models(self) -> dict[str, ModelEntry]:
        return read_models(await self._get("/models"))

    async def providers(self) -> dict[str, str]:
        return read_providers(await self._get("/providers"))

    async def offers(self, model: str) -> tuple[Offer, ...]:
        return read_offers(await self._get(f"/models/{quote(model, safe='/:~')}/endpoints"))

    async def _get(self, path: str) -> Any:
        """The document, None where there is none."""
        async with self._free:
            left = self._until - self._clock.monotonic()
            if left <= 0:
                return None
            ask = Ask(
                method="GET",
                url=self._url + path,
                headers=self._headers,
                body=None,
                stream=False,
                deadline=min(CALL_SECONDS, left),
            )
            reply = await exchange(self._transport, ask, self._clock, limit=MAX_BYTES)
        return parse(reply.body) if reply.fate is Fate.ANSWERED and reply.status == 200 else None
