"""Shared fate: targets of a chain that stand in for one another and fall together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from monitor.config.model import ChainConfig, Config
from monitor.drift.places import host_of, provider_behind
from monitor.drift.uses import base
from monitor.findings import CatalogueFinding, Drift, Use
from monitor.model import Target
from monitor.naming import find_entry, plain_name, provider_slug
from monitor.offering import Catalogue


def shared_fate(config: Config, catalogue: Callable[[str], Catalogue]) -> Iterator[CatalogueFinding]:
    """Pairs of targets with a single provider between them, or that are one model at the same providers.

    ``catalogue`` by endpoint name; what an empty one cannot say is not guessed. A finding is the endpoint's of the
    first target whose catalogue was read.
    """
    fates = _Fates(config, catalogue)
    for chain in config.chains:
        for one, other in combinations(chain.all_targets(), 2):
            why = fates.why(chain, one, other)
            if why is not None:
                yield CatalogueFinding(
                    drift=Drift.SHARED_FATE,
                    endpoint=next(
                        (name for name in (one.endpoint, other.endpoint) if catalogue(name).at is not None),
                        one.endpoint,
                    ),
                    subject=f"{chain.name}: {one.label} and {other.label}",
                    detail=f"{one.label} and {other.label} of {chain.name} fall together: {why}",
                    value=why,
                    uses=tuple(_use(target) for target in (one, other)),
                )


class _Fates:
    """Why two targets of a chain would fall together."""

    def __init__(self, config: Config, catalogue: Callable[[str], Catalogue]) -> None:
        self._config = config
        self._catalogue = catalogue

    def why(self, chain: ChainConfig, one: Target, other: Target) -> str | None:
        here, there = self._config.endpoints[one.endpoint].url, self._config.endpoints[other.endpoint].url
        own = provider_behind(here), provider_behind(there)
        if own[0] and own[1]:
            # Regions of a provider have hosts of their own, and whoever names two of them means it.
            return f"both are asked at {host_of(here)}" if host_of(here) == host_of(there) else None
        first, second = self._servers(chain, one, own[0]), self._servers(chain, other, own[1])
        if len(first) == 1 and first == second:
            return f"both are served by {next(iter(first))} alone"
        if one.endpoint != other.endpoint or one.provider is not None or other.provider is not None:
            return None
        offers = self._catalogue(one.endpoint)
        same = _identity(one, offers) == _identity(other, offers)
        return f"{one.model} and {other.model} are one model at the same providers" if same else None

    def _servers(self, chain: ChainConfig, target: Target, own: str | None) -> frozenset[str]:
        if own is not None:
            return frozenset({own})
        return _servers(chain, target, self._catalogue(target.endpoint))


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
