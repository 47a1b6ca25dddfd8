"""The judgement: what passes, what deviates, and what proves nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos.evidence import Evidence
from chaos.judge import judge
from chaos.model import Expect
from chaos.plans import Hypothesis, SteadyState
from monitor.model import Attempt, Path, Reason, Status, Verdict, VerdictKind

from .drill_samples import SONNET, broken_watcher, by_secondary, drill, failed, outcome

PASSED, DEVIATED = VerdictKind.PASSED, VerdictKind.DEVIATED
INCONCLUSIVE, ABORTED = VerdictKind.INCONCLUSIVE, VerdictKind.ABORTED

HELD = Evidence(
    drill=drill(),
    run="r1",
    labels=("primary", "secondary", "last-resort"),
    baseline=(outcome(),),
    broken=(by_secondary(), by_secondary(duration=1.25)),
    recovered=(outcome(),),
    injected=2,
)
PRIMARY_FAILED = Attempt(model=SONNET, provider="Anthropic", position=0, status_code=503)


def failed_over(**changes: Any) -> Any:
    reached = by_secondary()
    return by_secondary(path=Path.FAILED_OVER, attempts=(PRIMARY_FAILED, *reached.attempts), **changes)


def verdict(evidence: Evidence = HELD, **changes: Any) -> Verdict:
    return judge(replace(evidence, **changes), now=1010.0)


HALF = Hypothesis(broken=SteadyState(served_by=("secondary", "last-resort"), within=10.0, tolerance=0.5))
BACK = "; after the rollback primary served again"
FILTERED = "primary was filtered out before anyone called it"
SLOW = {"status": Status.DEGRADED, "reason": Reason.TOO_SLOW}
NO_REPORT = {"path": Path.FELL_BACK, "attempts": ()}
NOT_REPORTED = (
    "the chain answered, but the endpoint did not report its attempts, so nothing shows that secondary received the "
    "request because the chain moved on; use an endpoint or dialect that reports them (OpenRouter does when asked with "
    "X-OpenRouter-Metadata) or walk the chain in client mode"
)

VERDICTS = [
    ("filtered", {}, PASSED, f"secondary answered all 2 requests within 1.25s: {FILTERED}{BACK}"),
    (
        "failed over",
        {"broken": (failed_over(),), "injected": 1},
        PASSED,
        f"secondary answered the one request within 600ms: primary was called, failed, and the chain failed over{BACK}",
    ),
    (
        "once filtered, once failed over",
        {"broken": (by_secondary(), failed_over())},
        PASSED,
        (
            f"secondary answered all 2 requests within 600ms: once {FILTERED}; once primary was called, failed, and "
            f"the chain failed over{BACK}"
        ),
    ),
    (
        "slower than the chain promises, in time for the drill",
        {"broken": (by_secondary(**SLOW, duration=9.0, detail="late"), by_secondary())},
        PASSED,
        f"secondary answered all 2 requests within 9s, slower than the chain promises (late): {FILTERED}{BACK}",
    ),
    (
        "the path as expected",
        {"drill": drill(expect=Expect(served_by="secondary", within=10.0, path=Path.FILTERED))},
        PASSED,
        f"secondary answered all 2 requests within 1.25s: {FILTERED}{BACK}",
    ),
    (
        "a fallback is broken and the primary goes on",
        {
            "drill": drill(breaks=(1,), expect=Expect(served_by="primary", within=10.0)),
            "broken": (outcome(), outcome()),
        },
        PASSED,
        f"primary answered all 2 requests within 400ms: secondary was not needed{BACK}",
    ),
    (
        "aborted",
        {"aborted": "real trouble on chat during the drill: secondary is down", "broken": (failed(),)},
        ABORTED,
        "real trouble on chat during the drill: secondary is down",
    ),
    (
        "aborted, and not back",
        {"aborted": "the chain was broken for 2m", "recovered": (failed(),)},
        ABORTED,
        "the chain was broken for 2m; and the steady state did not come back",
    ),
    (
        "refused",
        {"refused": "secondary, which is to answer, is down, not healthy", "baseline": ()},
        INCONCLUSIVE,
        "the drill was refused: secondary, which is to answer, is down, not healthy",
    ),
    (
        "a fault of our own",
        {"crash": "ValueError: 7"},
        INCONCLUSIVE,
        "fallbackd itself failed during the drill (ValueError: 7); the fault was taken away",
    ),
    (
        "no steady state: failed",
        {"baseline": (failed(),), "broken": (), "injected": 0},
        INCONCLUSIVE,
        (
            "the chain was not in its steady state before anything was broken: the request failed with server_error "
            "(HTTP 502) after 400ms"
        ),
    ),
    (
        "no steady state: a fallback serves",
        {"baseline": (by_secondary(),)},
        INCONCLUSIVE,
        (
            "the chain was not in its steady state before anything was broken: the request was answered by secondary "
            "(openai/gpt-5-mini at OpenAI) in 600ms, not by the primary"
        ),
    ),
    (
        "no steady state: too slow",
        {"baseline": (outcome(**SLOW),)},
        INCONCLUSIVE,
        (
            "the chain was not in its steady state before anything was broken: the request was answered by primary "
            "(anthropic/claude-sonnet-4.5 at Anthropic) in 400ms, but too_slow"
        ),
    ),
    (
        "the fault met nothing",
        {"injected": 0},
        INCONCLUSIVE,
        "the fault ignore never met a request, so nothing was broken",
    ),
    (
        "the fault met nothing, and yet the chain failed",
        {"injected": 0, "broken": (failed(),)},
        INCONCLUSIVE,
        "the fault ignore never met a request, so nothing was broken",
    ),
    (
        "the fault met one of two",
        {"injected": 1},
        INCONCLUSIVE,
        "the fault met only 1 of 2 requests, so not every answer is a proof",
    ),
    (
        "we could not judge a request",
        {"broken": (by_secondary(), broken_watcher())},
        INCONCLUSIVE,
        "request 2 of 2 could not be judged: no memory left",
    ),
    (
        "no attempts reported",
        {"broken": (by_secondary(**NO_REPORT), by_secondary(**NO_REPORT))},
        INCONCLUSIVE,
        NOT_REPORTED,
    ),
    (
        "nobody says who answered",
        {"broken": (outcome(served_by=None, position=None, path=None, attempts=()),), "injected": 1},
        INCONCLUSIVE,
        NOT_REPORTED,
    ),
    (
        "the chain failed",
        {"broken": (by_secondary(), failed(detail="all providers returned 502"))},
        DEVIATED,
        (
            "with primary broken, request 2 of 2 failed with server_error (HTTP 502) after 400ms: all providers "
            "returned 502; no target answered"
        ),
    ),
    (
        "a failure outweighs a request that we could not judge",
        {"broken": (broken_watcher(), failed())},
        DEVIATED,
        "with primary broken, request 2 of 2 failed with server_error (HTTP 502) after 400ms; no target answered",
    ),
    (
        "the wrong target",
        {"broken": (by_secondary(served_by="last-resort", position=2),)},
        DEVIATED,
        (
            "with primary broken, request 1 of 1 was answered by last-resort (openai/gpt-5-mini at OpenAI) in 600ms, "
            f"not by secondary; {FILTERED}"
        ),
    ),
    (
        "the broken primary answers",
        {"broken": (outcome(),)},
        DEVIATED,
        (
            "with primary broken, request 1 of 1 was answered by primary (anthropic/claude-sonnet-4.5 at Anthropic) in "
            "400ms, not by secondary (the break did not take it away)"
        ),
    ),
    (
        "a model from outside",
        {"broken": (failed(Reason.WRONG_MODEL, path=Path.WRONG_MODEL, status_code=200),)},
        DEVIATED,
        (
            "with primary broken, request 1 of 1 failed with wrong_model (HTTP 200) after 400ms; the answer came from "
            "outside the chain"
        ),
    ),
    (
        "an incomplete answer",
        {"broken": (by_secondary(status=Status.DEGRADED, reason=Reason.MISSING_CAPABILITY, detail="no tool call"),)},
        DEVIATED,
        (
            "with primary broken, request 1 of 1 was answered by secondary (openai/gpt-5-mini at OpenAI) in 600ms, but "
            f"missing_capability: no tool call; {FILTERED}"
        ),
    ),
    (
        "too late",
        {"broken": (by_secondary(duration=10.5),)},
        DEVIATED,
        (
            "with primary broken, request 1 of 1 was answered by secondary (openai/gpt-5-mini at OpenAI) in 10.5s, "
            f"later than the 10s that the drill allows; {FILTERED}"
        ),
    ),
    (
        "another path than expected",
        {"drill": drill(expect=Expect(served_by="secondary", within=10.0, path=Path.FAILED_OVER))},
        DEVIATED,
        (
            "with primary broken, request 1 of 2 was answered by secondary (openai/gpt-5-mini at OpenAI) in 600ms by "
            f"the path filtered, not failed_over; {FILTERED}"
        ),
    ),
    (
        "as much as is tolerated went wrong",
        {"drill": drill(hypothesis=HALF), "broken": (by_secondary(), failed())},
        PASSED,
        (
            "secondary answered 1 of 2 requests within 600ms (50% must hold): once "
            f"{FILTERED}; once no target answered{BACK}"
        ),
    ),
    (
        "more went wrong than is tolerated",
        {"drill": drill(hypothesis=HALF), "broken": (by_secondary(), failed(), failed()), "injected": 3},
        DEVIATED,
        (
            "with primary broken, request 2 of 3 failed with server_error (HTTP 502) after 400ms; no target answered; "
            "1 of 3 held, where 50% must"
        ),
    ),
    (
        "what is tolerated is no proof",
        {"drill": drill(hypothesis=HALF), "broken": (by_secondary(**NO_REPORT), failed())},
        INCONCLUSIVE,
        NOT_REPORTED,
    ),
    (
        "a baseline later than the hypothesis allows",
        {"drill": drill(hypothesis=Hypothesis(whole=SteadyState(within=0.1)))},
        INCONCLUSIVE,
        (
            "the chain was not in its steady state before anything was broken: the request was answered by primary "
            "(anthropic/claude-sonnet-4.5 at Anthropic) in 400ms, later than 100ms"
        ),
    ),
    (
        "a chain whose fallback may serve at any time",
        {
            "drill": drill(hypothesis=Hypothesis(whole=SteadyState(served_by=("primary", "secondary")))),
            "baseline": (by_secondary(),),
        },
        PASSED,
        f"secondary answered all 2 requests within 1.25s: {FILTERED}{BACK}",
    ),
    (
        "not back",
        {"recovered": (by_secondary(), by_secondary())},
        DEVIATED,
        (
            "the steady state did not come back after the fault was taken away: the last try was answered by secondary "
            "(openai/gpt-5-mini at OpenAI) in 600ms"
        ),
    ),
    (
        "nobody asked whether it is back",
        {"recovered": ()},
        DEVIATED,
        "the steady state did not come back after the fault was taken away: nothing was asked",
    ),
    (
        "we could not judge whether it is back",
        {"recovered": (broken_watcher(),)},
        INCONCLUSIVE,
        "after the rollback, the request could not be judged: no memory left",
    ),
]


def ids(table: list[Any]) -> list[str]:
    return [row[0] for row in table]


@pytest.mark.parametrize(("changes", "kind", "because"), [row[1:] for row in VERDICTS], ids=ids(VERDICTS))
def test_the_verdict(changes: dict[str, Any], kind: VerdictKind, because: str) -> None:
    told = verdict(**changes)
    assert (told.kind, told.because) == (kind, because)


def test_the_verdict_carries_what_was_measured() -> None:
    told = verdict()
    assert (told.at, told.run, told.drill, told.chain, told.fault) == (1010.0, "r1", "primary-gone", "chat", "ignore")
    assert (told.edge, told.path, told.failover, told.served_by) == ((0, 1), Path.FILTERED, 1.25, "secondary")


def test_a_chain_that_failed_has_no_edge_and_no_failover() -> None:
    told = verdict(broken=(failed(), failed()))
    assert (told.edge, told.failover, told.served_by, told.path) == (None, None, None, Path.EXHAUSTED)


def test_a_primary_that_answers_though_broken_proves_no_edge() -> None:
    assert verdict(broken=(outcome(),)).edge is None


def test_the_attempts_alone_are_evidence_where_no_path_is_told() -> None:
    reached = by_secondary(path=None)
    assert verdict(broken=(reached, reached)).kind is PASSED
    assert verdict(broken=(by_secondary(path=None, attempts=(PRIMARY_FAILED,)), reached)).kind is INCONCLUSIVE
