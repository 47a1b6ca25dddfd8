"""Drills whose faults come and go: each answer is judged by what was broken for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos.evidence import Evidence
from chaos.judge import judge
from chaos.model import Strike
from monitor.model import Path, VerdictKind

from .drill_samples import by_secondary, drill, outcome

LABELS = ("primary", "secondary", "last-resort")
ALTERNATING = drill(requests=2)
ALTERNATING = replace(
    ALTERNATING, strikes=(replace(ALTERNATING.strikes[0], shape="every_nth", shape_options={"n": 2.0}),)
)
CASCADE = replace(
    ALTERNATING,
    strikes=(Strike(positions=(0,), fault="ignore"), Strike(positions=(1,), fault="only", after_requests=1)),
    expect=replace(ALTERNATING.expect, served_by="last-resort"),
)


def by_last_resort() -> Any:
    return by_secondary(served_by="last-resort", position=2, path=Path.FILTERED, duration=0.9)


def evidence(**changes: Any) -> Evidence:
    usual: dict[str, Any] = {
        "drill": ALTERNATING,
        "run": "r1",
        "labels": LABELS,
        "baseline": (outcome(),),
        "broken": (outcome(), by_secondary()),
        "met": ((), (0,)),
        "recovered": (outcome(),),
        "injected": 1,
    }
    return Evidence(**(usual | changes))


def test_whoever_met_no_fault_is_answered_by_the_primary_and_whoever_did_by_the_next() -> None:
    verdict = judge(evidence(), 1.0)
    assert verdict.kind is VerdictKind.PASSED
    assert verdict.because == (
        "primary answered 1 request with nothing broken, secondary answered 1 request with primary broken, within "
        "600ms; after the rollback primary served again"
    )
    assert (verdict.edge, verdict.path, verdict.failover) == ((0, 1), Path.FILTERED, 0.6)


def test_a_cascade_passes_when_each_answer_comes_from_the_first_whole_target() -> None:
    broken, met = (by_secondary(), by_last_resort()), ((0,), (0, 1))
    verdict = judge(evidence(drill=CASCADE, broken=broken, met=met, injected=3), 1.0)
    assert verdict.kind is VerdictKind.PASSED
    assert verdict.because.startswith(
        "secondary answered 1 request with primary broken, last-resort answered 1 request with primary and secondary "
        "broken, within 900ms"
    )
    assert verdict.edge == (1, 2)


@pytest.mark.parametrize(
    ("changes", "kind", "because"),
    [
        pytest.param(
            {"met": ((0,), (0,))},
            VerdictKind.DEVIATED,
            "request 1 of 2 was answered by primary (anthropic/claude-sonnet-4.5 at Anthropic) in 400ms, not by "
            "secondary (the break did not take it away)",
            id="the fault did nothing",
        ),
        pytest.param(
            {"broken": (by_secondary(), by_secondary())},
            VerdictKind.DEVIATED,
            "request 1 of 2 was answered by secondary",
            id="a fallback without a fault",
        ),
        pytest.param(
            {"met": ((), ()), "broken": (outcome(), outcome())},
            VerdictKind.INCONCLUSIVE,
            "no request for primary met a fault",
            id="chance never struck",
        ),
        pytest.param(
            {"drill": CASCADE, "broken": (by_secondary(), by_secondary()), "met": ((0,), (0,))},
            VerdictKind.INCONCLUSIVE,
            "no request for secondary met a fault, so what happens without it was not seen",
            id="the cascade never came",
        ),
        pytest.param(
            {"drill": CASCADE, "broken": (by_secondary(), by_secondary()), "met": ((0,), (0, 1))},
            VerdictKind.DEVIATED,
            "not by last-resort (the break did not take it away)",
            id="the second break did nothing",
        ),
    ],
)
def test_what_is_not_as_it_must_be_is_named(changes: dict[str, Any], kind: VerdictKind, because: str) -> None:
    verdict = judge(evidence(**changes), 1.0)
    assert verdict.kind is kind
    assert because in verdict.because
