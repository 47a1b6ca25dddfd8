"""What a question costs by the catalogue: at most, before it is asked, and in fact, once it was answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.model import Tokens
from monitor.naming import closeness, find_entry, same_provider
from monitor.offering import Catalogue, ModelEntry, Price


def highest_price(model: str, provider: str | None, catalogue: Catalogue) -> Price | None:
    """The most that a token may cost at whoever the router picks (or at ``provider``); None where it is not known."""
    entry = find_entry(model, catalogue)
    if entry is None:
        return None
    pinned = [offer.price for offer in entry.offers if provider and same_provider(provider, offer.tag, catalogue)]
    return _highest(pinned or [entry.price, *(offer.price for offer in entry.offers)])


def cost_of(
    tokens: Tokens, model: str, provider: str | None, catalogue: Catalogue, asked: Iterable[str] = ()
) -> float | None:
    """USD, where an answer does not tell its own cost. ``model`` and ``provider`` as the answer names them.

    ``asked``: the models that were asked for. An answer often names one of them by its date, and a price that was
    declared knows it by the name in the config.
    """
    entry = find_entry(model, catalogue) or _as_asked(model, asked, catalogue)
    if entry is None:
        return None
    offers = [offer for offer in entry.offers if provider and same_provider(offer.provider, provider, catalogue)]
    price = _highest([offer.price for offer in offers] or [entry.price])
    return None if price is None else charge(price, tokens.prompt, tokens.completion)


def _as_asked(named: str, asked: Iterable[str], catalogue: Catalogue) -> ModelEntry | None:
    for model in asked if catalogue.models else ():
        entry = find_entry(model, catalogue)
        if entry is not None and closeness(model, named, catalogue) is not None:
            return entry
    return None


def charge(price: Price, prompt: int, completion: int) -> float:
    return price.prompt * prompt + price.completion * completion + price.request


def _highest(prices: Iterable[Price]) -> Price | None:
    """A negative price means one that is settled only when a model was picked: not known."""
    rows = [(price.prompt, price.completion, price.request) for price in prices]
    if any(part < 0 for row in rows for part in row):
        return None
    prompt, completion, request = map(max, zip(*rows, strict=True))
    return Price(prompt=prompt, completion=completion, request=request)
