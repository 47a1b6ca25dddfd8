"""A stage to run drills on: a clock moved by hand, a scripted chain, and observers that remember."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from chaos.guard import GuardView
from chaos.injectors.injector import Wrap
from chaos.model import Drill, Event, Injection, Journal
from chaos.runner import Runner
from monitor.config.model import ChainConfig
from monitor.exchange import Reshape
from monitor.model import Health, Outcome
from monitor.offering import Catalogue

from .drill_samples import by_secondary, catalogue, chain, outcome

BODY = {"models": ["anthropic/claude-sonnet-4.5", "openai/gpt-5-mini"], "messages": []}


class HandClock:
    """Time moves only by ``advance``; ``slept`` remembers what was asked for."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((self.time + seconds, future))
        await future

    def advance(self, seconds: float) -> None:
        self.time += seconds
        for until, future in self._waiting:
            if until <= self.time and not future.done():
                future.set_result(None)

    @property
    def sleepers(self) -> int:
        return sum(not future.done() for _, future in self._waiting)


class Hang:
    """Stands in a script for a request that does not come back until ``let_go``."""

    def __init__(self, then: Outcome | None = None) -> None:
        self.reached = asyncio.Event()
        self.let_go = asyncio.Event()
        self.then = then or outcome()


class ScriptedChain:
    """Answers with the next thing of its script, else as a good chain would: by the secondary while it is broken.

    ``bodies`` are the requests as they would have been sent, ``broken`` says which of them were asked to be broken.
    """

    def __init__(self, script: Iterable[Outcome | Hang | Exception | None] = ()) -> None:
        self.script = list(script)
        self.bodies: list[Any] = []
        self.broken: list[bool] = []

    async def __call__(self, drill: Drill, run: str, reshape: Reshape | None, wrap: Wrap | None) -> Outcome:
        body = BODY if reshape is None else reshape(BODY)
        self.bodies.append(body)
        self.broken.append(reshape is not None or wrap is not None)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Hang):
            step.reached.set()
            await step.let_go.wait()
            return step.then
        if isinstance(step, Exception):
            raise step
        return step or (outcome() if body is BODY else by_secondary())


class Memory:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.active: list[bool] = []
        self.journals: list[Journal] = []

    def on_event(self, run: str, event: Event) -> None:
        self.events.append(event)

    def on_active(self, injection: Injection, active: bool) -> None:
        self.active.append(active)

    def on_finished(self, journal: Journal) -> None:
        self.journals.append(journal)


class Stage:
    def __init__(
        self,
        script: Iterable[Outcome | Hang | Exception | None] = (),
        *,
        view: GuardView | None = None,
        chains: Callable[[str], ChainConfig] | None = None,
        catalogue_of: Catalogue | None = None,
    ) -> None:
        self.clock = HandClock()
        self.chain = ScriptedChain(script)
        self.memory = Memory()
        healthy = GuardView(health=Health.HEALTHY, targets=dict.fromkeys(range(3), Health.HEALTHY))
        self.runner = Runner(
            chains=chains or (lambda name: chain(name=name)),
            ask=self.chain,
            view=lambda _: view or healthy,
            catalogue=lambda _: catalogue_of or catalogue(),
            clock=self.clock,
            rng=Random(7),
            observers=(self.memory,),
        )
