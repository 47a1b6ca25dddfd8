"""The picture of a run, as numbers: who answered when, what was called in vain, and while the fault was in. Pure.

Lengths are units of the drawing, times are seconds since the start of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, log10

from chaos.model import Asked, Journal, Phase
from chaos.wording import described, seconds
from monitor.model import Attempt, Outcome, Status

LEFT, WIDTH, TOP, LANE, FOOT = 150.0, 960.0, 34.0, 34.0, 30.0
THIN = 4.0
"""A request that took no time to speak of is still seen."""
NOBODY = "no answer"
APPLICATION = "the application"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A target, nobody, or the application. ``broken``: the drill takes it away."""

    label: str
    y: float
    broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One request, on the lane of who answered it, or the wait for one who did not. ``tone``: good, late, bad or vain.
    ``title``: what happened, in words."""

    x: float
    y: float
    width: float
    tone: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cross:
    """A target that was called in vain on the way to an answer, nobody knows for how long."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of time with a name: a phase, or (``fault``) that in which the chain was broken."""

    x: float
    width: float
    text: str
    fault: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    width: float
    height: float
    lanes: tuple[Lane, ...]
    bands: tuple[Band, ...]
    bars: tuple[Bar, ...]
    crosses: tuple[Cross, ...]
    ticks: tuple[Tick, ...]


def timeline(journal: Journal) -> Timeline:
    outcomes = (*journal.baseline, *journal.broken, *journal.recovered)
    ends = (journal.ended, *map(_end, outcomes), *(one.ended for one in journal.application))
    length = max(0.001, max(ends) - journal.started)
    scale = _Scale(start=journal.started, length=length)
    lanes = _lanes(journal, outcomes)
    places = {lane.label: lane.y for lane in lanes}
    return Timeline(
        width=LEFT + WIDTH + 20.0,
        height=TOP + LANE * len(lanes) + FOOT,
        lanes=lanes,
        bands=tuple(_bands(journal, scale)),
        bars=(
            *(bar for outcome in outcomes for bar in _bars(outcome, scale, places)),
            *(_of_application(one, scale, places[APPLICATION]) for one in journal.application),
        ),
        crosses=tuple(cross for outcome in outcomes for cross in _crosses(outcome, scale, journal, places)),
        ticks=tuple(Tick(x=scale.x(journal.started + at), text=seconds(at)) for at in _steps(length)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    start: float
    length: float

    def x(self, at: float) -> float:
        """Where a moment is; whatever a clock that was set back says stays on the picture."""
        return round(LEFT + WIDTH * min(1.0, max(0.0, (at - self.start) / self.length)), 1)


def _lanes(journal: Journal, outcomes: tuple[Outcome, ...]) -> tuple[Lane, ...]:
    labels = journal.labels or tuple(dict.fromkeys(one.served_by for one in outcomes if one.served_by))
    names = [*labels, *([NOBODY] if any(one.served_by not in labels for one in outcomes) else [])]
    names += [APPLICATION] if journal.application else []
    return tuple(
        Lane(label=label, y=TOP + LANE * number, broken=number in journal.drill.breaks and label in labels)
        for number, label in enumerate(names)
    )


def _bands(journal: Journal, scale: _Scale) -> Iterator[Band]:
    """Before the fault, while it was in (from its arming to its rollback), and after it."""
    armed = next((event.at for event in journal.events if event.phase is Phase.INJECT), journal.ended)
    back = next((event.at for event in journal.events if event.phase is Phase.RECOVER), journal.ended)
    stretches = (
        (Phase.BASELINE, journal.started, armed),
        (Phase.INJECT, armed, back),
        (Phase.RECOVER, back, journal.ended),
    )
    for phase, start, end in stretches:
        x, width = scale.x(start), round(scale.x(end) - scale.x(start), 1)
        if width > 0:
            yield Band(x=x, width=width, text=phase.value, fault=phase is Phase.INJECT)


def _bars(outcome: Outcome, scale: _Scale, places: dict[str, float]) -> Iterator[Bar]:
    """The request on the lane of who answered it; before that, what it waited for on the lanes of those who did not,
    where that is known."""
    start, at = outcome.at, outcome.at
    labels = list(places)
    for attempt in outcome.attempts:
        if attempt.position is None or attempt.position == outcome.position or attempt.duration is None:
            continue
        if attempt.position < len(labels):
            title = f"{labels[attempt.position]} {_in_vain(attempt)} for {seconds(attempt.duration)}"
            yield _stretch(at, at + attempt.duration, places[labels[attempt.position]], "vain", title, scale)
        at += attempt.duration
    tone = {Status.OK: "good", Status.DEGRADED: "late"}.get(outcome.status, "bad")
    y = places.get(outcome.served_by or NOBODY, places.get(NOBODY, TOP))
    yield _stretch(
        min(at, _end(outcome)) if tone != "bad" else start, _end(outcome), y, tone, described(outcome), scale
    )


def _of_application(one: Asked, scale: _Scale, y: float) -> Bar:
    title = one.wrong or f"answered as expected (HTTP {one.status})"
    return _stretch(one.at, one.ended, y, "bad" if one.wrong else "good", f"{APPLICATION} {title}", scale)


def _stretch(start: float, end: float, y: float, tone: str, title: str, scale: _Scale) -> Bar:
    x = scale.x(start)
    return Bar(x=x, y=y, width=round(max(THIN, scale.x(end) - x), 1), tone=tone, title=title)


def _crosses(outcome: Outcome, scale: _Scale, journal: Journal, places: dict[str, float]) -> Iterator[Cross]:
    """Those of whom it is not known how long they were waited for."""
    for attempt in outcome.attempts:
        position = attempt.position
        if position is None or position >= len(journal.labels) or position == outcome.position:
            continue
        if attempt.duration is None:
            label = journal.labels[position]
            yield Cross(x=scale.x(outcome.at), y=places[label], title=f"{label} {_in_vain(attempt)}")


def _in_vain(attempt: Attempt) -> str:
    return f"was called in vain ({' '.join(filter(None, (str(attempt.status_code or ''), attempt.reason.value)))})"


def _steps(length: float) -> Iterator[float]:
    """Four to ten round moments."""
    rough = length / 6
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    number = 0
    while number * step <= length:
        yield number * step
        number += 1


def _end(outcome: Outcome) -> float:
    return outcome.at + outcome.duration
