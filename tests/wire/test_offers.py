"""Catalogues: what is read of them, and what is made of documents that are no such thing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.catalogue import CALLS_AT_ONCE, read_catalogue
from monitor.clock import SystemClock
from monitor.config.model import EndpointConfig
from monitor.offering import Catalogue, ModelEntry, Offer, Price
from monitor.offers import UNKNOWN_PRICE, assemble, read_models, read_offers, read_providers

pytestmark = pytest.mark.anyio

MINI = {
    "id": "openai/gpt-5-mini",
    "canonical_slug": "openai/gpt-5-mini-2025-08-07",
    "name": "OpenAI: GPT-5 Mini",
    "created": 1754587407,
    "context_length": 400000,
    "architecture": {"modality": "text+image->text", "input_modalities": ["text", "image", "file"]},
    "pricing": {"prompt": "0.00000025", "completion": "0.000002", "request": "0", "web_search": "0.01"},
    "top_provider": {"context_length": 400000, "max_completion_tokens": 128000, "is_moderated": True},
    "per_request_limits": None,
    "supported_parameters": ["include_reasoning", "max_tokens", "reasoning", "tools"],
    "expiration_date": "2027-01-01",
    "new_field": {"x": 1},
}
FREE = {"id": "meta-llama/llama-3.3-70b-instruct:free", "pricing": {"prompt": "0", "completion": "0"}}
AUTO = {"id": "openrouter/auto", "canonical_slug": None, "pricing": {"prompt": "-1", "completion": "-1"}}
ENDPOINTS = {
    "data": {
        "id": "openai/gpt-5-mini",
        "endpoints": [
            {
                "name": "OpenAI | openai/gpt-5-mini",
                "provider_name": "OpenAI",
                "tag": "openai",
                "status": 0,
                "uptime_last_5m": None,
                "uptime_last_30m": 99.1,
                "uptime_last_1d": "98",
                "context_length": 400000,
                "max_completion_tokens": None,
                "pricing": {"prompt": "0.00000025", "completion": "0.000002", "discount": 0},
                "supported_parameters": ["tools"],
            },
            {
                "provider_name": "Azure",
                "tag": "azure/eastus2",
                "status": -2,
                "pricing": {"prompt": "1e-6", "completion": "3e-6"},
            },
            {"provider_name": "Nameless", "tag": None},
        ],
    }
}
PROVIDERS = {"data": [{"name": "Amazon Bedrock", "slug": "amazon-bedrock"}, {"name": None, "slug": "x"}]}


def test_a_model_is_read_whole() -> None:
    assert read_models({"data": [MINI]}) == {
        "openai/gpt-5-mini": ModelEntry(
            id="openai/gpt-5-mini",
            canonical="openai/gpt-5-mini-2025-08-07",
            price=Price(prompt=0.00000025, completion=0.000002),
            context_length=400000,
            max_completion_tokens=128000,
            parameters=frozenset({"include_reasoning", "max_tokens", "reasoning", "tools"}),
            modalities=frozenset({"text", "image", "file"}),
            expires="2027-01-01",
            reasoning=True,
        )
    }


def test_an_id_alone_is_an_entry_that_says_no_more() -> None:
    found = read_models({"object": "list", "data": [{"id": "gpt-4o", "object": "model"}]})
    assert found == {"gpt-4o": ModelEntry(id="gpt-4o", canonical="gpt-4o", price=UNKNOWN_PRICE)}


PRICES: dict[str, tuple[Any, Price]] = {
    "text": ({"prompt": "1e-6", "completion": "0.000002"}, Price(prompt=1e-6, completion=2e-6)),
    "a price for each request": ({"prompt": "0", "completion": "0", "request": "0.01"}, Price(request=0.01)),
    "numbers": ({"prompt": 0, "completion": 1e-6}, Price(completion=1e-6)),
    "free": ({"prompt": "0", "completion": "0", "request": None}, Price()),
    "settled later": ({"prompt": "-1", "completion": "-1"}, UNKNOWN_PRICE),
    "null": (None, UNKNOWN_PRICE),
    "half": ({"prompt": "0.1"}, UNKNOWN_PRICE),
    "no number": ({"prompt": "cheap", "completion": "NaN"}, UNKNOWN_PRICE),
}  # fmt: skip


@pytest.mark.parametrize(("pricing", "price"), PRICES.values(), ids=PRICES)
def test_a_price_is_read_or_unknown_and_never_guessed(pricing: Any, price: Price) -> None:
    assert read_models({"data": [{"id": "m", "pricing": pricing}]})["m"].price == price


def test_modalities_are_also_read_from_their_older_form() -> None:
    row = {"id": "m", "architecture": {"modality": "text+image->text"}}
    assert read_models([row])["m"].modalities == {"text", "image"}


def test_offers_are_known_by_their_tag_and_base_slug() -> None:
    openai, azure = read_offers(ENDPOINTS)
    assert openai == Offer(
        provider="openai",
        tag="openai",
        name="OpenAI",
        price=Price(prompt=0.00000025, completion=0.000002),
        context_length=400000,
        uptime_last_30m=99.1,
        uptime_last_1d=98.0,
        parameters=frozenset({"tools"}),
    )
    assert (azure.provider, azure.tag, azure.status) == ("azure", "azure/eastus2", -2)


def test_display_names_come_from_the_providers_and_from_the_offers() -> None:
    catalogue = assemble({}, {"openai/gpt-5-mini": read_offers(ENDPOINTS)}, read_providers(PROVIDERS), 5.0)
    assert catalogue.providers == {"Amazon Bedrock": "amazon-bedrock", "OpenAI": "openai", "Azure": "azure"}


def test_a_model_known_by_its_offers_alone_costs_what_its_dearest_does() -> None:
    offers = read_offers(ENDPOINTS)
    catalogue = assemble({}, {"m": offers, "gone": ()}, {}, 5.0)
    assert set(catalogue.models) == {"m"}
    assert (catalogue.models["m"].price, catalogue.models["m"].offers) == (Price(prompt=1e-6, completion=3e-6), offers)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from([*MINI, "data", "endpoints", "tag", "slug"]), inner)
    ),
)


@given(JSON)
def test_any_document_whatever_is_read(document: Any) -> None:
    for row in (document, {"data": document}, {"data": [document]}, {"data": {"endpoints": [document]}}):
        models, offers, providers = read_models(row), read_offers(row), read_providers(row)
        assemble(models, {"m": offers}, providers, 1.0)


Answer = Callable[[httpx.Request], httpx.Response]


async def read(answer: Answer, *models: str, **endpoint: Any) -> Catalogue:
    config = EndpointConfig(dialect="openrouter", url="https://openrouter.test/api/v1/", **endpoint)
    return await read_catalogue(httpx.MockTransport(answer), config, "sk-or-1", models, SystemClock())


def router(request: httpx.Request) -> httpx.Response:
    documents = {
        "/api/v1/models": {"data": [MINI, FREE, AUTO]},
        "/api/v1/providers": PROVIDERS,
        "/api/v1/models/openai/gpt-5-mini/endpoints": ENDPOINTS,
    }
    document = documents.get(request.url.path)
    return (
        httpx.Response(404, json={"error": {"code": 404}}) if document is None else httpx.Response(200, json=document)
    )


async def test_a_catalogue_is_read() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return router(request)

    ids = ["openai/gpt-5-mini:nitro", "openai/gpt-5-mini", "meta-llama/llama-3.3-70b-instruct:free", "gone/model"]
    catalogue = await read(answer, *ids, headers={"X-OpenRouter-Title": "t"})
    assert catalogue.at is not None
    assert set(catalogue.models) == {MINI["id"], FREE["id"], AUTO["id"]}
    assert [offer.tag for offer in catalogue.models["openai/gpt-5-mini"].offers] == ["openai", "azure/eastus2"]
    assert sorted(request.url.raw_path.decode().removeprefix("/api/v1") for request in asked) == [
        "/credits",
        "/key",
        "/model/gone/model",
        "/models",
        "/models/gone/model/endpoints",
        "/models/meta-llama/llama-3.3-70b-instruct:free/endpoints",
        "/models/openai/gpt-5-mini/endpoints",
        "/providers",
    ]
    assert {request.method for request in asked} == {"GET"}
    assert {request.headers["authorization"] for request in asked} == {"Bearer sk-or-1"}
    assert {request.headers["x-openrouter-title"] for request in asked} == {"t"}


PARTS = {
    "models": (lambda found: set(found.models) == {MINI["id"], FREE["id"], AUTO["id"]}),
    "providers": (lambda found: found.providers == {"Amazon Bedrock": "amazon-bedrock"}),
    "endpoints": (lambda found: set(found.models) == {"openai/gpt-5-mini"} and len(found.providers) == 2),
}


@pytest.mark.parametrize(("part", "holds"), PARTS.items(), ids=PARTS)
async def test_what_can_be_read_is_kept(part: str, holds: Callable[[Catalogue], bool]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(part):
            return router(request)
        raise httpx.ConnectError("down")

    found = await read(answer, "openai/gpt-5-mini")
    assert found.at is not None
    assert holds(found)


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(500, json={"data": [MINI]}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"data": 1}),
    ],
)
async def test_nothing_read_is_a_catalogue_without_a_time(response: httpx.Response) -> None:
    assert await read(lambda _: response, "openai/gpt-5-mini") == Catalogue()


async def test_few_calls_are_made_at_one_time() -> None:
    class Slow(httpx.AsyncBaseTransport):
        under_way = 0
        most = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            for _ in range(10):
                await asyncio.sleep(0)
            self.under_way -= 1
            return router(request)

    slow = Slow()
    config = EndpointConfig(dialect="openrouter", url="https://openrouter.test/api/v1")
    await read_catalogue(slow, config, None, [f"a/{n}" for n in range(50)], SystemClock())
    assert slow.most == CALLS_AT_ONCE


async def test_it_ends_in_a_minute_whatever_the_endpoint_does() -> None:
    class HourClock(SystemClock):
        time = 0.0

        def monotonic(self) -> float:
            return self.time

    clock, asked = HourClock(), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        clock.time += 20.0
        return router(request)

    config = EndpointConfig(dialect="openrouter", url="https://openrouter.test/api/v1")
    await read_catalogue(httpx.MockTransport(answer), config, None, [f"a/{n}" for n in range(50)], clock)
    assert len(asked) == 3
