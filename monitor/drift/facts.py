"""What a catalogue says of the models in use, taken apart into single facts that can be compared and kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from monitor.naming import find_entry
from monitor.offering import Catalogue, ModelEntry, Offer


class Aspect(StrEnum):
    CANONICAL = "canonical"
    OFFERED = "offered"
    PRICE = "price"
    CONTEXT = "context"
    OUTPUT = "output"
    PARAMETERS = "parameters"


class About(NamedTuple):
    """``provider`` is an offer's tag; empty, the fact is about the model itself."""

    model: str
    provider: str
    aspect: Aspect


Facts = Mapping[About, tuple[str, ...]]
"""Every value as words, so that it is written and read back the same."""


def facts_of(catalogue: Catalogue, models: Iterable[str]) -> Facts:
    """Of the models (ids as configured) that the catalogue knows."""
    return {
        about: value
        for model in models
        if (entry := find_entry(model, catalogue)) is not None
        for about, value in _of_model(model, entry)
    }


def serving(facts: Facts, model: str) -> tuple[str, ...]:
    """The tags of the providers that serve a model, in the catalogue's order."""
    return tuple(about.provider for about in facts if about.model == model and about.aspect is Aspect.OFFERED)


def _of_model(model: str, entry: ModelEntry) -> Iterator[tuple[About, tuple[str, ...]]]:
    yield About(model, "", Aspect.CANONICAL), (entry.canonical,)
    tags = [offer.tag for offer in entry.offers]
    for position, offer in enumerate(entry.offers):
        if tags.index(offer.tag) == position:  # where a tag is there twice, its first row holds
            yield from _of_offer(model, offer)


def _of_offer(model: str, offer: Offer) -> Iterator[tuple[About, tuple[str, ...]]]:
    yield About(model, offer.tag, Aspect.OFFERED), (offer.name,)
    if offer.price.prompt >= 0 and offer.price.completion >= 0:
        price = (offer.price.prompt, offer.price.completion, offer.price.request)
        yield About(model, offer.tag, Aspect.PRICE), tuple(f"{usd:.12g}" for usd in price)
    if offer.context_length is not None:
        yield About(model, offer.tag, Aspect.CONTEXT), (str(offer.context_length),)
    if offer.max_completion_tokens is not None:
        yield About(model, offer.tag, Aspect.OUTPUT), (str(offer.max_completion_tokens),)
    yield About(model, offer.tag, Aspect.PARAMETERS), tuple(sorted(offer.parameters))
