"""The steady-state hypothesis: what it asks of an answer, how many must hold, and what each phase records."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chaos.hypothesis import check, why_not
from chaos.model import Phase
from chaos.plans import Hypothesis, SteadyState
from monitor.model import Outcome, Path, Reason, Status, VerdictKind

from .drill_samples import broken_watcher, by_secondary, drill, failed, outcome
from .drill_stage import Hang, Stage

PRIMARY = SteadyState()
SPARE = SteadyState(served_by=("secondary", "last-resort"), within=1.0, tolerance=0.75)
BY = "was answered by"


@pytest.mark.parametrize(
    ("state", "seen", "wrong"),
    [
        (PRIMARY, outcome(), None),
        (PRIMARY, outcome(path=None), None),
        (PRIMARY, by_secondary(), "in 600ms, not by the primary"),
        (PRIMARY, outcome(path=Path.FELL_BACK), "in 400ms by the path fell_back"),
        (PRIMARY, outcome(status=Status.DEGRADED, reason=Reason.TOO_SLOW), "in 400ms, but too_slow"),
        (PRIMARY, failed(), "failed with server_error (HTTP 502) after 400ms"),
        (PRIMARY, broken_watcher(), "could not be judged: no memory left"),
        (SPARE, by_secondary(), None),
        (SPARE, by_secondary(status=Status.DEGRADED, reason=Reason.TOO_SLOW), None),
        (SPARE, by_secondary(duration=1.5), "in 1.5s, later than 1s"),
        (SPARE, outcome(), "in 400ms, not by secondary or last-resort"),
        (SPARE, by_secondary(status=Status.DEGRADED, reason=Reason.EMPTY), "in 600ms, but empty"),
    ],
)
def test_an_answer_is_whole_by_an_allowed_target_and_in_time(
    state: SteadyState, seen: Outcome, wrong: str | None
) -> None:
    found = why_not(seen, state)
    assert found is None if wrong is None else str(found).endswith(wrong)


@pytest.mark.parametrize(
    ("good", "bad", "holds"), [(4, 0, True), (3, 1, True), (2, 1, False), (0, 1, False), (0, 0, False)]
)
def test_the_share_that_must_hold_decides(good: int, bad: int, holds: bool) -> None:
    seen = [by_secondary()] * good + [failed()] * bad
    found = check(SPARE, seen, phase=Phase.INJECT, now=3.0)
    assert (found.holds, found.good, found.asked, found.at) == (holds, good, good + bad, 3.0)


def test_what_nobody_could_judge_counts_for_neither_side() -> None:
    seen = [by_secondary()] * 3 + [broken_watcher()] * 5
    assert check(SPARE, seen, phase=Phase.INJECT, now=0.0).holds
    assert not check(SPARE, [broken_watcher()], phase=Phase.INJECT, now=0.0).holds


def test_a_check_says_what_it_saw_and_the_first_thing_that_was_wrong() -> None:
    told = check(SPARE, [by_secondary(), failed(), by_secondary(duration=7.0)], phase=Phase.INJECT, now=0.0).because
    assert told == (
        "1 of 3 were a whole answer by secondary or last-resort within 1s, where 75% are enough; the first that was "
        "not failed with server_error (HTTP 502) after 400ms"
    )


def phases(journal: Any) -> list[tuple[Phase, bool, int, int]]:
    return [(one.phase, one.holds, one.good, one.asked) for one in journal.checks]


@pytest.mark.anyio
async def test_each_phase_records_whether_it_held() -> None:
    stage = Stage()
    journal = await stage.runner.run(drill(), asked_by="schedule")
    assert phases(journal) == [
        (Phase.BASELINE, True, 1, 1),
        (Phase.INJECT, True, 2, 2),
        (Phase.RECOVER, True, 1, 1),
    ]


@pytest.mark.anyio
async def test_several_are_asked_before_and_the_first_bad_one_ends_it() -> None:
    plan = drill(hypothesis=Hypothesis(requests=4))
    stage = Stage([outcome(), failed()])
    journal = await stage.runner.run(plan, asked_by="schedule")
    assert phases(journal) == [(Phase.BASELINE, False, 1, 2)]
    assert journal.verdict.kind is VerdictKind.INCONCLUSIVE
    assert stage.chain.broken == [False, False]


@pytest.mark.anyio
async def test_a_chain_that_fails_a_little_less_than_is_tolerated_passes() -> None:
    state = SteadyState(served_by=("secondary", "last-resort"), within=10.0, tolerance=0.75)
    plan = drill(requests=4, hypothesis=Hypothesis(broken=state))
    journal = await Stage([None, None, failed(), None, None]).runner.run(plan, asked_by="schedule")
    assert (Phase.INJECT, True, 3, 4) in phases(journal)
    assert journal.verdict.kind is VerdictKind.PASSED
    assert "3 of 4 requests" in journal.verdict.because


@pytest.mark.anyio
async def test_an_abort_leaves_what_was_seen_until_then() -> None:
    hang = Hang()
    stage = Stage([None, None, hang])
    run = asyncio.create_task(stage.runner.run(drill(), asked_by="schedule", run_id="r1"))
    await hang.reached.wait()
    stage.runner.abort("r1", "enough")
    assert (Phase.INJECT, True, 1, 1) in phases(await run)
