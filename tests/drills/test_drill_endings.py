"""Runs that are ended before their end: by a person, by an outage, by the clock, by a shutdown."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chaos.model import Drill, Journal, Phase
from monitor.model import VerdictKind

from .drill_samples import drill, outcome
from .drill_stage import BODY, Hang, Stage

pytestmark = pytest.mark.anyio

PHASES_TO_HANG_IN = [
    pytest.param(0, Phase.BASELINE, [], id="baseline"),
    pytest.param(2, Phase.INJECT, [True, False], id="inject"),
    pytest.param(3, Phase.RECOVER, [True, False], id="recover"),
]


async def started(stage: Stage, hang: Hang, one: Drill | None = None) -> asyncio.Task[Journal]:
    """A run that has come as far as the request that hangs."""
    task = asyncio.create_task(stage.runner.run(one or drill(), asked_by="a person", run_id="r1"))
    await asyncio.wait_for(hang.reached.wait(), 5)
    return task


def hanging_at(number: int) -> tuple[Stage, Hang]:
    hang = Hang()
    return Stage([*([None] * number), hang]), hang


@pytest.mark.parametrize(("number", "phase", "active"), PHASES_TO_HANG_IN)
async def test_an_abort_ends_the_run_at_once_in_each_phase(number: int, phase: Phase, active: list[bool]) -> None:
    stage, hang = hanging_at(number)
    task = await started(stage, hang)
    assert [(one.run, one.phase) for one in stage.runner.running] == [("r1", phase)]
    assert stage.runner.abort("r1", "a person said so")
    journal = await asyncio.wait_for(task, 5)
    assert (journal.verdict.kind, journal.verdict.because) == (VerdictKind.ABORTED, "a person said so")
    assert stage.memory.active == active
    assert stage.runner.running == ()
    assert stage.clock.sleepers == 0
    assert "aborted: a person said so" in [event.text for event in journal.events]


@pytest.mark.parametrize(("number", "phase", "active"), PHASES_TO_HANG_IN)
async def test_a_cancelled_run_rolls_back_and_leaves_its_journal(number: int, phase: Phase, active: list[bool]) -> None:
    stage, hang = hanging_at(number)
    task = await started(stage, hang)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    (journal,) = stage.memory.journals
    assert journal.verdict.kind is VerdictKind.ABORTED
    assert journal.verdict.because == "the run was cancelled, as when fallbackd shuts down"
    assert stage.memory.active == active
    assert stage.runner.running == ()
    aborted = next(event for event in journal.events if event.text.startswith("aborted: "))
    assert aborted.phase is phase


async def test_a_second_cancellation_still_rolls_back_and_leaves_a_journal() -> None:
    stage = Stage()
    reached, stubborn = asyncio.Event(), asyncio.Event()

    async def ask(one: Drill, run: str, reshape: Any, wrap: Any) -> Any:
        if reshape is None:
            return outcome()
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            await stubborn.wait()  # a request that does not let itself be cancelled

    stage.runner._ask = ask
    task = asyncio.create_task(stage.runner.run(drill(), asked_by="a person"))
    await asyncio.wait_for(reached.wait(), 5)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert stage.memory.active == [True, False]
    assert [journal.verdict.kind for journal in stage.memory.journals] == [VerdictKind.ABORTED]
    stubborn.set()
    await asyncio.sleep(0)


async def test_the_fault_is_gone_the_moment_a_run_is_cancelled() -> None:
    stage, hang = hanging_at(1)
    held: list[Any] = []
    ask = stage.runner._ask

    async def remember(one: Drill, run: str, reshape: Any, wrap: Any) -> Any:
        held.append(reshape)
        return await ask(one, run, reshape, wrap)

    stage.runner._ask = remember
    task = await started(stage, hang)
    stage.runner.abort("r1", "enough")
    await asyncio.wait_for(task, 5)
    assert held[-1](BODY) is BODY


async def test_a_chain_is_not_broken_for_longer_than_the_drill_allows() -> None:
    stage, hang = hanging_at(2)
    task = await started(stage, hang, drill(max_duration=90.0))
    stage.clock.advance(89)
    await asyncio.sleep(0)
    assert not task.done()
    stage.clock.advance(1)
    journal = await asyncio.wait_for(task, 5)
    assert journal.verdict.kind is VerdictKind.ABORTED
    assert journal.verdict.because == "the chain was broken for 1m30s, as long as the drill allows"
    assert stage.memory.active == [True, False]
    assert "ended early: the chain was broken for 1m30s, as long as the drill allows" in [
        event.text for event in journal.events
    ]
    assert len(journal.recovered) == 1  # the steady state is checked all the same


async def test_stop_ends_every_drill_and_blocks_new_ones_until_release() -> None:
    hangs = [Hang(), Hang()]
    stage = Stage(hangs)
    first = await started(stage, hangs[0])
    other = drill(chain="other", breaks=(1,), expect=replace(drill().expect, served_by="primary"))
    second = asyncio.create_task(stage.runner.run(other, asked_by="schedule"))
    await asyncio.wait_for(hangs[1].reached.wait(), 5)
    assert stage.runner.stop("ordered by ops") == 2
    for task in (first, second):
        journal = await asyncio.wait_for(task, 5)
        assert (journal.verdict.kind, journal.verdict.because) == (VerdictKind.ABORTED, "ordered by ops")
    blocked = await stage.runner.run(drill(), asked_by="schedule")
    assert "all drills are stopped until they are released: ordered by ops" in blocked.verdict.because
    stage.runner.release()
    assert (await stage.runner.run(drill(), asked_by="schedule")).verdict.kind is VerdictKind.PASSED


async def test_real_trouble_ends_the_drills_of_its_chain_alone() -> None:
    stage, hang = hanging_at(1)
    task = await started(stage, hang)
    assert stage.runner.notice_outage("other", "down") == 0
    assert stage.runner.notice_outage("chat", "secondary is down (server_error)") == 1
    journal = await asyncio.wait_for(task, 5)
    assert journal.verdict.kind is VerdictKind.ABORTED
    assert journal.verdict.because == "real trouble on chat during the drill: secondary is down (server_error)"


async def test_the_first_reason_of_an_abort_is_kept() -> None:
    stage, hang = hanging_at(1)
    task = await started(stage, hang)
    stage.runner.notice_outage("chat", "down")
    stage.runner.stop("later")
    assert (await asyncio.wait_for(task, 5)).verdict.because == "real trouble on chat during the drill: down"


async def test_a_second_drill_on_the_same_chain_is_refused() -> None:
    stage, hang = hanging_at(1)
    task = await started(stage, hang)
    journal = await stage.runner.run(drill(name="twin"), asked_by="schedule")
    assert "refused (chain_busy): the drill primary-gone is running on chat (run r1)" in journal.events[0].text
    hang.let_go.set()
    await asyncio.wait_for(task, 5)
