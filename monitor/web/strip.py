"""The strip that shows who served: from counts of buckets to shapes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.model import Path
from monitor.web.history_views import ServedView, StripView

LEAST = 0.12
"""Of a bucket's height: a single lost answer among a thousand must still be seen."""
NOBODY, STRANGER = "nobody", "stranger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A rectangle in units of buckets (``x``, ``width``) and of the strip's height (``y`` from the top, ``height``).
    ``who``: ``p0`` and so on by position, ``stranger`` or ``nobody``."""

    x: int
    width: int
    y: float
    height: float
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A line of the legend. ``share`` of all answers, in 0 to 1."""

    who: str
    label: str
    share: float
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A run of buckets that look the same, for its tip: from ``start`` to ``end``, ``text`` says who served."""

    x: int
    width: int
    start: float
    end: float
    text: str


def serve(
    found: Sequence[tuple[int, int | None, Path, int]], labels: Sequence[str], at: Sequence[float], step: float
) -> StripView:
    """The strip of one chain from (bucket, position, path, count), without gaps."""
    counts = {round(start / step): [0] * (len(labels) + 2) for start in at}
    for bucket, position, path, count in found:
        if bucket in counts:
            counts[bucket][_place(position, path, len(labels))] += count
    buckets = tuple(
        ServedView(at=start, counts=tuple(own[:-2]), strangers=own[-2], nobody=own[-1])
        for start, own in zip(at, counts.values(), strict=True)
    )
    return StripView(start=at[0], step=step, labels=tuple(labels), buckets=buckets)


def shapes(strip: StripView) -> tuple[Shape, ...]:
    """Stacked shares, whoever is first in the chain at the bottom; buckets that look the same are one shape."""
    made: list[Shape] = []
    for x, width, bucket in _alike(strip.buckets):
        bottom = 1.0
        for who, height in _heights(bucket):
            bottom -= height
            made.append(Shape(x=x, width=width, y=round(bottom, 4), height=round(height, 4), who=who))
    return tuple(made)


def spells(strip: StripView) -> tuple[Spell, ...]:
    """What a reader is told who points at the strip."""
    return tuple(
        Spell(x=x, width=width, start=bucket.at, end=bucket.at + width * strip.step, text=_told(bucket, strip.labels))
        for x, width, bucket in _alike(strip.buckets)
    )


def shares(strip: StripView) -> tuple[Share, ...]:
    """The legend: every target in order, then whoever else answered or did not."""
    total = sum(bucket.total for bucket in strip.buckets)
    counts = [sum(bucket.counts[place] for bucket in strip.buckets) for place in range(len(strip.labels))]
    found = [(f"p{min(place, 5)}", label, counts[place]) for place, label in enumerate(strip.labels)]
    strangers = sum(bucket.strangers for bucket in strip.buckets)
    nobody = sum(bucket.nobody for bucket in strip.buckets)
    found += [(STRANGER, "a model outside the chain", strangers)] if strangers else []
    found += [(NOBODY, "nobody", nobody)] if nobody else []
    return tuple(
        Share(who=who, label=label, share=count / total if total else 0.0, answers=count) for who, label, count in found
    )


def _place(position: int | None, path: Path, targets: int) -> int:
    if path is Path.EXHAUSTED:
        return targets + 1
    known = position is not None and position < targets and path is not Path.WRONG_MODEL
    return position if known and position is not None else targets


def _heights(bucket: ServedView) -> list[tuple[str, float]]:
    parts = [(f"p{min(place, 5)}", count) for place, count in enumerate(bucket.counts)]
    parts += [(STRANGER, bucket.strangers), (NOBODY, bucket.nobody)]
    present = [(who, max(LEAST, count / bucket.total)) for who, count in parts if count]
    whole = sum(height for _, height in present)
    return [(who, height / whole) for who, height in present]


def _alike(buckets: Sequence[ServedView]) -> list[tuple[int, int, ServedView]]:
    """(first place, how many, bucket) of runs with the same picture; empty ones are left out."""
    found: list[tuple[int, int, ServedView]] = []
    for place, bucket in enumerate(buckets):
        if not bucket.total:
            continue
        if found and found[-1][0] + found[-1][1] == place and _heights(found[-1][2]) == _heights(bucket):
            first, width, own = found[-1]
            found[-1] = (first, width + 1, own)
        else:
            found.append((place, 1, bucket))
    return found


def _told(bucket: ServedView, labels: Sequence[str]) -> str:
    parts = [
        *zip(labels, bucket.counts, strict=True),
        ("outside the chain", bucket.strangers),
        ("nobody", bucket.nobody),
    ]
    told = [(label, count) for label, count in parts if count]
    if len(told) == 1:
        return told[0][0]
    return ", ".join(f"{label} {count / bucket.total:.0%}" for label, count in told)
