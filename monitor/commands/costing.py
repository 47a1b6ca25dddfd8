"""What a day of the configured questions and drills costs: at most, and when all is well. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from chaos.model import Drill
from monitor.budget import Purse, Scope, limits, purses_of
from monitor.config.model import ChainConfig, Config
from monitor.drilling import drill_spec
from monitor.model import ProbeSpec, Target
from monitor.offering import Catalogue
from monitor.probes import estimate, expand, expect

DAY = 86400.0
_CRON_DAYS = 28
Offered = Callable[[ChainConfig, Target | None], Catalogue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One kind of question to one subject, or a drill (``kind`` ``drill NAME``). Numbers are of one day.

    ``most`` and ``usd_most`` hold when something is wrong all day long (the fastest pace, the longest answers, dearest
    providers), ``usual`` and ``usd_usual`` when nothing is. A price that is not known is None. ``every``: seconds,
    None for a drill by cron or on demand.
    """

    chain: str
    target: str | None
    asked: str
    kind: str
    every: float | None
    fastest: float | None
    slowest: float | None
    passive: bool
    most: float
    usual: float
    usd_most: float | None
    usd_usual: float | None
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """``unknown``: how many lines have no price and are counted as nothing."""

    most: float
    usual: float
    usd_most: float
    usd_usual: float
    unknown: int


def lines(config: Config, drills: Iterable[Drill], offered: Offered) -> list[Line]:
    asked = [_of_spec(spec, config, offered) for spec in expand(config)]
    return [*asked, *(_of_drill(drill, config.chain(drill.chain), offered) for drill in drills)]


def total(lines: Iterable[Line]) -> Sum:
    found = list(lines)
    return Sum(
        most=sum(line.most for line in found),
        usual=sum(line.usual for line in found),
        usd_most=sum(line.usd_most or 0.0 for line in found),
        usd_usual=sum(line.usd_usual or 0.0 for line in found),
        unknown=sum(line.usd_most is None for line in found),
    )


def _of_spec(spec: ProbeSpec, config: Config, offered: Offered) -> Line:
    chain = config.chain(spec.chain)
    catalogue = offered(chain, spec.target)
    fastest, slowest = (spec.pace.fastest, spec.pace.slowest) if spec.pace else (spec.every, spec.every)
    most, usual = DAY / fastest, DAY / slowest
    places = (spec.target.provider, spec.target.endpoint) if spec.target else ()
    return Line(
        chain=spec.chain,
        target=spec.target.label if spec.target else None,
        asked=spec.target.key if spec.target else "end to end",
        kind=spec.kind,
        every=spec.every,
        fastest=fastest,
        slowest=slowest,
        passive=spec.passive,
        most=most,
        usual=usual,
        usd_most=_times(most, estimate(spec, chain, catalogue)),
        usd_usual=_times(usual, expect(spec, chain, catalogue)),
        providers=tuple(place for place in places if place),
    )


def _of_drill(drill: Drill, chain: ChainConfig, offered: Offered) -> Line:
    """Asked before, while broken, and until it has recovered; at most as often as recovery is tried."""
    runs, spec, catalogue = runs_a_day(drill), drill_spec(drill, chain), offered(chain, None)
    most, usual = runs * drill.most_requests, runs * drill.usual_requests
    usd, load = _times(most, estimate(spec, chain, catalogue)), drill.capacity.usd * runs if drill.capacity else 0.0
    return Line(
        chain=drill.chain,
        target=None,
        asked="end to end",
        kind=f"drill {drill.name}",
        every=drill.every,
        fastest=drill.every,
        slowest=drill.every,
        passive=False,
        most=most,
        usual=usual,
        usd_most=None if usd is None else usd + load,
        usd_usual=_times(usual, expect(spec, chain, catalogue)),
    )


def runs_a_day(drill: Drill) -> float:
    """Of a cron expression the mean over four weeks; 0 for a drill on demand."""
    if drill.every:
        return DAY / drill.every
    if drill.cron is None:
        return 0.0
    trigger, begin = CronTrigger.from_crontab(drill.cron, timezone=UTC), datetime(2024, 1, 1, tzinfo=UTC)
    at, runs = trigger.get_next_fire_time(None, begin), 0
    while at is not None and at < begin + timedelta(days=_CRON_DAYS):
        at, runs = trigger.get_next_fire_time(at, at + timedelta(seconds=1)), runs + 1
    return runs / _CRON_DAYS


def at_provider(name: str, lines: Iterable[Line], config: Config) -> list[Line]:
    """The lines that are surely paid at a provider that has a budget: those pinned to it."""
    budgets = limits(config)
    return [
        line
        for line in lines
        if Purse(scope=Scope.PROVIDER, name=name) in purses_of(line.chain, line.providers, budgets)
    ]


def _times(times: float, usd: float | None) -> float | None:
    return None if usd is None else times * usd
