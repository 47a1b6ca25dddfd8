"""Running totals: every window gives what adding it all up by hand gives."""

from __future__ import annotations

from math import floor

from hypothesis import given
from hypothesis import strategies as st

from monitor.cumulative import Cumulative

AT = st.floats(0, 20_000) | st.integers(0, 40).map(lambda n: n * 450.0)  # and moments on edges
COUNTS = st.tuples(st.integers(0, 5), st.integers(0, 5))
STEPS = st.lists(
    st.tuples(st.just("add"), AT, COUNTS) | st.tuples(st.sampled_from(["age", "forget"]), AT, st.just((0, 0))),
    max_size=80,
)
WINDOW = st.tuples(AT, AT) | st.tuples(st.just(-1.0), st.just(30_000.0))


class ByHand:
    """The same from a list of everything, which is gone through for every window."""

    def __init__(self, fine: int, coarse: int) -> None:
        self.fine, self.coarse, self.aged = fine, coarse, 0.0
        self.kept: list[tuple[float, int, int]] = []

    def add(self, at: float, one: int, other: int) -> None:
        self.kept.append((self._middle(at), one, other))

    def age(self, until: float) -> None:
        self.aged = max(self.aged, floor(until / self.coarse) * self.coarse)
        self.kept = [(self._middle(at), one, other) for at, one, other in self.kept]

    def forget(self, until: float) -> None:
        self.kept = [counts for counts in self.kept if counts[0] >= until]

    def between(self, start: float, end: float) -> tuple[int, int]:
        inside = [counts for counts in self.kept if start < counts[0] <= end]
        return sum(one for _, one, _ in inside), sum(other for _, _, other in inside)

    def _middle(self, at: float) -> float:
        grain = self.coarse if at < self.aged else self.fine
        return floor(at / grain) * grain + grain // 2


@given(STEPS, st.sampled_from([(1, 60), (60, 900)]), st.lists(WINDOW, min_size=1, max_size=8))
def test_every_window_is_the_sum_of_what_is_in_it(steps, grains, windows):
    fine, coarse = grains
    kept, by_hand = Cumulative(fine=fine, coarse=coarse), ByHand(fine, coarse)
    for what, at, counts in steps:
        for one in (kept, by_hand):
            one.add(at, *counts) if what == "add" else getattr(one, what)(at)
        for start, end in windows:
            assert kept.between(start, end) == by_hand.between(start, end)
    assert len(kept) == len({at for at, _, _ in by_hand.kept})
    assert kept.first == min((at for at, _, _ in by_hand.kept), default=None)


def test_what_is_kept_of_a_week_is_small_whatever_the_traffic():
    kept = Cumulative(fine=1, coarse=60)
    for second in range(0, 8 * 86400, 2):
        for _ in range(3):
            kept.add(second + 0.5, 1, 0)
        if second % 60 == 0:
            kept.age(second - 3600.0)
    assert len(kept) < 8 * 24 * 60 + 1830
    assert kept.between(-1, 9e9) == (3 * 8 * 43200, 0)
