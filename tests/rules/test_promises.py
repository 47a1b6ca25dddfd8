"""Burn rates: what is counted, what is kept of it, and when it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.conditions import World, evaluate
from monitor.config.model import RuleConfig
from monitor.health import ChainState, Serving
from monitor.model import Health, Origin, Path, Reason, Status
from monitor.objective import KEEP, Kept, ObjectiveHistory, is_good
from tests.fakes.values import NOW, outcome

HOUR = 3600.0
FAST = {"factor": 14.4, "window": "1h", "short_window": "5m"}
SLOW = {"factor": 6, "window": "6h", "short_window": "30m"}
SLOWEST = {"factor": 1, "window": "3d", "short_window": "6h"}


def rule(**settings) -> RuleConfig:
    return RuleConfig.model_validate({"name": "burns", "when": "burn_rate", "min_samples": 10, **settings})


def answers(*stretches: tuple[float, float, float], every: float = 60.0) -> ObjectiveHistory:
    """(seconds ago it began, seconds ago it ended, share of bad ones), asked once a minute."""
    history, total, bad = ObjectiveHistory(), 0, 0.0
    for begun, ended, share in stretches:
        at, total, bad = NOW - begun + every / 2, 0, 0.0
        while at < NOW - ended:
            total += 1
            is_bad = bad + 1 <= share * total + 1e-9
            bad += is_bad
            history.add(at, good=not is_bad)
            at += every
    return history


@pytest.mark.parametrize(
    ("settings", "history", "fires"),
    [
        (FAST, answers((KEEP, HOUR, 0), (HOUR, 0, 0.10)), True),
        (FAST, answers((KEEP, HOUR, 0), (HOUR, 0, 0.05)), False),
        (FAST, answers((HOUR, 600, 0.5), (600, 0, 0)), False),  # it mattered, and it is over
        (FAST, answers((HOUR, 300, 0), (300, 0, 1)), True),
        (FAST, answers((HOUR, 120, 0), (120, 0, 1)), False),  # two of sixty, 6.7 times what is allowed: too little
        (FAST, answers((HOUR, 0, 0)), False),
        (FAST, answers((480, 0, 1)), False),  # eight answers are too few to tell
        (SLOW, answers((6 * HOUR, 0, 0.04)), True),
        (SLOW, answers((6 * HOUR, 0, 0.02)), False),
        (SLOW, answers((6 * HOUR, HOUR, 0.2), (HOUR, 0, 0)), False),
        (SLOWEST, answers((KEEP, 0, 0.007)), True),
        (SLOWEST, answers((KEEP, 0, 0.003)), False),
        (SLOWEST, answers((KEEP, 12 * HOUR, 0.05), (12 * HOUR, 0, 0)), False),
    ],
)
def test_both_windows_must_burn(settings, history, fires):
    world = World(objectives={"chat": history}, promises={"chat": 0.995})
    assert bool(evaluate([rule(**settings)], world, NOW)) is fires


@pytest.mark.parametrize("settings", [FAST, SLOW, SLOWEST])
def test_one_error_on_a_quiet_chain_is_no_trend_whatever_it_promises(settings):
    history = answers((KEEP, 0, 0), every=1800)
    history.add(NOW - 30, good=False)
    world = World(objectives={"chat": history}, promises={"chat": 0.9999})
    assert (
        evaluate([rule(**settings, min_samples=1) if "min_samples" in settings else rule(**settings)], world, NOW) == ()
    )


def test_a_promise_that_leaves_no_room_cannot_be_burnt():
    world = World(objectives={"chat": answers((HOUR, 0, 1))}, promises={"chat": 1.0})
    assert evaluate([rule(**FAST)], world, NOW) == ()
    assert Kept(good=0, bad=0).burn(0.99) is None


def test_what_is_said_of_a_burn():
    world = World(objectives={"chat": answers((HOUR, 0, 0.10))}, promises={"chat": 0.995})
    (found,) = evaluate([rule(**FAST)], world, NOW)
    assert found.title == "Chain chat breaks its promise of 99.5% over 1h"
    assert found.summary == (
        "6 of 60 questions in 1h got no answer, 1 of 5 in 5m. That is 20.0 times what the promise allows."
    )
    assert dict(found.facts)["a month's allowance"] == "gone in 1d12h at this rate"
    assert found.matters == (), "numbers that move are no news"


def test_what_burnt_and_answers_now_says_so():
    serving = Serving(label="primary", position=0, path=Path.PRIMARY, model="m", since=NOW, at=NOW)
    state = ChainState(chain="chat", health=Health.HEALTHY, since=NOW, serving=serving)
    world = World(objectives={"chat": answers((HOUR, 0, 0.5))}, promises={"chat": 0.9995}, chains={"chat": state})
    (found,) = evaluate([rule(**FAST)], world, NOW)
    assert "It answers now; that is" in found.summary
    assert found.title == "Chain chat breaks its promise of 99.95% over 1h"
    assert dict(found.facts)["serves now"].startswith("primary, since")


@pytest.mark.parametrize(
    ("changed", "good"),
    [
        ({}, True),
        ({"status": Status.DEGRADED, "reason": Reason.TOO_SLOW}, True),
        ({"status": Status.FAILED, "reason": Reason.OVERLOADED, "path": Path.EXHAUSTED}, False),
        ({"status": Status.ERROR, "reason": Reason.OURS}, None),
        ({"target": "primary"}, None),
        ({"origin": Origin.DRILL, "status": Status.FAILED}, None),
        ({"origin": Origin.MANUAL}, None),
        ({"origin": Origin.LIVE, "status": Status.FAILED}, False),
        ({"origin": Origin.LIVE, "status": Status.FAILED, "drill": "gone"}, None),
    ],
)
def test_what_counts_for_the_promise(changed, good):
    assert is_good(outcome(**changed)) is good


TIMES = st.lists(st.tuples(st.floats(0, 5 * 86400), st.booleans()), max_size=300)


@given(TIMES)
def test_nothing_is_counted_twice_or_lost_within_the_window(moments):
    history = ObjectiveHistory()
    for ago, good in sorted(moments, reverse=True):
        history.add(NOW - ago, good=good)
    for window in (300.0, 1800.0, HOUR, 6 * HOUR, KEEP):
        kept = history.over(window, NOW)
        edge = 60.0 if window <= 6 * HOUR else 16 * 60.0
        surely = [good for ago, good in moments if ago <= window - edge]
        perhaps = [good for ago, good in moments if ago <= window + edge]
        assert surely.count(True) <= kept.good <= perhaps.count(True)
        assert surely.count(False) <= kept.bad <= perhaps.count(False)


def test_what_is_kept_of_a_busy_chain_is_bounded_and_a_restart_changes_nothing():
    history, buckets = ObjectiveHistory(), {}
    for minute in range(10 * 24 * 60):
        at = NOW - 10 * 86400 + minute * 60
        history.add(at, good=minute % 50 != 0)
        place = buckets.setdefault(int(at // 60), [0, 0])
        place[0 if minute % 50 else 1] += 1
    assert history.size < 800
    since = (NOW - KEEP) // 60
    restored = ObjectiveHistory((minute, good, bad) for minute, (good, bad) in buckets.items() if minute >= since)
    for window in (300.0, HOUR, 6 * HOUR, 2 * 86400.0):
        assert restored.over(window, NOW) == history.over(window, NOW)
