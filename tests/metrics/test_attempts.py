"""Every request that a question to a whole chain made of a target is counted, under its own ending."""

from __future__ import annotations

from monitor.metrics import Metrics
from monitor.model import Attempt, Origin, Path, Reason, Status
from tests.fakes.values import outcome

from .metric_samples import metrics

REFUSED = Attempt(model="anthropic/claude-sonnet-4.5", position=0, status_code=429, reason=Reason.RATE_LIMITED)
ANSWERED = Attempt(model="openai/gpt-5-mini", position=1, status_code=200)
STRANGER = Attempt(model="nobody/knows", status_code=200)


def count(of: Metrics, target: str, reason: str, origin: str = "scheduled") -> float | None:
    labels = {"chain": "chat", "target": target, "reason": reason, "origin": origin}
    return of.registry.get_sample_value("fallbackd_attempts_total", labels)


def test_a_walk_counts_each_attempt_by_how_it_ended() -> None:
    found = metrics()
    found.observe(outcome(position=1, path=Path.FAILED_OVER, attempts=(REFUSED, REFUSED, ANSWERED)))
    assert count(found, "primary", "rate_limited") == 2
    assert count(found, "secondary", "none") == 1
    assert count(found, "primary", "none") == 0


def test_a_walk_that_nobody_answered_counts_its_attempts_too() -> None:
    found = metrics()
    found.observe(
        outcome(status=Status.FAILED, reason=Reason.RATE_LIMITED, path=Path.EXHAUSTED, attempts=(REFUSED, REFUSED))
    )
    assert count(found, "primary", "rate_limited") == 2


def test_a_model_of_no_target_is_other() -> None:
    found = metrics()
    found.observe(outcome(path=Path.WRONG_MODEL, attempts=(STRANGER, Attempt(model="gone/since", position=7))))
    assert count(found, "other", "none") == 2


def test_what_a_drill_broke_is_apart_and_live_traffic_that_it_broke_is_not_counted() -> None:
    found = metrics()
    found.observe(outcome(position=1, path=Path.FAILED_OVER, origin=Origin.DRILL, attempts=(REFUSED, ANSWERED)))
    broken = outcome(position=1, path=Path.FAILED_OVER, origin=Origin.LIVE, drill="d", attempts=(REFUSED, ANSWERED))
    found.observe(broken)
    assert count(found, "primary", "rate_limited", "drill") == 1
    assert count(found, "primary", "rate_limited") is None
    assert count(found, "primary", "rate_limited", "live") is None


def test_a_question_to_one_target_is_no_walk() -> None:
    found = metrics()
    found.observe(outcome(target="primary", attempts=(REFUSED,)))
    assert count(found, "primary", "rate_limited") is None
