"""What the read endpoints of a router say, as values: models, offers, providers. Pure; any document will do.

Facts: OpenRouter OpenAPI description (Model, PublicEndpoint, Provider). Prices are USD per token, sent as text; any
field may be null, missing or new. What cannot be read is left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from monitor.naming import find_entry
from monitor.offering import Account, Catalogue, ModelEntry, Offer, Price
from monitor.reading import mapping, number, text_of

UNKNOWN_PRICE = Price(prompt=-1.0, completion=-1.0)
"""Below zero, as the routers themselves write a price that is settled only when a model was picked."""


def read_models(document: Any) -> dict[str, ModelEntry]:
    """``GET /models`` by id. An OpenAI-style list, which holds ids alone, gives entries that say no more."""
    entries = (_entry(mapping(row)) for row in _rows(document))
    return {entry.id: entry for entry in entries if entry is not None}


def read_offers(document: Any) -> tuple[Offer, ...]:
    """``GET /models/{author}/{slug}/endpoints``. A row without a tag is left out: nothing could be asked of it."""
    rows = map(mapping, _list(mapping(mapping(document).get("data")).get("endpoints")))
    return tuple(_offer(row) for row in rows if text_of(row.get("tag")))


def read_providers(document: Any) -> dict[str, str]:
    """``GET /providers``: display name -> slug."""
    rows = map(mapping, _rows(document))
    pairs = ((text_of(row.get("name")), text_of(row.get("slug"))) for row in rows)
    return {name: slug for name, slug in pairs if name and slug}


def read_model(document: Any) -> ModelEntry | None:
    """``GET /model/{author}/{slug}``: one model, whatever alias led to it."""
    return _entry(mapping(mapping(document).get("data")))


def read_account(key: Any, credits_: Any) -> Account | None:
    """``GET /key`` and ``GET /credits`` (which most keys may not read); None when neither says anything."""
    own, money = mapping(mapping(key).get("data")), mapping(mapping(credits_).get("data"))
    if not own and not money:
        return None
    free = mapping(own.get("free_model_daily_requests"))
    total, used = number(money.get("total_credits")), number(money.get("total_usage"))
    return Account(
        limit=number(own.get("limit")),
        limit_remaining=number(own.get("limit_remaining")),
        limit_reset=text_of(own.get("limit_reset")) or None,
        usage=number(own.get("usage")),
        credits_remaining=None if total is None or used is None else total - used,
        free_limit=_count(free.get("limit")),
        free_remaining=_whole(free.get("remaining")),
        is_free_tier=own.get("is_free_tier") is True,
        expires=text_of(own.get("expires_at")) or None,
    )


def keep_unread(before: Catalogue, now: Catalogue) -> Catalogue:
    """A reading with what could not be read this time taken from the one before."""
    models = dict(now.models) if now.listed else {**before.models, **now.models}
    for model, entry in before.models.items():
        if model in models and model not in now.offered and not models[model].offers:
            models[model] = replace(models[model], offers=entry.offers)
    return replace(
        now,
        at=now.at if now.listed or before.at is None else before.at,
        models=models,
        providers={**before.providers, **now.providers},
        listed=now.listed or before.listed,
        offered=now.offered | (before.offered & models.keys()),
        gone=now.gone if now.listed else before.gone,
        renamed=now.renamed if now.listed else before.renamed,
        account=now.account or before.account,
    )


def with_prices(catalogue: Catalogue, prices: Mapping[str, Price]) -> Catalogue:
    """A catalogue with what models cost, by id, wherever it does not tell it itself."""
    models = dict(catalogue.models)
    for model, price in prices.items():
        unsaid = ModelEntry(
            id=model, canonical=model, price=UNKNOWN_PRICE, reasoning=True
        )  # it may be one that reasons
        entry = find_entry(model, catalogue) or unsaid
        offers = tuple(replace(offer, price=_known(offer.price, price)) for offer in entry.offers)
        models[entry.id] = replace(entry, price=_known(entry.price, price), offers=offers)
    return replace(catalogue, models=models)


def _known(told: Price, declared: Price) -> Price:
    return declared if told.prompt < 0 or told.completion < 0 else told


def assemble(
    models: Mapping[str, ModelEntry], offers: Mapping[str, tuple[Offer, ...]], providers: Mapping[str, str], at: float
) -> Catalogue:
    """One catalogue. A model of which only the offers are known gets an entry too, at the price of the dearest."""
    entries = dict(models)
    for model, found in offers.items():
        if found:
            known = entries.get(model) or ModelEntry(id=model, canonical=model, price=_dearest(found))
            entries[model] = replace(known, offers=found)
    named = {offer.name: offer.provider for found in offers.values() for offer in found if offer.name}
    return Catalogue(at=at, models=entries, providers={**named, **providers})


def _entry(row: Mapping[str, Any]) -> ModelEntry | None:
    model = text_of(row.get("id"))
    if not model:
        return None
    top, parameters = mapping(row.get("top_provider")), _words(row.get("supported_parameters"))
    return ModelEntry(
        id=model,
        canonical=text_of(row.get("canonical_slug")) or model,
        price=_price(row.get("pricing")),
        context_length=_count(row.get("context_length")) or _count(top.get("context_length")),
        max_completion_tokens=_count(top.get("max_completion_tokens")),
        parameters=parameters,
        modalities=_modalities(mapping(row.get("architecture"))),
        expires=text_of(row.get("expiration_date")) or None,
        reasoning=bool(row.get("reasoning")) or "reasoning" in parameters,
    )


def _offer(row: Mapping[str, Any]) -> Offer:
    tag = text_of(row.get("tag"))
    return Offer(
        provider=tag.partition("/")[0],
        tag=tag,
        name=text_of(row.get("provider_name")),
        price=_price(row.get("pricing")),
        context_length=_count(row.get("context_length")),
        max_completion_tokens=_count(row.get("max_completion_tokens")),
        status=int(number(row.get("status")) or 0),
        uptime_last_5m=number(row.get("uptime_last_5m")),
        uptime_last_30m=number(row.get("uptime_last_30m")),
        uptime_last_1d=number(row.get("uptime_last_1d")),
        parameters=_words(row.get("supported_parameters")),
    )


def _price(pricing: Any) -> Price:
    """Without a price for both directions it is unknown; a price for each request is seldom named and then none."""
    parts = mapping(pricing)
    prompt, completion = number(parts.get("prompt")), number(parts.get("completion"))
    if prompt is None or completion is None:
        return UNKNOWN_PRICE
    return Price(prompt=prompt, completion=completion, request=number(parts.get("request")) or 0.0)


def _dearest(offers: Iterable[Offer]) -> Price:
    prices = [offer.price for offer in offers]
    if any(price.prompt < 0 or price.completion < 0 for price in prices):
        return UNKNOWN_PRICE
    return max(prices, key=lambda price: (price.completion, price.prompt))


def _modalities(architecture: Mapping[str, Any]) -> frozenset[str]:
    """What may be sent; older rows say it in one word: ``text+image->text``."""
    words = _words(architecture.get("input_modalities"))
    return words or frozenset(filter(None, text_of(architecture.get("modality")).partition("->")[0].split("+")))


def _count(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None and found > 0 else None


def _whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _words(value: Any) -> frozenset[str]:
    return frozenset(filter(None, map(text_of, _list(value))))


def _rows(document: Any) -> list[Any]:
    return _list(mapping(document).get("data")) or _list(document)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
