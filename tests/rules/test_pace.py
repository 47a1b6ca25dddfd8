"""How often a question is asked, from what is known of whom it is put to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.health import KindState, SubjectState
from monitor.model import Health, PaceRange, ProbeSpec, Reason, Subject
from monitor.pace import PaceReason, decide, slowed

NOW = 1_700_000_000.0
HOUR = 3600.0
RANGE = PaceRange(fastest=15.0, slowest=600.0, slower_after=HOUR)


def spec(pace: PaceRange | None = RANGE) -> ProbeSpec:
    return ProbeSpec(
        key="c:completion", chain="c", kind="completion", target=None, every=60, first_token=5, max_tokens=16, pace=pace
    )


def known(health: Health, ago: float, *, good: float | None = None, bad: float | None = None) -> SubjectState:
    """In this health since ``ago`` seconds, the last good and bad results so many seconds ago."""
    kind = KindState(
        kind="completion",
        health=health,
        since=NOW - ago,
        reason=Reason.NONE if health is Health.HEALTHY else Reason.TIMEOUT,
        last_good=None if good is None else NOW - good,
        last_bad=None if bad is None else NOW - bad,
    )
    return SubjectState(subject=Subject(chain="c"), health=health, since=kind.since, kinds=(kind,))


@pytest.mark.parametrize(
    ("state", "chain", "interval", "reason"),
    [
        (None, Health.HEALTHY, 60, PaceReason.CONFIGURED),
        (known(Health.HEALTHY, 0.9 * HOUR, good=60), Health.HEALTHY, 60, PaceReason.CONFIGURED),
        (known(Health.HEALTHY, 1.0 * HOUR, good=60), Health.HEALTHY, 120, PaceReason.HEALTHY_FOR_LONG),
        (known(Health.HEALTHY, 2.5 * HOUR, good=60), Health.HEALTHY, 240, PaceReason.HEALTHY_FOR_LONG),
        (known(Health.HEALTHY, 3.0 * HOUR, good=60), Health.HEALTHY, 480, PaceReason.HEALTHY_FOR_LONG),
        (known(Health.HEALTHY, 900 * HOUR, good=60), Health.HEALTHY, 600, PaceReason.HEALTHY_FOR_LONG),
        (known(Health.HEALTHY, 900 * HOUR, good=60), Health.DEGRADED, 60, PaceReason.CONFIGURED),
        (known(Health.HEALTHY, 900 * HOUR, good=60), Health.DOWN, 60, PaceReason.CONFIGURED),
        (known(Health.HEALTHY, 900 * HOUR, good=60, bad=1), Health.HEALTHY, 15, PaceReason.SUSPICIOUS),
        (known(Health.HEALTHY, 900 * HOUR, good=1, bad=60), Health.HEALTHY, 60, PaceReason.CONFIGURED),
        (known(Health.HEALTHY, 900 * HOUR, good=1, bad=2 * HOUR), Health.HEALTHY, 240, PaceReason.HEALTHY_FOR_LONG),
        (known(Health.UNKNOWN, 10, bad=1), Health.UNKNOWN, 15, PaceReason.SUSPICIOUS),
        (known(Health.UNKNOWN, 10), Health.UNKNOWN, 60, PaceReason.CONFIGURED),
        (known(Health.DEGRADED, 60, good=2, bad=1), Health.DEGRADED, 15, PaceReason.SUSPICIOUS),
        (known(Health.DEGRADED, 60, good=1, bad=2), Health.DEGRADED, 15, PaceReason.SUSPICIOUS),
        (known(Health.LIMITED, 60, good=2, bad=1), Health.DEGRADED, 15, PaceReason.SUSPICIOUS),
        (known(Health.DOWN, 60, bad=1), Health.DOWN, 15, PaceReason.SUSPICIOUS),
        (known(Health.DOWN, 5 * HOUR, bad=1), Health.DOWN, 60, PaceReason.CONFIGURED),
    ],
)
def test_the_pace_follows_from_what_is_known(state, chain, interval, reason):
    pace = decide(spec(), state, chain, NOW)
    assert (pace.interval, pace.reason) == (interval, reason)
    assert pace.because


def test_without_a_range_every_question_keeps_its_interval():
    down = known(Health.DOWN, 60, bad=1)
    assert decide(spec(pace=None), down, Health.DOWN, NOW).interval == 60
    assert slowed(spec(pace=None), 1e9) == 60


def test_another_kinds_trouble_does_not_make_a_question_faster():
    other = spec()
    state = known(Health.DOWN, 60, bad=1)
    stream = ProbeSpec(**{name: getattr(other, name) for name in other.__slots__} | {"kind": "stream"})
    assert decide(stream, state, Health.DOWN, NOW).interval == 60


@given(st.floats(0, 1e9), st.sampled_from(list(Health)), st.sampled_from(list(Health)), st.floats(0, 1e6))
def test_no_pace_leaves_its_range(ago, health, chain, bad):
    pace = decide(spec(), known(health, ago, good=bad / 2, bad=bad), chain, NOW)
    assert RANGE.fastest <= pace.interval <= RANGE.slowest


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_longer_health_is_never_asked_more_often(one, other):
    assert (slowed(spec(), one) <= slowed(spec(), other)) is (
        one <= other or slowed(spec(), one) == slowed(spec(), other)
    )
