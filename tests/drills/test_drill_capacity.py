"""A rising load on a broken chain: what it shows, what ends it, and that it never costs more than it may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from chaos.capacity import Load, Stop, Tally, conclude, levels, remaining_in, stop_after
from chaos.judge import judge
from chaos.model import Drill
from chaos.plans import CapacityPlan
from chaos.ramp import Noting, Ramp
from monitor.model import Attempt, Outcome, Path, Reason, VerdictKind

from .drill_samples import FALLBACK_ATTEMPT, MINI, SONNET, by_secondary, drill, failed
from .drill_stage import HandClock
from .test_drill_traffic import HELD

pytestmark = pytest.mark.anyio

PLAN = CapacityPlan(up_to=6, step=2, hold=10.0, usd=1.0)
LIMITED = failed(
    Reason.RATE_LIMITED,
    attempts=(
        Attempt(model=SONNET, position=0, status_code=503, reason=Reason.SERVER_ERROR),
        Attempt(model=MINI, position=1, status_code=429, reason=Reason.RATE_LIMITED),
    ),
)
BY_FAULT = by_secondary(
    path=Path.FAILED_OVER,
    attempts=(Attempt(model=SONNET, position=0, status_code=429, reason=Reason.RATE_LIMITED), FALLBACK_ATTEMPT),
)


class Chain:
    """Takes a second for each answer; ``answers`` says which, by how many are under way. Time passes by itself."""

    def __init__(self, clock: HandClock, answers: Callable[[int], Outcome]) -> None:
        self.clock = clock
        self.answers = answers
        self.under_way = 0
        self.most = 0
        self.asked = 0

    async def __call__(self, _: Any) -> Outcome:
        self.under_way += 1
        self.asked += 1
        self.most = max(self.most, self.under_way)
        try:
            found = self.answers(self.under_way)
            await self.clock.sleep(1.0)
            return found
        finally:
            self.under_way -= 1


async def rise(
    answers: Callable[[int], Outcome], plan: CapacityPlan = PLAN, *, price: float = 0.0, until: float = 99_999.0
) -> tuple[Any, Chain, list[str]]:
    clock = HandClock()
    chain, said = Chain(clock, answers), []
    ramp = Ramp(drill(), plan, ask=chain, price=price, say=said.append, clock=clock)
    task = asyncio.create_task(ramp.run(until))
    while not task.done():
        await asyncio.sleep(0)
        if clock.sleepers and clock.sleepers == chain.under_way:
            clock.advance(1.0)
    return task.result(), chain, said


async def test_a_load_that_is_carried_rises_to_the_top() -> None:
    found, chain, said = await rise(lambda _: by_secondary())
    assert (found.stop, found.carried) == (Stop.CARRIED, 360.0)
    assert [(load.at_once, load.answered) for load in found.loads] == [(2, 20), (4, 40), (6, 60)]
    assert found.because == "carried up to 360 answers per minute; all of 6 at once"
    assert chain.most == 6
    assert said[0] == "2 at once: 20 of 20 answered, 0 refused with 429, 120 per minute, 0.0000 USD"


async def test_the_first_sustained_429s_end_it() -> None:
    found, chain, _ = await rise(lambda under_way: by_secondary() if under_way < 4 else LIMITED)
    assert (found.stop, found.carried) == (Stop.LIMITED, 120.0)
    assert [load.at_once for load in found.loads] == [2, 4]
    assert chain.most == 4
    assert "with 4 at once" in found.because


async def test_a_fallback_that_fails_carries_nothing() -> None:
    found, _, _ = await rise(lambda _: failed())
    assert (found.stop, found.carried) == (Stop.FAILING, None)
    assert found.because.startswith("carried no step; with 2 at once, only 0 of 20 were answered")


@pytest.mark.parametrize("price", [0.0, 0.01, 0.2])
async def test_it_never_costs_more_than_it_may(price: float) -> None:
    plan = CapacityPlan(up_to=6, step=2, hold=10.0, usd=0.3)
    found, _, _ = await rise(lambda _: by_secondary(cost=0.01), plan, price=price)
    assert found.stop is Stop.COST
    # Where nobody knows the price, the first requests of the first step are what tells it.
    assert sum(load.usd for load in found.loads) <= 0.3 + (0.02 if price == 0.0 else 0.0) + 1e-9


async def test_it_ends_when_the_drill_must() -> None:
    found, _, _ = await rise(lambda _: by_secondary(), until=1000.0 + 15.0)
    assert (found.stop, [load.at_once for load in found.loads]) == (Stop.TIME, [2])


async def test_a_cancelled_rise_leaves_nothing_behind() -> None:
    clock = HandClock()
    chain = Chain(clock, lambda _: by_secondary())
    ramp = Ramp(drill(), PLAN, ask=chain, price=0.0, say=lambda _: None, clock=clock)
    task = asyncio.create_task(ramp.run(99_999.0))
    while chain.under_way < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert chain.under_way == 0


def test_the_drills_own_429s_are_not_the_fallbacks() -> None:
    tally = Tally(broken=(0,))
    for _ in range(5):
        tally.take(BY_FAULT)
    assert (tally.limited, tally.sustained) == (0, False)
    for _ in range(3):
        tally.take(LIMITED)
    assert (tally.limited, tally.sustained) == (3, True)


def test_the_last_step_is_the_top() -> None:
    assert list(levels(PLAN)) == [2, 4, 6]
    assert list(levels(CapacityPlan(up_to=5, step=2))) == [2, 4, 5]
    assert list(levels(CapacityPlan(up_to=3, step=3))) == [3]


def load(**changes: Any) -> Load:
    return Load(**{"at_once": 6, "lasted": 10.0, "asked": 10, "answered": 10, "limited": 0, "usd": 0.1, **changes})


@pytest.mark.parametrize(
    ("seen", "state", "stop"),
    [
        (load(), {}, Stop.CARRIED),
        (load(at_once=2), {}, None),
        (load(at_once=2, limited=3), {}, Stop.LIMITED),
        (load(at_once=2, limited=2), {}, None),
        (load(at_once=2), {"sustained": True}, Stop.LIMITED),
        (load(at_once=2, answered=7), {}, Stop.FAILING),
        (load(at_once=2), {"spent": 1.1}, Stop.COST),
        (load(at_once=2), {"late": True}, Stop.TIME),
    ],
)
def test_what_ends_the_rise(seen: Load, state: dict[str, Any], stop: Stop | None) -> None:
    assert stop_after(seen, PLAN, **{"spent": 0.0, "sustained": False, "late": False, **state}) is stop


def test_the_headers_of_providers_are_read() -> None:
    headers = {
        "X-RateLimit-Remaining-Requests": "12", "anthropic-ratelimit-tokens-remaining": "3000",
        "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-tokens": "soon",
    }  # fmt: skip
    assert remaining_in(headers) == {
        "x-ratelimit-remaining-requests": 12.0,
        "anthropic-ratelimit-tokens-remaining": 3000.0,
    }


async def test_the_least_that_is_left_is_noted_and_not_of_what_is_broken() -> None:
    left = iter(["9", "4", "6", "1"])
    inner = httpx.MockTransport(lambda _: httpx.Response(200, headers={"x-ratelimit-remaining-requests": next(left)}))
    seen: dict[str, float] = {}
    noting = Noting(inner, seen, (0,))
    for position in (1, 1, 1, 0):
        marks = {"fallbackd": {"position": position}}
        await noting.handle_async_request(httpx.Request("POST", "http://e/", extensions=marks))
    assert seen == {"x-ratelimit-remaining-requests": 4.0}
    told = conclude([load(remaining=seen)], Stop.CARRIED, PLAN).because
    assert told.endswith("all of 6 at once; x-ratelimit-remaining-requests fell to 4")


def planned(at_least: float | None) -> Drill:
    return drill(capacity=CapacityPlan(at_least=at_least))


@pytest.mark.parametrize(
    ("at_least", "stop", "carried", "kind", "because"),
    [
        (None, Stop.LIMITED, None, VerdictKind.PASSED, "; the fallback carried no step"),
        (50.0, Stop.CARRIED, 60.0, VerdictKind.PASSED, "; the fallback carried up to 60 answers per minute"),
        (50.0, Stop.LIMITED, 40.0, VerdictKind.DEVIATED, "the fallback does not carry 50 answers per minute"),
        (50.0, Stop.COST, 40.0, VerdictKind.INCONCLUSIVE, "the load did not rise to 50 per minute"),
    ],
)
def test_the_verdict_asks_for_as_much_as_the_plan(
    at_least: float | None, stop: Stop, carried: float | None, kind: VerdictKind, because: str
) -> None:
    found = replace(conclude([load()], stop, PLAN), carried=carried)
    if carried is not None:
        found = replace(found, because=f"carried up to {carried:.0f} answers per minute")
    told = judge(replace(HELD, drill=planned(at_least), application=(), capacity=found), now=1.0)
    assert told.kind is kind, told.because
    assert because in told.because
