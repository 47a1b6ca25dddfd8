"""Are the calls that a drill breaks worse off than those that it leaves whole? Pure statistics.

Shares are compared by the interval of their difference (Newcombe 1998, method 10, of Wilson's intervals), times by
Mann and Whitney's rank sum. Both are looked at again and again while a drill runs, hence the high confidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chaos.passing import Call, Group
from chaos.wording import seconds
from monitor.shares import wilson

Z = 2.576
"""One-sided confidence of 99.5 %, in standard deviations."""


class Harm(StrEnum):
    """``undecided``: too few calls to tell."""

    UNDECIDED = "undecided"
    NONE = "none"
    FAILING = "failing"
    SLOW = "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Calls of one group: how many ended well or badly, and how long the good ones took, in seconds."""

    good: int = 0
    bad: int = 0
    times: tuple[float, ...] = ()

    @property
    def count(self) -> int:
        return self.good + self.bad

    @property
    def failed(self) -> float:
        """The share that ended badly."""
        return self.bad / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is no harm yet: so much larger a share of failures, so many seconds more; and how many calls of each group
    must have been seen before anything is said."""

    failures: float
    slower: float
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    harm: Harm
    because: str


def compare(broken: Sample, control: Sample, limits: Limits) -> Comparison:
    """The harm of a fault so far, with the numbers that it is read from."""
    seen = f"{_told(broken)} of the broken calls failed and {_told(control)} of the control group"
    if min(broken.count, control.count) < limits.samples:
        return Comparison(harm=Harm.UNDECIDED, because=f"{seen}, where {limits.samples} of each are needed")
    low = least_difference(broken, control)
    if low > limits.failures:
        because = f"{seen}: at least {low:.0%} more, where {limits.failures:.0%} are tolerated"
        return Comparison(harm=Harm.FAILING, because=because)
    if is_later(broken.times, control.times, limits.slower):
        times = f"{seconds(_median(broken.times))} instead of {seconds(_median(control.times))} in the middle"
        return Comparison(
            harm=Harm.SLOW, because=f"broken calls take {times}, more than {seconds(limits.slower)} longer"
        )
    return Comparison(harm=Harm.NONE, because=seen)


def sample_of(calls: Iterable[Call], group: Group, *, now: float, patience: float) -> Sample:
    """The calls of a group that are over: the broken ones that met the fault, and those of the control group."""
    met = group is Group.BROKEN
    over = [one for one in calls if one.group is group and one.met is met and one.is_settled(now, patience)]
    good = [one for one in over if one.ok]
    return Sample(good=len(good), bad=len(over) - len(good), times=tuple(one.duration for one in good))


def least_difference(broken: Sample, control: Sample) -> float:
    """By how much more of the broken calls fail at least (a share, may be negative), with the confidence of ``Z``."""
    low, _ = wilson(broken.bad, broken.count, Z)
    _, high = wilson(control.bad, control.count, Z)
    difference = broken.failed - control.failed
    return difference - math.hypot(broken.failed - low, high - control.failed)


def is_later(broken: Sequence[float], control: Sequence[float], slower: float) -> bool:
    """Whether times are surely more than ``slower`` seconds longer than the control group's."""
    many, few = len(broken), len(control)
    if not many or not few:
        return False
    ranks, ties = _ranks([*(time - slower for time in broken), *control])
    above = sum(ranks[:many]) - many * (many + 1) / 2
    total = many + few
    variance = many * few / 12 * (total + 1 - ties / (total * (total - 1)))
    return variance > 0 and (above - many * few / 2) / math.sqrt(variance) > Z


def _ranks(values: Sequence[float]) -> tuple[list[float], float]:
    """The rank of each, equals sharing the middle of theirs; and how much ties take from the variance."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, ties, begin = [0.0] * len(values), 0.0, 0
    while begin < len(order):
        end = begin
        while end < len(order) and values[order[end]] == values[order[begin]]:
            end += 1
        for index in order[begin:end]:
            ranks[index] = (begin + 1 + end) / 2
        ties += (end - begin) ** 3 - (end - begin)
        begin = end
    return ranks, ties


def _median(times: Sequence[float]) -> float:
    return sorted(times)[len(times) // 2]


def _told(sample: Sample) -> str:
    return f"{sample.bad} of {sample.count}"
