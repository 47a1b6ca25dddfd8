"""Reads what an endpoint offers, with calls that cost nothing: models, offers of those in use, providers, the key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx

from monitor.clock import Clock
from monitor.config.model import EndpointConfig
from monitor.dialects.litellm_standing import INFO
from monitor.exchange import Ask, Fate, Reply
from monitor.naming import find_entry
from monitor.offering import Account, Catalogue, ModelEntry, Offer
from monitor.offers import assemble, read_account, read_model, read_models, read_offers, read_providers
from monitor.proxy_offers import read_groups
from monitor.reading import parse
from monitor.wire import exchange

TOTAL_SECONDS = 60.0
CALL_SECONDS = 15.0
CALLS_AT_ONCE = 8
NOT_FOUND = 404
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
    known, providers, account = await asyncio.gather(reader.models(), reader.providers(), reader.account())
    listed = Catalogue(models=known)
    ids = {model: entry.id for model in models if (entry := find_entry(model, listed))}
    missing = sorted({*models} - ids.keys())
    found = dict(zip(missing, await asyncio.gather(*map(reader.model, missing)), strict=True)) if known else {}
    led = {model: entry for model, (_, entry) in found.items() if entry is not None}
    wanted = sorted({*ids.values(), *(led[model].id if model in led else model for model in missing)})
    offers = dict(zip(wanted, await asyncio.gather(*map(reader.offers, wanted)), strict=True))
    read = {model: offered for model, offered in offers.items() if offered is not None}
    if not (known or providers or any(read.values()) or account):
        return Catalogue()
    whole = assemble({**known, **{entry.id: entry for entry in led.values()}}, read, providers, clock.now())
    return replace(
        whole,
        models={**whole.models, **{model: whole.models[entry.id] for model, entry in led.items()}},
        listed=bool(known),
        offered=frozenset(read),
        gone=frozenset(model for model, (status, _) in found.items() if status == NOT_FOUND),
        renamed={model: entry.id for model, entry in led.items()},
        account=account,
    )


async def read_proxy(
    transport: httpx.AsyncBaseTransport,
    endpoint: EndpointConfig,
    credential: str | None,
    models: Iterable[str],
    clock: Clock,
) -> Catalogue:
    """What a LiteLLM proxy offers: all its groups at once, whatever ``models`` there are. As ``read_catalogue``."""
    reader = _Reader(transport, endpoint, credential, clock)
    groups = read_groups(await reader.beside_api(INFO))
    if not groups:
        return Catalogue()
    return Catalogue(at=clock.now(), models=groups, listed=True, offered=frozenset({*models} & groups.keys()))


READERS = {"openrouter": read_catalogue, "litellm": read_proxy}
"""By dialect: of whose endpoints it can be read what they offer."""


class _Reader:
    """A few calls at a time, all before one deadline."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, endpoint: EndpointConfig, credential: str | None, clock: Clock
    ) -> None:
        self._transport = transport
        self._url = endpoint.url.rstrip("/")
        self._headers = {**endpoint.headers, **({"Authorization": f"Bearer {credential}"} if credential else {})}
        self._is_known = credential is not None
        self._clock = clock
        self._until = clock.monotonic() + TOTAL_SECONDS
        self._free = asyncio.Semaphore(CALLS_AT_ONCE)

    async def models(self) -> dict[str, ModelEntry]:
        return read_models(await self._get("/models"))

    async def providers(self) -> dict[str, str]:
        return read_providers(await self._get("/providers"))

    async def model(self, model: str) -> tuple[int | None, ModelEntry | None]:
        """The status, and the model that an id leads to; an id with a preset is nothing that can be looked up."""
        if "@" in model or "/" not in model:
            return None, None
        reply = await self._ask(f"/model/{quote(model, safe='/:~')}")
        entry = read_model(_document(reply))
        return (reply.status if reply else None), entry

    async def offers(self, model: str) -> tuple[Offer, ...] | None:
        """None where they could not be read."""
        document = _document(await self._ask(f"/models/{quote(model, safe='/:~')}/endpoints"))
        return None if document is None else read_offers(document)

    async def account(self) -> Account | None:
        """Only a key can be told what is left of it."""
        if not self._is_known:
            return None
        return read_account(*await asyncio.gather(self._get("/key"), self._get("/credits")))

    async def beside_api(self, path: str) -> Any:
        """A document of a route that stands beside ``/v1``."""
        return _document(await self._ask(path, self._url.removesuffix("/v1")))

    async def _get(self, path: str) -> Any:
        """The document, None where there is none."""
        return _document(await self._ask(path))

    async def _ask(self, path: str, base: str | None = None) -> Reply | None:
        async with self._free:
            left = self._until - self._clock.monotonic()
            if left <= 0:
                return None
            ask = Ask(
                method="GET",
                url=(base or self._url) + path,
                headers=self._headers,
                body=None,
                stream=False,
                deadline=min(CALL_SECONDS, left),
            )
            return await exchange(self._transport, ask, self._clock, limit=MAX_BYTES)


def _document(reply: Reply | None) -> Any:
    return parse(reply.body) if reply and reply.fate is Fate.ANSWERED and reply.status == 200 else None
