"""The journal for people, for programs and for shells."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chaos.guard import GuardView
from chaos.journals import JournalError, journal_from_json, journal_json
from chaos.model import Expect, Strike
from chaos.report import EXIT_CODES, exit_code, text
from monitor.model import Attempt, Health, Path, Reason, Status, VerdictKind

from .drill_samples import by_secondary, drill, failed, outcome
from .drill_stage import Stage

pytestmark = pytest.mark.anyio


async def test_a_journal_reads_as_a_timeline() -> None:
    journal = await Stage([outcome(), failed(Reason.TIMEOUT, detail="no answer in 30s", status_code=None)]).runner.run(
        drill(requests=1), asked_by="a person", run_id="r1"
    )
    told = text(replace(journal, ended=journal.started + 1.5, seed=5))
    assert told.splitlines()[:5] == [
        "Drill primary-gone on chain chat",
        "  run       r1, asked for by a person, seed 5",
        "  started   1970-01-01 00:16:40 UTC, took 1.5s",
        "  breaks    primary with ignore, by the request injector",
        "  expects   secondary to answer within 10s",
    ]
    assert "    +0.00s  inject    request 1 of 1 failed with timeout after 400ms: no answer in 30s" in told.splitlines()
    assert told.splitlines()[-1] == (
        "DEVIATED: with primary broken, request 1 of 1 failed with timeout after 400ms: no answer in 30s; no target "
        "answered"
    )


async def test_the_report_names_options_a_path_and_what_was_measured() -> None:
    journal = await Stage().runner.run(drill(), asked_by="schedule")
    expect = Expect(served_by="secondary", within=2.0, path=Path.FILTERED)
    journal = replace(journal, drill=drill(options={"seconds": 5.0, "code": 503.0}, expect=expect))
    told = text(journal)
    assert "with ignore (seconds=5, code=503), by the request injector" in told
    assert "secondary to answer within 2s by the path filtered" in told
    assert "  edge      primary -> secondary, path filtered\n" in told
    assert "  failover  600ms until the slowest answer while broken\n" in told


async def test_a_drill_that_expects_a_rejection_says_so() -> None:
    one = drill(fault="unknown_id", expect=Expect(served_by=None, within=1.0, rejected=True))
    journal = await Stage(view=GuardView(health=Health.DOWN)).runner.run(one, asked_by="schedule")
    assert "expects   the endpoint to reject the whole request" in text(journal)


async def test_a_journal_survives_being_stored() -> None:
    odd = by_secondary(
        status=Status.DEGRADED,
        reason=Reason.TOO_SLOW,
        attempts=(Attempt(model="m", reason=Reason.TIMEOUT, duration=1.5),),
        retry_after=3.0,
        detail='ünïcode \u2028 and "quotes"',
    )
    journal = await Stage([outcome(), odd]).runner.run(drill(options={"seconds": 1.0}), asked_by="a person")
    assert journal_from_json(journal_json(journal)) == journal


def test_what_is_no_journal_is_not_read() -> None:
    with pytest.raises(
        JournalError, match=r"this journal is damaged: run: 1 is a number, not text; .* \(and \d+ more\)"
    ):
        journal_from_json(b'{"run": 1}')


async def test_the_exit_code_tells_the_verdict() -> None:
    journal = await Stage().runner.run(drill(), asked_by="a person")
    codes = {kind: exit_code(replace(journal.verdict, kind=kind)) for kind in VerdictKind}
    assert codes == EXIT_CODES
    assert codes == {
        VerdictKind.PASSED: 0, VerdictKind.DEVIATED: 1, VerdictKind.INCONCLUSIVE: 3, VerdictKind.ABORTED: 3,
    }  # fmt: skip


async def test_a_journal_from_before_drills_had_several_faults_is_still_read() -> None:
    journal = await Stage().runner.run(drill(options={"seconds": 1.0}), asked_by="a person")
    older = json.loads(journal_json(journal))
    (strike,) = older["drill"].pop("strikes")
    older["drill"] |= {"breaks": strike["positions"], "fault": strike["fault"], "options": strike["options"]}
    assert journal_from_json(json.dumps(older).encode()) == journal


async def test_the_report_says_of_each_fault_whom_it_breaks_and_when() -> None:
    strikes = (
        Strike(positions=(0,), fault="ignore"),
        Strike(positions=(1,), fault="only", shape="every_nth", shape_options={"n": 2.0}, after_requests=1),
    )
    journal = await Stage().runner.run(drill(), asked_by="a person")
    told = text(replace(journal, drill=replace(journal.drill, strikes=strikes)))
    assert "primary with ignore; secondary with only, after 1 request, one request in 2, by the request" in told
