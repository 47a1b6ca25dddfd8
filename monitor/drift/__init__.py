"""Compares what an endpoint offers with what it offered before and with what the chains rely on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from monitor.config.model import CatalogueConfig, Config
from monitor.drift.changes import absorbed, accepted, changes
from monitor.drift.discovery import MOST_DISCOVERED, discovered, discovered_now
from monitor.drift.facts import About, Facts, facts_of, serving
from monitor.drift.sharing import shared_fate
from monitor.drift.standing import standing
from monitor.drift.uses import base, models_in_use, uses
from monitor.findings import CatalogueFinding, Drift, Use
from monitor.offering import Catalogue

__all__ = [
    "MOST_DISCOVERED",
    "About",
    "Known",
    "base",
    "compare",
    "discovered",
    "discovered_now",
    "doubts",
    "serving",
    "shared_fate",
]

_GRAVITY = tuple(Drift)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is remembered of one endpoint's catalogue over restarts.

    ``baseline`` are the facts that changes are measured from, ``latest`` those of the last reading. ``since``: when
    each finding that still stands was first seen, by its key.
    """

    baseline: Facts = field(default_factory=dict)
    latest: Facts = field(default_factory=dict)
    since: Mapping[str, float] = field(default_factory=dict)


def compare(
    known: Known,
    config: Config,
    endpoint: str,
    catalogue: Callable[[str], Catalogue],
    now: float,
    *,
    limits: CatalogueConfig,
) -> tuple[Known, tuple[CatalogueFinding, ...]]:
    """What the endpoint's reading shows, and what to remember of it.

    A change is a finding until it is undone, or until it is older than ``limits.acknowledge_after``: then it is what
    later readings are compared with. Everything else is a finding for as long as it is so.
    """
    offers = catalogue(endpoint)
    models = models_in_use(config, endpoint)
    latest = facts_of(offers, models)
    baseline = {about: value for about, value in known.baseline.items() if about.model in models}
    changed, before = _young(known, endpoint, baseline, latest, now - limits.acknowledge_after)
    found = [
        *standing(config, endpoint, before, offers, limits, now),
        *(replace(one, uses=_concerned(config, endpoint, about, one.drift)) for about, one in changed.items()),
        *(one for one in shared_fate(config, catalogue) if one.endpoint == endpoint),
    ]
    used = sorted((one for one in found if one.uses), key=lambda one: _GRAVITY.index(one.drift))
    findings = tuple(replace(one, since=known.since.get(one.key, now)) for one in used)
    since = {one.key: one.since for one in findings}
    return Known(baseline=absorbed(before, latest), latest=latest, since=since), findings


def doubts(config: Config, catalogue: Callable[[str], Catalogue]) -> tuple[str, ...]:
    """What is allowed and probably not meant, as far as the catalogues (or empty ones) can tell: shared fate, and
    providers that are not known before the daemon runs."""
    return (
        *(one.detail for one in shared_fate(config, catalogue)),
        *(
            f"the providers of {target.label} in {chain.name} are discovered when the daemon runs; none is known here"
            for chain in config.chains
            for target in chain.targets
            if target.providers == "discover"
        ),
    )


def _concerned(config: Config, endpoint: str, about: About, drift: Drift) -> tuple[Use, ...]:
    """A target that is pinned to a provider that left has a finding of its own: it is unserved."""
    every = uses(config, endpoint, about.model, about.provider)
    return tuple(use for use in every if not (use.pinned and drift is Drift.PROVIDER_LEFT))


def _young(
    known: Known, endpoint: str, before: Facts, latest: Facts, old: float
) -> tuple[dict[About, CatalogueFinding], Facts]:
    """The changes that are still news, and the facts to measure from once the others are accepted."""
    changed = changes(endpoint, before, latest)
    for about, one in list(changed.items()):
        if known.since.get(one.key, old + 1) <= old:
            before = accepted(before, latest, about)
            del changed[about]
    return changed, before
