"""The runner on a scripted chain: its phases, its refusals, and what it survives."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chaos import runner
from chaos.guard import GuardView
from chaos.injectors.injector import Refused
from chaos.injectors.request import RequestInjector
from chaos.model import Drill, Event, Injection, Journal, Phase
from monitor.model import Health, Reason, VerdictKind

from .drill_samples import broken_watcher, by_secondary, chain, drill, failed, outcome
from .drill_stage import BODY, Stage

pytestmark = pytest.mark.anyio


async def asleep(stage: Stage, pause: float) -> None:
    async with asyncio.timeout(5):
        while stage.clock.slept[-1:] != [pause]:
            await asyncio.sleep(0)


async def test_a_run_goes_through_its_phases_and_passes() -> None:
    stage = Stage()
    journal = await stage.runner.run(drill(), asked_by="schedule", run_id="r1")
    assert journal.verdict.kind is VerdictKind.PASSED
    assert [event.phase for event in journal.events] == [
        Phase.GUARD, Phase.BASELINE, Phase.INJECT, Phase.INJECT, Phase.INJECT, Phase.INJECT, Phase.RECOVER,
        Phase.RECOVER, Phase.JUDGE,
    ]  # fmt: skip
    assert [event.text for event in journal.events] == [
        (
            "asked for by schedule; may run: secondary is healthy, chat has no incident that forbids it, and no other "
            "drill meets this one"
        ),
        "chat, whole, was answered by primary (anthropic/claude-sonnet-4.5 at Anthropic) in 400ms: the steady state",
        (
            "ignore on primary: requests tell the router to leave out amazon-bedrock, anthropic, which is everyone who "
            "serves primary; ends by itself at 00:18:40 UTC or after 2 requests"
        ),
        (
            "request 1 of 2 was answered by secondary (openai/gpt-5-mini at OpenAI) in 600ms; attempts: "
            "openai/gpt-5-mini at OpenAI 200"
        ),
        (
            "request 2 of 2 was answered by secondary (openai/gpt-5-mini at OpenAI) in 600ms; attempts: "
            "openai/gpt-5-mini at OpenAI 200"
        ),
        "the hypothesis held while the fault was in: 2 of 2 were a whole answer by secondary or last-resort within 10s",
        "the fault ignore is taken away from primary; it met 2 requests",
        (
            "try 1 after the rollback was answered by primary (anthropic/claude-sonnet-4.5 at Anthropic) in 400ms: the "
            "steady state is back"
        ),
        f"passed: {journal.verdict.because}",
    ]


async def test_only_the_requests_between_baseline_and_recovery_are_broken() -> None:
    stage = Stage()
    journal = await stage.runner.run(drill(), asked_by="schedule")
    assert stage.chain.broken == [False, True, True, False]
    assert [body is BODY for body in stage.chain.bodies] == [True, False, False, True]
    assert (len(journal.baseline), len(journal.broken), len(journal.recovered), journal.injected) == (1, 2, 1, 2)


async def test_the_observers_see_every_event_the_fault_and_the_journal() -> None:
    stage = Stage()
    journal = await stage.runner.run(drill(), asked_by="schedule")
    assert tuple(stage.memory.events) == journal.events
    assert stage.memory.active == [True, False]
    assert stage.memory.journals == [journal]


async def test_a_refused_drill_is_a_cheap_journal() -> None:
    stage = Stage(view=GuardView(health=Health.DOWN))
    journal = await stage.runner.run(drill(), asked_by="schedule")
    assert journal.verdict.kind is VerdictKind.INCONCLUSIVE
    assert journal.verdict.because == (
        "the drill was refused: chat is down for real, so nothing may be broken on purpose"
    )
    assert [event.phase for event in journal.events] == [Phase.GUARD, Phase.JUDGE]
    assert stage.chain.bodies == []
    assert stage.memory.journals == [journal]


async def test_what_the_injector_cannot_do_is_refused_before_anything_is_asked() -> None:
    stage = Stage(chains=lambda name: chain("client", name=name))
    journal = await stage.runner.run(drill(), asked_by="schedule")
    assert "refused (not_possible): chat is walked by its caller" in journal.events[0].text
    assert stage.chain.bodies == []


async def test_an_injector_that_refuses_only_when_it_comes_to_it_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Late(RequestInjector):
        def arm(self, *args: Any) -> Any:
            return Refused("the gateway is gone")

    monkeypatch.setattr(runner, "INJECTORS", {"request": Late()})
    stage = Stage()
    journal = await stage.runner.run(drill(), asked_by="schedule")
    assert journal.verdict.because == "the drill was refused: the gateway is gone"
    assert journal.events[2].text == "refused: the gateway is gone"
    assert stage.chain.broken == [False]
    assert stage.memory.active == []


@pytest.mark.parametrize("first", [failed(), by_secondary(), broken_watcher()], ids=["failed", "fallback", "error"])
async def test_without_a_steady_state_nothing_is_broken(first: Any) -> None:
    stage = Stage([first])
    journal = await stage.runner.run(drill(), asked_by="schedule")
    assert journal.verdict.kind is VerdictKind.INCONCLUSIVE
    assert journal.events[1].text.endswith("not the steady state, so nothing is broken")
    assert stage.chain.broken == [False]
    assert stage.memory.active == []


async def test_recovery_is_asked_again_with_growing_pauses() -> None:
    stage = Stage([None, None, None, by_secondary(), by_secondary(), outcome()])
    task = asyncio.create_task(stage.runner.run(drill(), asked_by="schedule"))
    for pause in (1.0, 2.0):
        await asleep(stage, pause)
        stage.clock.advance(pause)
    journal = await asyncio.wait_for(task, 5)
    assert journal.verdict.kind is VerdictKind.PASSED
    assert len(journal.recovered) == 3
    assert journal.events[-3].text.endswith("in 600ms: next try in 2s")


async def test_recovery_gives_up_after_five_tries() -> None:
    stage = Stage([None, None, None, *([by_secondary()] * 9)])
    task = asyncio.create_task(stage.runner.run(drill(), asked_by="schedule"))
    async with asyncio.timeout(5):
        while not task.done():
            stage.clock.advance(1 if stage.memory.active == [True, False] else 0)
            await asyncio.sleep(0)
    journal = task.result()
    assert journal.verdict.kind is VerdictKind.DEVIATED
    assert len(journal.recovered) == 5
    assert stage.clock.slept[1:] == [1, 2, 4, 8]
    assert journal.events[-2].text.endswith("giving up")


async def test_a_fault_of_fallbackd_itself_is_inconclusive_and_rolled_back() -> None:
    stage = Stage([None, ValueError("a bug")])
    journal = await stage.runner.run(drill(), asked_by="schedule")
    assert journal.verdict.kind is VerdictKind.INCONCLUSIVE
    assert journal.verdict.because == (
        "fallbackd itself failed during the drill (ValueError: a bug); the fault was taken away"
    )
    assert stage.memory.active == [True, False]
    assert stage.runner.running == ()


async def test_a_broken_observer_stops_neither_the_rollback_nor_the_others() -> None:
    class Broken:
        def on_event(self, run: str, event: Event) -> None:
            raise RuntimeError("no")

        def on_active(self, injection: Injection, active: bool) -> None:
            raise RuntimeError("no")

        def on_finished(self, journal: Journal) -> None:
            raise RuntimeError("no")

    stage = Stage()
    stage.runner._observers = (Broken(), stage.memory)
    journal = await stage.runner.run(drill(), asked_by="schedule")
    assert journal.verdict.kind is VerdictKind.PASSED
    assert stage.memory.active == [True, False]
    assert stage.memory.journals == [journal]


async def test_an_unknown_run_cannot_be_aborted() -> None:
    assert Stage().runner.abort("r9", "why not") is False


async def test_a_fault_that_ends_by_its_own_count_is_said_not_to_have_met_the_rest() -> None:
    stage = Stage([None, None, None])
    one = drill(expect=replace(drill().expect, served_by="secondary"))
    ask = stage.runner._ask

    async def twice(asked: Drill, run: str, reshape: Any, wrap: Any) -> Any:
        if reshape is not None:
            reshape(BODY)  # uses the count up
        return await ask(asked, run, reshape, wrap)

    stage.runner._ask = twice
    journal = await stage.runner.run(one, asked_by="schedule")
    assert journal.events[4].text.endswith("the fault did not meet it")
    assert journal.verdict.kind is VerdictKind.DEVIATED


async def test_an_expected_rejection_passes() -> None:
    rejected = failed(Reason.BAD_REQUEST, status_code=400)
    stage = Stage([None, rejected, rejected])
    one = drill(fault="unknown_id", expect=replace(drill().expect, served_by=None, rejected=True))
    journal = await stage.runner.run(one, asked_by="schedule")
    assert journal.verdict.kind is VerdictKind.PASSED
    assert stage.chain.bodies[1]["models"] == ["fallbackd/no-such-model", "openai/gpt-5-mini"]


async def test_a_seed_can_be_repeated() -> None:
    first = await Stage().runner.run(drill(), asked_by="schedule")
    assert (await Stage().runner.run(drill(), asked_by="a person", seed=first.seed)).seed == first.seed
