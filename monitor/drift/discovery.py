"""``providers: discover``: the providers that serve a model now take its place. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from monitor.config.model import ChainConfig, Config, TargetConfig
from monitor.drift.uses import base
from monitor.naming import find_entry
from monitor.offering import Catalogue

MOST_DISCOVERED = 16
"""Providers of one target; each is asked, paid for, and has its own metrics, so a catalogue must not multiply them."""


def discovered(config: Config, serving: Callable[[str, str], tuple[str, ...]]) -> Config:
    """The config with every ``discover`` replaced. ``serving(endpoint, model)`` gives tags in the catalogue's order;
    regions of one provider are asked as one."""
    return replace(config, chains=tuple(_chain(chain, serving) for chain in config.chains))


def discovered_now(config: Config, catalogue: Callable[[str], Catalogue]) -> Config:
    """``discovered`` from catalogues that were just read; ``catalogue`` by endpoint name."""

    def serving(endpoint: str, model: str) -> tuple[str, ...]:
        entry = find_entry(model, catalogue(endpoint))
        return tuple(offer.tag for offer in entry.offers) if entry else ()

    return discovered(config, serving)


def _chain(chain: ChainConfig, serving: Callable[[str, str], tuple[str, ...]]) -> ChainConfig:
    if all(target.providers != "discover" for target in chain.targets):
        return chain
    targets = tuple(
        _target(own, serving(target.endpoint, target.model))
        for own, target in zip(chain.targets, chain.all_targets(), strict=True)
    )
    return chain.model_copy(update={"targets": targets})


def _target(own: TargetConfig, tags: tuple[str, ...]) -> TargetConfig:
    if own.providers != "discover":
        return own
    slugs = tuple(dict.fromkeys(map(base, tags)))
    return own.model_copy(update={"providers": slugs[:MOST_DISCOVERED]})
