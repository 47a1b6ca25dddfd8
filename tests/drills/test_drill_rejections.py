"""The judgement of drills that expect the endpoint to refuse the whole request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos.evidence import Evidence
from chaos.judge import judge
from chaos.model import Expect
from monitor.model import Attempt, Reason, VerdictKind

from .drill_samples import SONNET, by_secondary, drill, failed, outcome

REJECTED = Evidence(
    drill=drill(fault="unknown_id", expect=Expect(served_by=None, within=10.0, rejected=True)),
    run="r1",
    labels=("primary", "secondary", "last-resort"),
    baseline=(outcome(),),
    broken=(failed(Reason.BAD_REQUEST, status_code=400), failed(Reason.BAD_REQUEST, status_code=400)),
    recovered=(outcome(),),
    injected=2,
)
ATTEMPT = Attempt(model=SONNET, provider="Anthropic", position=0, status_code=400)
PASSED, DEVIATED, INCONCLUSIVE = VerdictKind.PASSED, VerdictKind.DEVIATED, VerdictKind.INCONCLUSIVE
BACK = "; after the rollback primary served again"

REJECTIONS = [
    (
        "rejected whole",
        {},
        PASSED,
        f"the endpoint rejected all 2 requests whole, as expected (bad_request, HTTP 400){BACK}",
    ),
    (
        "rejected as a model that is gone",
        {"broken": (failed(Reason.MODEL_GONE, status_code=404),), "injected": 1},
        PASSED,
        f"the endpoint rejected the one request whole, as expected (model_gone, HTTP 404){BACK}",
    ),
    (
        "answered by the fallback",
        {"broken": (by_secondary(),)},
        DEVIATED,
        (
            "request 1 of 1 was answered by secondary (openai/gpt-5-mini at OpenAI) in 600ms; primary was filtered "
            "out before anyone called it. The endpoint's behaviour has changed: it used to reject such a request whole"
        ),
    ),
    (
        "refused for another reason",
        {"broken": (failed(Reason.RATE_LIMITED, status_code=429),)},
        INCONCLUSIVE,
        "request 1 was neither rejected whole nor answered: it failed with rate_limited (HTTP 429) after 400ms",
    ),
    (
        "rejected by a target, not as a whole",
        {"broken": (failed(Reason.BAD_REQUEST, status_code=400, attempts=(ATTEMPT,)),)},
        INCONCLUSIVE,
        "request 1 was neither rejected whole nor answered: it failed with bad_request (HTTP 400) after 400ms",
    ),
    (
        "rejected, and not back",
        {"recovered": (failed(),)},
        DEVIATED,
        (
            "the steady state did not come back after the fault was taken away: the last try failed with server_error "
            "(HTTP 502) after 400ms"
        ),
    ),
]


@pytest.mark.parametrize(
    ("changes", "kind", "because"), [row[1:] for row in REJECTIONS], ids=[row[0] for row in REJECTIONS]
)
def test_the_verdict_where_a_rejection_is_expected(changes: dict[str, Any], kind: VerdictKind, because: str) -> None:
    told = judge(replace(REJECTED, **changes), now=1010.0)
    assert (told.kind, told.because) == (kind, because)
