"""Counts over time with their running totals: how many lie in any window is two look-ups, however long it is. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from math import floor


class Cumulative:
    """Pairs of counts, each at the middle of its grain of time (whole seconds): ``fine`` ones while it is young,
    ``coarse`` ones, of which each holds several fine ones, from when ``age`` has passed it.

    ``_totals`` has one entry more than ``_at``: the totals before each moment, and of everything.
    """

    __slots__ = ("_aged", "_at", "_coarse", "_fine", "_totals")

    def __init__(self, *, fine: int, coarse: int) -> None:
        self._fine = fine
        self._coarse = coarse
        self._aged = 0
        self._at = array("q")
        self._totals = (array("q", [0]), array("q", [0]))

    def __len__(self) -> int:
        return len(self._at)

    @property
    def first(self) -> int | None:
        """The oldest moment, in seconds since the epoch."""
        return self._at[0] if self._at else None

    def add(self, at: float, one: int, other: int) -> None:
        """Cheap for what is newest, and a step for each later moment for what comes late."""
        moment = self._moment(at)
        place = bisect_left(self._at, moment)
        if place == len(self._at) or self._at[place] != moment:
            self._at.insert(place, moment)
            for totals in self._totals:
                totals.insert(place + 1, totals[place])
        for totals, count in zip(self._totals, (one, other), strict=True):
            for later in range(place + 1, len(totals)) if count else ():
                totals[later] += count

    def between(self, start: float, end: float) -> tuple[int, int]:
        """What lies after ``start`` and not after ``end``."""
        first, last = bisect_right(self._at, start), bisect_right(self._at, end)
        if last <= first:
            return 0, 0
        ones, others = self._totals
        return ones[last] - ones[first], others[last] - others[first]

    def age(self, until: float) -> None:
        """What is older becomes coarse, to the last whole grain."""
        aged = floor(until) // self._coarse * self._coarse
        if aged <= self._aged:
            return
        first, last = bisect_left(self._at, self._aged), bisect_left(self._at, aged)
        self._aged = aged
        places: dict[int, int] = {}  # each coarse moment, and the place of the last fine one in it
        for place in range(first, last):
            places[self._moment(self._at[place])] = place
        self._at[first:last] = array("q", places)
        for totals in self._totals:
            totals[first + 1 : last + 1] = array("q", [totals[place + 1] for place in places.values()])

    def forget(self, until: float) -> None:
        """Without what is older; it stays in the totals that everything is counted from."""
        place = bisect_left(self._at, until)
        del self._at[:place]
        for totals in self._totals:
            del totals[:place]

    def _moment(self, at: float) -> int:
        grain = self._coarse if at < self._aged else self._fine
        return floor(at) // grain * grain + grain // 2
