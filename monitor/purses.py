"""Where a question is paid: budgets of chains, of providers, of a chain's questions of one kind, of all together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.config.model import Config
from monitor.naming import same_provider
from monitor.offering import Catalogue

_NO_CATALOGUE = Catalogue()


class Scope(StrEnum):
    """Whose money."""

    CHAIN = "chain"
    PROVIDER = "provider"
    PROBE = "probe"
    OVERALL = "overall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What is spent in one place: on a chain, at a provider, on a chain's questions of one kind, or (``name`` empty) on
    everything."""

    scope: Scope
    name: str = ""

    def __hash__(self) -> int:
        """Of the name alone: a question looks its purses up a dozen times, and few share a name."""
        return hash(self.name)

    def __str__(self) -> str:
        return f"{self.scope} {self.name}" if self.name else "all chains together"


OVERALL = Purse(scope=Scope.OVERALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """USD a day: by chain, by provider, by probe (see ``probe_name``), and overall (None for no limit)."""

    chains: Mapping[str, float] = field(default_factory=dict)
    providers: Mapping[str, float] = field(default_factory=dict)
    probes: Mapping[str, float] = field(default_factory=dict)
    overall: float | None = None

    def of(self, purse: Purse) -> float | None:
        if purse.scope is Scope.OVERALL:
            return self.overall
        if purse.scope is Scope.CHAIN:
            return self.chains.get(purse.name)
        return (self.probes if purse.scope is Scope.PROBE else self.providers).get(purse.name)


def limits(config: Config) -> Limits:
    """Every budget of a config."""
    return Limits(
        chains={chain.name: chain.budget.usd_per_day for chain in config.chains if chain.budget},
        providers={name: budget.usd_per_day for name, budget in config.budgets.providers.items()},
        probes={
            probe_name(chain.name, probe.kind): probe.budget.usd_per_day
            for chain in config.chains
            for probe in reversed(chain.probes)
            if probe.budget
        },
        overall=config.budgets.usd_per_day,
    )


def probe_name(chain: str, kind: str) -> str:
    """The purse of a chain's questions of one kind; of two budgets for a kind the first one holds."""
    return f"{chain}:{kind}"


def kind_of(purse: Purse) -> str:
    """The kind of question that a probe's purse is for."""
    return purse.name.rpartition(":")[2]


def purses_of(chain: str, places: Iterable[str | None], limits: Limits, *, kind: str = "") -> tuple[Purse, ...]:
    """Where a question is paid: of its probe's own money, by its chain, at the provider that is one of ``places``, and
    by all together.

    ``places``: the provider that is pinned or that answered, and the endpoint, which may be a provider's own.
    """
    at = _providers(places, limits) if limits.providers else ()
    own = probe_name(chain, kind)
    probe = (Purse(scope=Scope.PROBE, name=own),) if own in limits.probes else ()
    return *probe, Purse(scope=Scope.CHAIN, name=chain), *at, OVERALL


def _providers(places: Iterable[str | None], limits: Limits) -> Iterator[Purse]:
    named = [place for place in places if place]
    for name in limits.providers:
        if any(place == name or same_provider(name, place, _NO_CATALOGUE) for place in named):
            yield Purse(scope=Scope.PROVIDER, name=name)
