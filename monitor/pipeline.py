"""The story of one Outcome, in order: asked, counted, stored, health advanced, people told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import structlog

from monitor.budget import Reservation
from monitor.clock import Clock
from monitor.config.model import Config
from monitor.forecast import Forecast
from monitor.health import should_confirm
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Health, Outcome, ProbeSpec, Transition
from monitor.offering import Catalogue
from monitor.probes import Prober
from monitor.store import Store

log = structlog.get_logger("watch")

CONFIRM_APART = 0.4
"""Seconds between the starts of two questions that confirm a first result."""


class Pipeline:
    """Takes every outcome, whatever asked for it. ``changed`` is called after each change of health, ``taken`` after
    each outcome. ``verify`` looks at what was asked on schedule before it counts: was it our own network?"""

    def __init__(
        self, *, config: Config, prober: Prober, knowledge: Knowledge, metrics: Metrics, store: Store,
        catalogue: Callable[[str], Catalogue], clock: Clock, rng: Random,
        changed: Callable[[Transition], None], taken: Callable[[Outcome], None] = lambda _: None,
        verify: Callable[[Outcome], Awaitable[Outcome]] | None = None,
    ) -> None:  # fmt: skip
        self.config = config
        self.prober = prober
        self._knowledge = knowledge
        self._metrics = metrics
        self._store = store
        self._forecast = Forecast(config, catalogue)
        self._clock = clock
        self._rng = rng
        self._changed = changed
        self._taken = taken
        self._verify = verify

    def follow(self, config: Config, prober: Prober) -> None:
        self.config, self.prober = config, prober
        self._forecast.follow(config)

    def estimate(self, spec: ProbeSpec) -> float | None:
        """What one run of a question may cost in USD; None when the price is unknown."""
        return self._forecast.price(spec)

    async def ask(self, spec: ProbeSpec) -> None:
        """One scheduled question; a first failure (or recovery) is asked again at once, and so is a target on which
        the chain's answer throws doubt."""
        before = self._knowledge.state(spec)
        first = await self._ask_once(spec)
        if first is None:
            return
        settings = self.config.chain(spec.chain).health
        if should_confirm(before, first, settings):
            # Side by side: where each runs into its timeout, one after the other would take as many times as long.
            await asyncio.gather(*(self._ask_again(spec, number) for number in range(settings.confirm)))
        for doubted in self._knowledge.doubted(first):
            await self.ask(doubted)

    async def _ask_again(self, spec: ProbeSpec, number: int) -> None:
        await self._clock.sleep(self._rng.uniform(0.1, 0.4) + number * CONFIRM_APART)
        await self._ask_once(spec)

    async def recheck(self, specs: Sequence[ProbeSpec]) -> None:
        """The catalogues were read: ask at once where they now judge a target's capability in another way."""
        for spec in self._forecast.turned(specs):
            await self.ask(spec)

    async def _ask_once(self, spec: ProbeSpec) -> Outcome | None:
        price = self.estimate(spec)
        allowed, why = self._knowledge.permit(spec, price, self._clock.now(), self.estimate)
        if not allowed:
            self._metrics.run_skipped(why)
            return None
        reservation = self._knowledge.spending.reserve(spec, price)
        outcome = await self.prober.probe(spec)
        if self._verify is not None:
            outcome = await self._verify(outcome)
        self.take(outcome, reservation=reservation)
        return outcome

    def take(self, outcome: Outcome, *, reservation: Reservation | None = None, measured: bool = False) -> None:
        """1. count, where no other process has ``measured`` it  2. store  3. learn  4. say what changed."""
        if not measured:
            self._metrics.observe(outcome)
        self._store.add_outcome(outcome)
        for transition in self._knowledge.learn(outcome, reservation=reservation):
            self._store.add_transition(transition)
            _say(transition)
            self._changed(transition)
        self._taken(outcome)


def _say(transition: Transition) -> None:
    good = transition.after is Health.HEALTHY
    first = good and transition.before is Health.UNKNOWN and transition.subject.target is not None
    write = log.debug if first else log.info if good else log.warning
    write(
        f"{transition.subject.key} is {transition.after}",
        before=transition.before.value,
        why=transition.detail or transition.reason.value,
    )
