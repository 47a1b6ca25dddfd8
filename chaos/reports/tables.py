"""The parts of a report that only some runs have: an application, live traffic, a rising load. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from chaos.capacity import Load
from chaos.comparison import Sample, sample_of
from chaos.judge_traffic import calls_of_asked, proof_of
from chaos.model import Asked, Journal, Phase
from chaos.passing import Call, Group, Passed, calls_of
from chaos.wording import join, seconds

_NOT_COMPARED = "It was not compared: the drill ended before, or the gateway told nothing of it."
LONGEST = 300
"""Letters of a cell. The journal has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``says``: one sentence before it."""

    title: str
    says: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(journal: Journal) -> tuple[Table, ...]:
    """Those that the run has something for, in the order of a report."""
    return tuple(table for part in (_application, _live, _load) if (table := part(journal)) is not None)


def short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def after(at: float, started: float) -> str:
    return f"{at - started:+.2f}s"


def _application(journal: Journal) -> Table | None:
    plan = journal.drill.application
    if not journal.application:
        return None
    where = f"{plan.method} {plan.url}" if plan else "The application"
    broken = sum(one.phase is Phase.INJECT for one in journal.application)
    met = sum(proof_of(one, journal.passed).met for one in journal.application if one.phase is Phase.INJECT)
    return Table(
        title="Application",
        says=f"{where}: asked {len(journal.application)} times, {broken} of them while the chain was broken; the "
        f"gateway saw {met} of those meet the fault.",
        heads=("phase", "request", "after", "took", "status", "what happened", "the fault", "answered by"),
        rows=tuple(_asked(number, one, journal) for number, one in enumerate(journal.application, 1)),
    )


def _asked(number: int, one: Asked, journal: Journal) -> tuple[str, ...]:
    return (
        one.phase.value,
        str(number),
        after(one.at, journal.started),
        seconds(max(0.0, one.ended - one.at)),
        "" if one.status is None else f"HTTP {one.status}",
        short(one.wrong or "answered as expected"),
        _fault(one, journal) if one.phase is Phase.INJECT else "",
        _answered_by(calls_of_asked(one, journal.passed), journal.labels),
    )


def _fault(one: Asked, journal: Journal) -> str:
    proof = proof_of(one, journal.passed)
    if not proof.met:
        return f"did not meet it: what it sent {short(proof.spared)}" if proof.spared else "did not meet it"
    sure = "" if proof.certain else ", by time"
    return f"met it{sure}" if proof.fell_back else f"met it{sure}; no fallback is seen"


def _answered_by(calls: Iterable[Call], labels: tuple[str, ...]) -> str:
    """The targets that gave the last answer of each call, with how often where there are several calls."""
    last = (call.exchanges[-1] for call in calls)
    counts = Counter(_label(one, labels) for one in last if one.served is not None)
    return join(label if len(counts) == 1 else f"{label} {count} times" for label, count in counts.items())


def _label(one: Passed, labels: tuple[str, ...]) -> str:
    position = one.served if one.served is not None else len(labels)
    return labels[position] if position < len(labels) else f"target {position}"


def _live(journal: Journal) -> Table | None:
    plan = journal.drill.live
    if plan is None:
        return None
    calls = calls_of(journal.passed)
    groups = (("drilled", Group.BROKEN), ("control", Group.CONTROL))
    return Table(
        title="Live traffic: drilled calls beside the control group",
        says=journal.compared.because if journal.compared else _NOT_COMPARED,
        heads=("group", "calls", "failed", "share", "in the middle", "slowest", "requests a call", "answered by"),
        rows=tuple(_group(name, group, calls, journal, plan.patience) for name, group in groups),
    )


def _group(name: str, group: Group, calls: tuple[Call, ...], journal: Journal, patience: float) -> tuple[str, ...]:
    met = group is Group.BROKEN
    own = [call for call in calls if call.group is group and call.met is met]
    sample: Sample = sample_of(own, group, now=journal.ended, patience=patience)
    times = sample.times
    return (
        name,
        str(sample.count),
        str(sample.bad),
        f"{sample.failed:.1%}" if sample.count else "",
        seconds(median(times)) if times else "",
        seconds(max(times)) if times else "",
        f"{sum(len(call.exchanges) for call in own) / len(own):.2f}" if own else "",
        _answered_by((call for call in own if call.ok), journal.labels),
    )


def _load(journal: Journal) -> Table | None:
    capacity = journal.capacity
    if capacity is None:
        return None
    return Table(
        title="Load on the fallback",
        says=f"The fallback {capacity.because}.",
        heads=("at once", "for", "asked", "answered", "a minute", "refused (429)", "cost", "left of its limits"),
        rows=tuple(tuple(_step(load)) for load in capacity.loads),
    )


def _step(load: Load) -> Iterator[str]:
    yield from (str(load.at_once), seconds(load.lasted), str(load.asked), str(load.answered))
    yield from (f"{load.per_minute:.0f}", str(load.limited), f"${load.usd:.4f}")
    yield ", ".join(f"{name} {least:g}" for name, least in sorted(load.remaining.items()))
