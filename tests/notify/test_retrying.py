"""When a notifier is given which notice: pure rules, time and randomness handed in."""

from __future__ import annotations

from random import Random

import pytest

from monitor.errors import DeliveryError
from monitor.notify.pace import Pace
from monitor.notify.retrying import HOLD, PATIENCE_MAX, Standing, after_failure, after_success, backoff, due, wait
from tests.fakes.values import notice

ONE, TWO = notice(incident="i1"), notice(incident="i2")


def passing(retry_after: float | None = None) -> DeliveryError:
    return DeliveryError("down", reason="unavailable", permanent=False, retry_after=retry_after)


def permanent() -> DeliveryError:
    return DeliveryError("no such channel", reason="channel_not_found", permanent=True)


@pytest.mark.parametrize(
    ("failures", "low", "high"), [(1, 1, 1.25), (2, 1.5, 2.5), (4, 6, 10), (7, 48, 60), (99, 60, 60)]
)
def test_the_wait_doubles_up_to_a_minute(failures: int, low: float, high: float) -> None:
    waits = [backoff(failures, Random(seed)) for seed in range(50)]
    assert low <= min(waits) <= max(waits) <= high
    assert len(set(waits)) > 10 or low == high, "with jitter"


def test_a_passing_failure_pauses_the_notifier_and_lets_the_others_go_first_afterwards() -> None:
    standing = after_failure(Standing(), ONE, passing(), 100.0, Random(1))
    assert due((ONE, TWO), standing, 100.5) is None
    assert wait((ONE, TWO), standing, 100.0) == pytest.approx(standing.not_before - 100.0)
    assert due((ONE, TWO), standing, 102.0) is TWO


def test_a_retry_after_is_kept_to_but_not_for_ever() -> None:
    assert after_failure(Standing(), ONE, passing(30), 100.0, Random(1)).not_before == 130.0
    assert after_failure(Standing(), ONE, passing(1e9), 100.0, Random(1)).not_before == 100.0 + PATIENCE_MAX


def test_a_permanent_failure_holds_back_the_one_notice_only() -> None:
    standing = after_failure(Standing(), ONE, permanent(), 100.0, Random(1))
    assert due((ONE, TWO), standing, 100.0) is TWO
    assert due((ONE,), standing, 100.0 + HOLD - 1) is None
    assert wait((ONE,), standing, 100.0) == HOLD
    assert due((ONE,), standing, 100.0 + HOLD) is ONE


def test_after_a_success_everything_may_be_tried_again() -> None:
    standing = after_failure(Standing(), ONE, permanent(), 100.0, Random(1))
    assert due((ONE,), after_success(), 100.0) is ONE
    assert standing != after_success()


def test_nothing_waits_for_nothing() -> None:
    assert wait((), Standing(), 100.0) is None
    assert due((), Standing(), 100.0) is None
    assert wait((ONE,), Standing(), 100.0) == 0.0


def test_the_pace_allows_a_burst_and_then_one_a_second() -> None:
    pace = Pace(every=1.0, burst=3)
    assert [pace.reserve(100.0) for _ in range(5)] == [0.0, 0.0, 0.0, 1.0, 2.0]
    assert pace.reserve(103.5) == pytest.approx(0.0)
    assert [pace.reserve(200.0) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]
