"""The statistics of live drills: shares with their uncertainty, times by rank, and nothing said of too few calls."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.comparison import Harm, Limits, Sample, compare, is_later, least_difference, sample_of
from chaos.passing import Call, Group
from monitor.shares import wilson

from .traffic_samples import passed

LIMITS = Limits(failures=0.05, slower=1.0, samples=20)


@pytest.mark.parametrize(
    ("broken", "control", "harm"),
    [
        (Sample(good=19), Sample(good=100), Harm.UNDECIDED),
        (Sample(good=100), Sample(good=19), Harm.UNDECIDED),
        (Sample(good=20), Sample(good=20), Harm.NONE),
        (Sample(bad=20), Sample(good=20), Harm.FAILING),
        (Sample(bad=20), Sample(bad=20), Harm.NONE),  # a real outage of everything is no harm done by the drill
        (Sample(good=19, bad=1), Sample(good=20), Harm.NONE),  # one more may be chance
        (Sample(good=800, bad=200), Sample(good=1000), Harm.FAILING),
        (Sample(good=20, times=(9.0,) * 20), Sample(good=20, times=(1.0,) * 20), Harm.SLOW),
        (Sample(good=20, times=(1.5,) * 20), Sample(good=20, times=(1.0,) * 20), Harm.NONE),
    ],
)
def test_harm_is_declared_where_it_is_sure(broken: Sample, control: Sample, harm: Harm) -> None:
    assert compare(broken, control, LIMITS).harm is harm


def test_a_comparison_says_its_numbers() -> None:
    told = compare(Sample(bad=20), Sample(good=19, bad=1), LIMITS).because
    assert told.startswith("20 of 20 of the broken calls failed and 1 of 20 of the control group: at least ")


def test_wilsons_interval_is_as_published() -> None:
    """Newcombe 1998, table I, at 95 %."""
    assert wilson(81, 263, 1.96) == pytest.approx((0.2553, 0.3662), abs=0.0001)
    assert wilson(15, 148, 1.96) == pytest.approx((0.0624, 0.1605), abs=0.0001)
    assert wilson(0, 20, 1.96) == pytest.approx((0.0, 0.1611), abs=0.0001)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_the_least_difference_is_never_above_the_difference(good: int, bad: int, fine: int, poor: int) -> None:
    broken, control = Sample(good=good, bad=bad), Sample(good=fine, bad=poor)
    assert -1.5 <= least_difference(broken, control) <= broken.failed - control.failed + 1e-9


def test_equal_groups_are_seldom_called_harmed() -> None:
    """At every look at 200 pairs of equal groups: fewer than 1 in 20, whatever the failure rate."""
    rng, alarms = Random(5), 0
    for _ in range(200):
        rate = rng.choice((0.0, 0.05, 0.3))
        bad, poor = 0, 0
        for seen in range(1, 200):
            bad += rng.random() < rate
            poor += rng.random() < rate
            found = compare(Sample(good=seen - bad, bad=bad), Sample(good=seen - poor, bad=poor), LIMITS)
            if found.harm is Harm.FAILING:
                alarms += 1
                break
    assert alarms < 10


def test_later_is_later_by_more_than_is_allowed() -> None:
    rng = Random(3)
    control = [rng.lognormvariate(0, 0.5) for _ in range(40)]
    assert not is_later([time + 0.9 for time in control], control, 1.0)
    assert is_later([time + 2.0 for time in control], control, 1.0)
    assert not is_later([], control, 1.0)
    assert not is_later([1.0] * 30, [1.0] * 30, 0.0)


def test_a_sample_counts_calls_that_are_over() -> None:
    calls = [
        Call(id="good", exchanges=(passed(met=True, ok=False), passed(at=1.0, ended=2.5, position=1))),
        Call(id="bad", exchanges=(passed(met=True, ok=False, ended=2.0),)),
        Call(id="open", exchanges=(passed(met=True, ok=False, ended=9.5),)),
        Call(id="unmet", exchanges=(passed(ok=False),)),
        Call(id="control", exchanges=(passed(group=Group.CONTROL),)),
    ]
    assert sample_of(calls, Group.BROKEN, now=10.0, patience=5.0) == Sample(good=1, bad=1, times=(2.5,))
    assert sample_of(calls, Group.CONTROL, now=10.0, patience=5.0).good == 1
