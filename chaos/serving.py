"""Which providers serve which target: what a break would reach, and what it would leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chaos.slugs import base, covers, overlap
from monitor.config.model import ChainConfig
from monitor.naming import find_entry
from monitor.offering import Catalogue, Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The slugs of the providers that serve a target. ``complete`` False: there may be others that we do not know."""

    slugs: frozenset[str]
    complete: bool


def serving(chain: ChainConfig, position: int, catalogue: Catalogue) -> Serving:
    """Who serves the target under the chain's own ``routing``: what the config lists and what the catalogue offers."""
    target = chain.target(position)
    if target.provider is not None:
        return Serving(slugs=frozenset({target.provider}), complete=True)
    entry = find_entry(target.model, catalogue)
    offered = {offer.provider for offer in entry.offers} if entry else set()
    slugs = {base(slug) for slug in chain.targets[position].pinned} | offered
    return Serving(slugs=frozenset(slug for slug in slugs if _routed(chain, slug)), complete=bool(offered))


def offers(chain: ChainConfig, position: int, catalogue: Catalogue) -> tuple[Offer, ...]:
    """The offers that may serve the target under the chain's own ``routing``; empty where the catalogue knows none."""
    target = chain.target(position)
    entry = find_entry(target.model, catalogue)
    found = entry.offers if entry else ()
    pinned = (offer for offer in found if target.provider is None or overlap(target.provider, offer.tag))
    return tuple(offer for offer in pinned if _routed(chain, offer.provider))


def reached(chain: ChainConfig, positions: Iterable[int], catalogue: Catalogue) -> frozenset[str]:
    """The base slugs of every provider known to serve one of the targets."""
    return frozenset(base(slug) for position in positions for slug in serving(chain, position, catalogue).slugs)


def _routed(chain: ChainConfig, slug: str) -> bool:
    """Whether the chain's own ``only`` and ``ignore`` let the provider serve at all."""
    only, ignore = chain.routing.get("only") or (), chain.routing.get("ignore") or ()
    return (not only or any(overlap(slug, allowed) for allowed in only)) and not any(
        covers(left_out, slug) for left_out in ignore
    )
