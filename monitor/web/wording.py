"""How the pages word values. Pure; also the filters of the templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.model import Health, Outcome, Path, VerdictKind
from monitor.web.views import DrillView, RunState, RunView, StatusView

GRAVITY = (Health.DOWN, Health.DEGRADED, Health.LIMITED, Health.UNKNOWN, Health.HEALTHY)
"""The gravest first."""

_PATHS = {
    Path.PRIMARY: "the primary answered",
    Path.FAILED_OVER: "failed over",
    Path.FILTERED: "primary filtered out",
    Path.FELL_BACK: "fell back",
    Path.WRONG_MODEL: "a model outside the chain answered",
    Path.EXHAUSTED: "no target answered",
}
_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """The state of everything in one sentence."""

    health: Health
    text: str


def overall(chains: Mapping[str, Health]) -> Overall:
    """Named after the gravest: the chains that are in trouble, or how many there are."""
    for health in GRAVITY[:-1]:
        found = [name for name, own in chains.items() if own is health]
        if found:
            text = "no results yet" if health is Health.UNKNOWN and len(found) == len(chains) else _those(found, health)
            return Overall(health=health, text=text)
    text = (
        "the chain answers, and so does every fallback" if len(chains) == 1 else f"all {len(chains)} chains are healthy"
    )
    return Overall(health=Health.HEALTHY, text=text)


def path(value: Path | None) -> str:
    return _PATHS[value] if value else ""


def tone(run: RunView | None) -> str:
    """The colour of a run, as the name of a health."""
    if run is None:
        return "unknown"
    if run.state is RunState.RUNNING or run.verdict is None:
        return "running"
    return {VerdictKind.PASSED: "healthy", VerdictKind.DEVIATED: "down"}.get(run.verdict.kind, "limited")


def outcome_of(run: RunView) -> str:
    """``passed``, or that it is under way."""
    return run.verdict.kind.value if run.verdict else "running"


def subject(outcome: Outcome) -> str:
    """``whole chain``, ``primary`` or ``primary@anthropic``."""
    if outcome.target is None:
        return "whole chain"
    return f"{outcome.target}@{outcome.provider}" if outcome.provider else outcome.target


def consequences(drill: DrillView) -> str:
    """What running a drill will do, for the person who is about to."""
    cost = "their price is not known" if drill.cost is None else f"{usd(drill.cost)} at most"
    return (
        f"Breaks {' and '.join(drill.breaks)} of {drill.chain} with {drill.fault}, for {drill.whose}: "
        f"for {span(drill.max_duration)} at most, with up to {drill.requests} paid requests ({cost}). "
        f"The fault is taken away afterwards, whatever happens. Expected: {drill.expects}."
    )


def chores(status: StatusView) -> str:
    """The counts under the headline."""
    counted = [
        _count(status.chains, "chain"),
        _count(status.targets, "target"),
        _count(status.probes, "probe"),
        f"{_count(status.outcomes, 'result')} since the start",
    ]
    return " · ".join(counted)


def span(seconds: float) -> str:
    """``340 ms``, ``0.82 s``, ``95 s``, ``3 min``, ``26 h``, ``4 d``: a unit begins at two of it."""
    for unit, name in _SPANS:
        if seconds >= 2 * unit:
            return f"{int(seconds / unit)} {name}"
    if seconds >= 10:
        return f"{int(seconds)} s"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def lasting(seconds: float) -> str:
    """``4 s``, ``3 min``: how long something has been so; whole seconds."""
    return span(seconds) if seconds >= 10 else f"{max(0.0, seconds):.0f} s"


def ago(at: float, now: float) -> str:
    """``4 s ago``, ``in 3 min``; whole seconds."""
    away = abs(now - at)
    return f"in {lasting(away)}" if at > now else f"{lasting(away)} ago"


def day_time(at: float) -> str:
    """``2026-10-03 12:03:20``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def percent(share: float | None) -> str:
    """``0 %``, ``0.4 %``, ``12 %``; an en dash for no answers."""
    if share is None:
        return "–"
    value = share * 100
    return f"{value:.0f} %" if value >= 10 or value in (0.0, 100.0) else f"{value:.1f} %"


def usd(value: float) -> str:
    return f"${value:.2f}" if value >= 0.1 or value == 0 else f"${value:.4f}"


def _those(names: Sequence[str], health: Health) -> str:
    told = ", ".join(names) if len(names) <= 3 else f"{len(names)} chains"
    word = {Health.UNKNOWN: "not known yet", Health.LIMITED: "rate limited"}.get(health, health.value)
    return f"{told} {'is' if len(names) == 1 else 'are'} {word}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
