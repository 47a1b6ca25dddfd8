"""Shares of answers that came from a fallback, over windows."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.fallback import KEEP, FallbackHistory, counted_path
from monitor.model import Origin, Outcome, Path, Reason, Status

T = 1_791_028_800.0  # the start of a minute
ANSWERS = [path for path in Path if path is not Path.EXHAUSTED]


def history(*answers: tuple[float, Path]) -> FallbackHistory:
    kept = FallbackHistory()
    for after, path in answers:
        kept.add(T + after, path)
    return kept


@pytest.mark.parametrize(
    ("paths", "share", "samples"),
    [
        ([], None, 0),
        ([Path.PRIMARY], 0.0, 1),
        ([Path.PRIMARY, Path.FAILED_OVER], 0.5, 2),
        ([Path.FILTERED, Path.FELL_BACK, Path.WRONG_MODEL, Path.PRIMARY], 0.75, 4),
        ([Path.EXHAUSTED], None, 0),
        ([Path.EXHAUSTED, Path.FAILED_OVER], 1.0, 1),
    ],
)
def test_the_share_is_of_answers_and_exhausted_is_none(paths, share, samples):
    kept = history(*((float(n), path) for n, path in enumerate(paths)))
    assert kept.share(600.0, T + 60) == (share, samples)


def test_a_window_ends_to_the_second_while_answers_are_young():
    kept = history((5.0, Path.FAILED_OVER), (20.0, Path.PRIMARY), (25.0, Path.PRIMARY))
    assert kept.share(20.0, T + 24) == (0.5, 2)
    assert kept.share(20.0, T + 25) == (0.0, 2)


def test_window_and_baseline_share_no_answer():
    kept = history((0.0, Path.FAILED_OVER), (100.0, Path.PRIMARY), (200.0, Path.PRIMARY))
    assert kept.share_between(T - 500, T + 100) == (0.5, 2)
    assert kept.share_between(T + 100, T + 200) == (0.0, 1)


def buckets(*answers: tuple[float, Path]) -> list[tuple[int, Path, int]]:
    """As the store gives them."""
    minutes = Counter((int((T + after) // 60), path) for after, path in answers)
    return [(minute, path, count) for (minute, path), count in minutes.items()]


def test_a_restored_history_goes_on():
    answers = ((0.0, Path.FAILED_OVER), (1.0, Path.PRIMARY), (61.0, Path.EXHAUSTED))
    again = FallbackHistory(buckets(*answers))
    assert again.share(600.0, T + 300) == history(*answers).share(600.0, T + 300) == (0.5, 2)
    assert again.first == history(*answers).first == T
    again.add(T + 62, Path.PRIMARY)
    assert again.share(600.0, T + 300) == (pytest.approx(1 / 3), 3)


def test_restored_answers_count_as_at_the_middle_of_their_minute():
    kept = FallbackHistory([(int(T // 60), Path.PRIMARY, 1)])
    assert kept.count_between(T - 60, T + 29).answers == 0
    assert kept.count_between(T - 60, T + 30).answers == 1
    assert kept.count_between(T + 30, T + 90).answers == 0


def test_what_is_too_old_is_dropped():
    kept = history((0.0, Path.FAILED_OVER), (KEEP + 61, Path.PRIMARY))
    assert kept.share_between(T - 60, T + KEEP + 120) == (0.0, 1)
    assert kept.first == T + KEEP + 60


def test_heavy_traffic_takes_no_more_room_than_its_seconds():
    kept = FallbackHistory()
    for n in range(5000):
        kept.add(T + n / 100, Path.FELL_BACK if n % 2 else Path.PRIMARY)
    assert kept.share(600.0, T + 60) == (0.5, 5000)
    assert kept.size == 50


def test_answers_are_known_to_the_minute_after_an_hour():
    kept = history((1.0, Path.FAILED_OVER), (59.0, Path.PRIMARY), (2 * 3600.0, Path.PRIMARY))
    assert kept.size == 2
    assert kept.share(3 * 3600.0, T + 2 * 3600) == (pytest.approx(1 / 3), 3)
    assert kept.count_between(T + 29, T + 60).answers == 2
    assert kept.count_between(T + 30, T + 60).answers == 0


@given(
    st.lists(st.tuples(st.floats(0, 7200), st.sampled_from(list(Path))), max_size=60),
    st.floats(0, 7200),
)
def test_two_windows_side_by_side_see_every_answer_once(answers, cut):
    for kept in (history(*answers), FallbackHistory(buckets(*answers))):
        both = kept.count_between(T - 60, T + cut) + kept.count_between(T + cut, T + 8000)
        assert both == kept.count_between(T - 60, T + 8000)
        assert both.answers == sum(path is not Path.EXHAUSTED for _, path in answers)


@pytest.mark.parametrize(
    ("origin", "target", "counted"),
    [
        (Origin.SCHEDULED, None, Path.FILTERED),
        (Origin.LIVE, None, Path.FILTERED),
        (Origin.DRILL, None, None),
        (Origin.MANUAL, None, None),
        (Origin.SCHEDULED, "primary", None),
    ],
)
def test_only_the_chains_own_answers_count(origin, target, counted):
    outcome = Outcome(
        id="o",
        at=T,
        chain="chat",
        target=target,
        probe="p",
        kind="completion",
        origin=origin,
        status=Status.OK,
        reason=Reason.NONE,
        path=Path.FILTERED,
    )
    assert counted_path(outcome) is counted


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(list(Path))), max_size=60), st.data())
def test_any_window_of_whole_minutes_is_counted_exactly(answers, data):
    kept = FallbackHistory((int(T // 60) + minute, path, 1) for minute, path in answers)
    start = data.draw(st.integers(-5, 400))
    end = data.draw(st.integers(start, 410))
    inside = [path for minute, path in answers if start <= minute < end]
    counts = kept.count_between(T + start * 60 - 1e-3, T + end * 60 - 1e-3)
    assert counts.answers == sum(path is not Path.EXHAUSTED for path in inside)
    assert counts.fallbacks == sum(path.is_fallback for path in inside)
    assert kept.first == (T + 60 * min(minute for minute, _ in answers) if answers else None)
