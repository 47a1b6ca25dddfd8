"""The judgement of applications: evidence by mark or by time, and what an answer must be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos.application import at_path, body_of, mismatch
from chaos.comparison import Comparison, Harm
from chaos.conduct import Conduct, conduct
from chaos.judge import Evidence, judge
from chaos.judge_traffic import proof_of
from chaos.model import Asked, Expect, Phase
from chaos.passing import Group, Passed
from chaos.plans import AnswerExpected, ApplicationPlan, ClientPlan, Hypothesis, LivePlan, SteadyState
from monitor.model import Misdeed, Outcome, Reason, VerdictKind

from .drill_samples import by_secondary, drill, outcome
from .drill_samples import failed as not_answered
from .traffic_samples import call, failed, passed

PASSED, DEVIATED, INCONCLUSIVE = VerdictKind.PASSED, VerdictKind.DEVIATED, VerdictKind.INCONCLUSIVE


def asked(phase: Phase, at: float, wrong: str | None = None, nonce: str | None = None) -> Asked:
    return Asked(at=at, ended=at + 2.0, phase=phase, status=200, wrong=wrong, nonce=nonce)


def rejected() -> Outcome:
    return not_answered(Reason.BAD_REQUEST, status_code=400)


def fell_back(at: float, call: str, nonce: str | None = None) -> tuple[Passed, Passed]:
    return (
        failed(at, call=call, nonce=nonce),
        passed(at=at + 0.5, ended=at + 1.0, position=1, call=call, nonce=nonce),
    )


BROKEN = (asked(Phase.INJECT, 10.0, nonce="n-1"), asked(Phase.INJECT, 20.0, nonce="n-2"))
HELD = Evidence(
    drill=drill(application=ApplicationPlan(url="http://app/", requests=2)),
    run="r1",
    labels=("primary", "secondary", "last-resort"),
    baseline=(outcome(),),
    broken=(by_secondary(),),
    recovered=(outcome(),),
    injected=3,
    application=(asked(Phase.BASELINE, 0.0), *BROKEN, asked(Phase.RECOVER, 30.0)),
    passed=(*fell_back(10.1, "a", "n-1"), *fell_back(20.1, "b", "n-2")),
)
LIVE = replace(
    HELD,
    drill=drill(live=LivePlan()),
    application=(),
    compared=Comparison(harm=Harm.NONE, because="0 of 30 of the broken calls failed and 0 of 31 of the control group"),
)


def walked(at: float, call: str, nonce: str | None = None, **changes: Any) -> Passed:
    """One request for the whole chain, from which the primary was taken away, answered by the secondary."""
    given = {"position": None, "met": True, "gone": (0,), "served": 1, **changes}
    return passed(at=at, ended=at + 0.5, call=call, nonce=nonce, **given)


WALKED = replace(HELD, passed=(walked(10.1, "a", "n-1"), walked(20.1, "b", "n-2")))
WALKED_LIVE = replace(LIVE, passed=tuple(walked(float(at), f"c{at}") for at in range(4)))
TOLERANT = drill(live=LivePlan(), hypothesis=Hypothesis(broken=SteadyState(tolerance=0.75)))


def one_of(evidence: Evidence, **changes: Any) -> tuple[Passed, ...]:
    """What passed, with the first exchange changed."""
    first, *rest = evidence.passed
    return (replace(first, **changes), *rest)


STORM = Conduct(misdeed=Misdeed.RETRY_STORM, calls=3, seen=3, because="9 times")


@pytest.mark.parametrize(
    ("evidence", "changes", "kind", "because"),
    [
        (HELD, {}, PASSED, "; the application answered all 2 that met the fault, each by a fallback; after"),
        (
            HELD,
            {"application": (asked(Phase.BASELINE, 0.0, "answered HTTP 500, not 200"),)},
            INCONCLUSIVE,
            "before anything was broken, the application answered HTTP 500, not 200",
        ),
        (
            HELD,
            {"application": (asked(Phase.INJECT, 10.0, "answered HTTP 502, not 200", "n-1"),)},
            DEVIATED,
            "with primary broken, the application answered HTTP 502, not 200 (request 1, which met the fault)",
        ),
        (
            HELD,
            {"application": (*HELD.application[:3], asked(Phase.RECOVER, 30.0, "did not answer within 30s"))},
            DEVIATED,
            "after the fault was taken away, the application did not answer within 30s",
        ),
        (HELD, {"passed": ()}, INCONCLUSIVE, "none of the 2 requests to the application met the fault"),
        (
            HELD,
            {"passed": HELD.passed[:2]},
            INCONCLUSIVE,
            "only 1 requests to the application met the fault, where 2 must",
        ),
        (
            HELD,
            {"passed": (*fell_back(10.1, "a", "n-1"), failed(20.1, call="b", nonce="n-2"))},
            INCONCLUSIVE,
            "the gateway saw no request to a fallback after the fault",
        ),
        (
            HELD,
            {"passed": (*fell_back(10.1, "a"), *fell_back(10.3, "c"), *fell_back(20.1, "b"))},
            PASSED,
            "each by a fallback (by time, among other traffic)",
        ),
        (LIVE, {}, PASSED, "; live traffic held: 0 of 30 of the broken calls failed"),
        (LIVE, {"compared": None}, INCONCLUSIVE, "live traffic was not compared"),
        (
            LIVE,
            {"compared": Comparison(harm=Harm.SLOW, because="9s instead of 1s")},
            DEVIATED,
            "live traffic was harmed, so the drill was ended at once: 9s instead of 1s",
        ),
        (
            LIVE,
            {"compared": Comparison(harm=Harm.UNDECIDED, because="0 of 3")},
            INCONCLUSIVE,
            "too little live traffic passed to compare: 0 of 3",
        ),
        (LIVE, {"conduct": (STORM,)}, PASSED, "; clients misbehaved: retry_storm; after"),
        (
            replace(LIVE, drill=drill(live=LivePlan(), client=ClientPlan(must=True))),
            {"conduct": (STORM,)},
            DEVIATED,
            "the client misbehaved (retry_storm, 3 of 3 calls): 9 times",
        ),
    ],
)
def test_the_verdict_on_applications(
    evidence: Evidence, changes: dict[str, Any], kind: VerdictKind, because: str
) -> None:
    told = judge(replace(evidence, **changes), now=100.0)
    assert told.kind is kind, told.because
    assert because in told.because


@pytest.mark.parametrize(
    ("evidence", "changes", "kind", "because"),
    [
        (WALKED, {}, PASSED, "; the application answered all 2 that met the fault, each by a fallback; after"),
        (
            WALKED,
            {"passed": one_of(WALKED, served=0)},
            DEVIATED,
            "request 1 of the application was answered by primary, not by secondary (the break did not take it away)",
        ),
        (
            WALKED,
            {"passed": one_of(WALKED, served=2)},
            DEVIATED,
            "request 1 of the application was answered by last-resort, not by secondary",
        ),
        (
            WALKED,
            {"passed": one_of(WALKED, ended=40.0)},
            DEVIATED,
            "request 1 of the application was answered after 29.9s, later than the 10s that the drill allows",
        ),
        (WALKED, {"passed": one_of(WALKED, served=None)}, INCONCLUSIVE, "do not say who gave them"),
        (WALKED, {"passed": one_of(WALKED, ok=False)}, INCONCLUSIVE, "so it was not the fallback that saved it"),
        (
            WALKED,
            {"application": (asked(Phase.INJECT, 10.0, "answered HTTP 502, not 200", "n-1"),)},
            DEVIATED,
            "with primary broken, the application answered HTTP 502, not 200 (request 1, which met the fault)",
        ),
        (
            WALKED,
            {"passed": tuple(replace(one, met=False, gone=(), spared="is no JSON object") for one in WALKED.passed)},
            INCONCLUSIVE,
            "none of the 2 requests to the application met the fault in the gateway (what it sent is no JSON object)",
        ),
        (
            replace(WALKED, drill=replace(WALKED.drill, expect=Expect(served_by=None, within=10.0, rejected=True))),
            {
                "broken": (rejected(),),
                # Refused whole by its endpoint, the application asks the next model itself.
                "passed": tuple(
                    one
                    for first in WALKED.passed
                    for one in (
                        replace(first, ok=False, served=None, status=400),
                        replace(first, at=first.at + 0.2, met=False, gone=()),
                    )
                ),
            },
            PASSED,
            "(bad_request, HTTP 400); the application answered all 2 that met the fault, each by a fallback",
        ),
        (WALKED_LIVE, {}, PASSED, "of the control group (secondary answered 4 of them); after"),
        (
            WALKED_LIVE,
            {"passed": one_of(WALKED_LIVE, served=2)},
            PASSED,
            "last-resort answered 1 of them and",
        ),
        (
            WALKED_LIVE,
            {"passed": one_of(WALKED_LIVE, served=0)},
            DEVIATED,
            "1 of 4 live calls that met the fault were answered by primary all the same: the break did not",
        ),
        (WALKED_LIVE, {"passed": one_of(WALKED_LIVE, served=0), "drill": TOLERANT}, PASSED, "live traffic held"),
        (WALKED_LIVE, {"passed": one_of(WALKED_LIVE, served=None)}, INCONCLUSIVE, "1 of 4 answers to live calls that"),
        (WALKED_LIVE, {"passed": one_of(WALKED_LIVE, group=Group.OTHER)}, PASSED, "(secondary answered 3 of them)"),
    ],
)
def test_the_verdict_where_the_endpoint_walks_is_by_who_answered(
    evidence: Evidence, changes: dict[str, Any], kind: VerdictKind, because: str
) -> None:
    told = judge(replace(evidence, **changes), now=100.0)
    assert told.kind is kind, told.because
    assert because in told.because


def test_a_call_whose_endpoint_walks_fell_back_by_who_answered() -> None:
    whole, failing = walked(1.0, "a"), walked(0.0, "a", ok=False, served=None)
    assert call(whole).fell_back
    assert call(failing, whole).fell_back
    assert not call(failing).fell_back
    assert not call(replace(whole, served=0)).fell_back
    assert not call(replace(whole, met=False, gone=())).fell_back
    assert (call(failing, whole).walked, call(whole, failing).walked) == (whole, None)


def test_a_client_whose_endpoint_walks_need_not_fall_back_itself() -> None:
    lost = call(walked(0.0, "a", ok=False, served=None, status=404))
    assert [one.misdeed for one in conduct([lost], ClientPlan())] == []
    again = call(*lost.exchanges, walked(5.0, "a", ok=False, served=None, status=404))
    assert [one.misdeed for one in conduct([again], ClientPlan())] == [Misdeed.RETRIED_IN_VAIN]


def test_a_mark_outweighs_what_passed_at_the_same_time() -> None:
    others = failed(10.2, call="other")
    proof = proof_of(BROKEN[0], (*HELD.passed, others))
    assert (proof.met, proof.fell_back, proof.certain) == (True, True, True)
    assert not proof_of(replace(BROKEN[0], nonce=None), (*HELD.passed, others)).fell_back


@pytest.mark.parametrize(
    ("expect", "status", "text", "wrong"),
    [
        (AnswerExpected(), 200, "", None),
        (AnswerExpected(), 503, "busy", "answered HTTP 503, not 200: busy"),
        (AnswerExpected(status=201), 201, "", None),
        (AnswerExpected(contains="pong"), 200, "ping pong", None),
        (AnswerExpected(contains="pong"), 200, "ping", 'answered without "pong"'),
        (AnswerExpected(json={"a.0.ok": True}), 200, '{"a": [{"ok": true}]}', None),
        (AnswerExpected(json={"a.0.ok": True}), 200, '{"a": [{"ok": 1}]}', "answered a.0.ok: 1, not true"),
        (AnswerExpected(json={"a.1": 2}), 200, '{"a": [1]}', "answered a.1: null, not 2"),
        (AnswerExpected(json={"a": 1}), 200, "<html>", "answered a: null, not 1"),
    ],
)
def test_an_answer_is_as_expected_or_says_what_is_not(
    expect: AnswerExpected, status: int, text: str, wrong: str | None
) -> None:
    assert mismatch(expect, status, text) == wrong


def test_the_mark_is_put_into_text_and_into_json() -> None:
    assert body_of("q={nonce}", "n-1") == (b"q=n-1", None)
    assert body_of({"a": ["x {nonce}"]}, "n-1") == (b'{"a": ["x n-1"]}', "application/json")
    assert body_of(None, "n-1") == (None, None)
    assert at_path({"a": 1}, "a.b") is None
