"""Shared fate: targets of a chain that stand in for one another and fall together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from monitor.config.model import ChainConfig, Config
from monitor.drift.uses import base
from monitor.findings import CatalogueFinding, Drift, Use
from monitor.model import Target
from monitor.naming import find_entry, plain_name, provider_slug
from monitor.offering import Catalogue


def shared_fate(config: Config, catalogue: Callable[[str], Catalogue]) -> Iterator[CatalogueFinding]:
    """Pairs of targets with a single provider between them, or that are one model at the same providers.

    ``catalogue`` by endpoint name; what an empty one cannot say is not guessed.
    """
    for chain in config.chains:
        targets = chain.all_targets()
        for one, other in combinations(targets, 2):
            why = _why(chain, one, other, catalogue) if one.endpoint == other.endpoint else None
            if why is not None:
                yield CatalogueFinding(
                    drift=Drift.SHARED_FATE,
                    endpoint=one.endpoint,
                    subject=f"{chain.name}: {one.label} and {other.label}",
                    detail=f"{one.label} and {other.label} of {chain.name} fall together: {why}",
                    value=why,
                    uses=tuple(_use(target) for target in (one, other)),
                )


def _why(chain: ChainConfig, one: Target, other: Target, catalogue: Callable[[str], Catalogue]) -> str | None:
    offers = catalogue(one.endpoint)
    first, second = _servers(chain, one, offers), _servers(chain, other, offers)
    if len(first) == 1 and first == second:
        return f"both are served by {next(iter(first))} alone"
    same = _identity(one, offers) == _identity(other, offers)
    if same and one.provider is None and other.provider is None:
        return f"{one.model} and {other.model} are one model at the same providers"
    return None


def _servers(chain: ChainConfig, target: Target, catalogue: Catalogue) -> frozenset[str]:
    """The base slugs of the providers that may serve a target; empty where they are not known."""
    if target.provider is not None:
        return frozenset({base(provider_slug(target.provider, catalogue))})
    entry = find_entry(target.model, catalogue)
    only, ignore = ({*map(base, chain.routing.get(name) or ())} for name in ("only", "ignore"))
    offered = {base(offer.tag) for offer in entry.offers} if entry else set()
    return frozenset(slug for slug in offered if slug not in ignore and (not only or slug in only))


def _identity(target: Target, catalogue: Catalogue) -> str:
    """One model may be named in several ways; a variant (``:free``) is served by others, so it is another one."""
    entry = find_entry(target.model, catalogue)
    return entry.id if entry else plain_name(target.model)


def _use(target: Target) -> Use:
    return Use(chain=target.chain, label=target.label, position=target.position, pinned=target.provider is not None)
