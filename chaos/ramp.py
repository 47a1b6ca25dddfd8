"""Asks a broken chain more and more at a time, and notes what rate limits say meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from chaos.capacity import Capacity, Load, Stop, Tally, conclude, levels, remaining_in, stop_after
from chaos.injectors.injector import Wrap
from chaos.model import Drill
from chaos.plans import CapacityPlan
from monitor.clock import Clock
from monitor.model import Outcome

Ask = Callable[[Wrap], Awaitable[Outcome]]
"""Asks the broken chain once, with its requests travelling through the given wrap too."""


class Ramp:
    """``price``: what one request may cost in USD, as far as that is known before the first is answered; after it, the
    dearest answer so far is what the next is expected to cost."""

    def __init__(
        self, drill: Drill, plan: CapacityPlan, *, ask: Ask, price: float, say: Callable[[str], None], clock: Clock
    ) -> None:
        self._plan = plan
        self._broken = drill.breaks
        self._ask = ask
        self._price = price
        self._say = say
        self._clock = clock
        self._spent = 0.0
        self._dearest = 0.0

    @property
    def _next(self) -> float:
        """What the next request is expected to cost."""
        return self._dearest or self._price

    async def run(self, until: float) -> Capacity:
        """``until``: seconds since the epoch by which it must be over."""
        loads: list[Load] = []
        stop: Stop | None = None
        for level in levels(self._plan):
            tally = Tally(self._broken)
            load = await self._step(level, tally, until)
            loads.append(load)
            late = self._clock.now() + self._plan.hold >= until
            stop = stop_after(load, self._plan, spent=self._spent + self._next, sustained=tally.sustained, late=late)
            self._say(
                f"{level} at once: {load.answered} of {load.asked} answered, {load.limited} refused with 429, "
                f"{load.per_minute:.0f} per minute, {load.usd:.4f} USD"
            )
            if stop is not None:
                break
        return conclude(loads, stop or Stop.CARRIED, self._plan)

    async def _step(self, level: int, tally: Tally, until: float) -> Load:
        began, remaining = self._clock.now(), dict[str, float]()
        end = min(began + self._plan.hold, until)
        under_way, freed = 0, asyncio.Event()

        async def ask_again() -> None:
            nonlocal under_way
            while self._clock.now() < end and not tally.sustained:
                if self._spent + self._next * (under_way + 1) > self._plan.usd:
                    if not under_way:
                        return
                    freed.clear()
                    await freed.wait()  # an answer may turn out cheaper than it might have been
                    continue
                under_way += 1
                try:
                    outcome = await self._ask(lambda inner: Noting(inner, remaining, self._broken))
                finally:
                    under_way -= 1
                    freed.set()
                tally.take(outcome)
                self._spent += outcome.cost or 0.0
                self._dearest = max(self._dearest, outcome.cost or 0.0)

        async with asyncio.TaskGroup() as workers:
            for _ in range(level):
                workers.create_task(ask_again())
        return Load(
            at_once=level, lasted=self._clock.now() - began, asked=tally.asked, answered=tally.answered,
            limited=tally.limited, usd=tally.usd, remaining=remaining,
        )  # fmt: skip


class Noting(httpx.AsyncBaseTransport):
    """Notes the least that is left by the headers of answers of targets that the drill leaves whole."""

    def __init__(self, inner: httpx.AsyncBaseTransport, remaining: dict[str, float], broken: tuple[int, ...]) -> None:
        self._inner = inner
        self._remaining = remaining
        self._broken = broken

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = await self._inner.handle_async_request(request)
        if (request.extensions.get("fallbackd") or {}).get("position") not in self._broken:
            for name, left in remaining_in(reply.headers).items():
                self._remaining[name] = min(left, self._remaining.get(name, left))
        return reply
