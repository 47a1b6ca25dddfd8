"""Breaks a chain by reshaping our own request, so that the router itself leaves the broken targets out.

The constructs are class F (filtered) and class X (rejected) of the fact sheet's "Making the primary unavailable on
purpose": they work on a real router, cost nothing, and reach nobody else's requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from chaos.edits import UneditableError
from chaos.faults import FAULTS
from chaos.injectors.injector import Refused
from chaos.injectors.plans import PLANS, Change
from chaos.model import Drill, Injection, Option
from chaos.shapes import words
from chaos.striking import Striking
from chaos.wording import join
from monitor.clock import Clock
from monitor.config.model import ChainConfig
from monitor.model import Mode
from monitor.offering import Catalogue

_ON_THE_WIRE = "a reshaped request makes the router leave a target out; it cannot make a provider misbehave"


class Reshaping:
    """Changes in place: they count, and let requests pass unchanged after their deadline, their count or release."""

    wrap = None

    def __init__(self, changes: tuple[Change, ...], injection: Injection, clock: Clock, rng: Random) -> None:
        self.says = join(change.says for change in changes)
        self.count = 0
        self._changes = tuple(change.reshape for change in changes)
        self._striking = Striking(injection.strikes, since=clock.now(), rng=rng)
        self._until = injection.until
        self._max_count = injection.max_count
        self._clock = clock
        self._released = False

    @property
    def met(self) -> Mapping[int, int]:
        return self._striking.met

    @property
    def because(self) -> str:
        return self._striking.because

    def reshape(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        now = self._clock.now()
        if self._released or self.count >= self._max_count or now >= self._until:
            return body
        falling = self._striking.falling(now)
        changed = body
        try:
            for index in falling:
                changed = self._changes[index](changed)
        except UneditableError:  # the chain's own routing forbids it; what was not changed was not met
            return body
        self.count += bool(falling)
        return changed

    def release(self) -> None:
        self._released = True


class RequestInjector:
    """For chains that the endpoint walks: ``server`` and ``provider``."""

    name = "request"

    @property
    def faults(self) -> Mapping[str, Mapping[str, Option]]:
        return {fault: {} for fault in PLANS}

    @property
    def limits(self) -> Mapping[str, str]:
        return dict.fromkeys((fault for fault in FAULTS if fault not in PLANS), _ON_THE_WIRE)

    def check(self, drill: Drill, chain: ChainConfig, catalogue: Catalogue) -> Refused | None:
        found = plan(drill, chain, catalogue)
        return found if isinstance(found, Refused) else None

    def arm(
        self,
        injection: Injection,
        drill: Drill,
        chain: ChainConfig,
        catalogue: Catalogue,
        clock: Clock,
        rng: Random,
    ) -> Reshaping | Refused:
        found = plan(drill, chain, catalogue)
        return found if isinstance(found, Refused) else Reshaping(found, injection, clock, rng)


def plan(drill: Drill, chain: ChainConfig, catalogue: Catalogue) -> tuple[Change, ...] | Refused:
    """The changes that take the drill's targets away, one for each strike, or why there are none. Pure."""
    if chain.mode is Mode.CLIENT:
        return Refused(
            f"{chain.name} is walked by its caller, target by target, so no reshaped request can take one target "
            "away; break it with the transport injector"
        )
    made = []
    for strike in drill.strikes:
        change = PLANS[strike.fault](strike, drill, chain, catalogue)
        if isinstance(change, Refused):
            return change
        when = words(strike)
        made.append(replace(change, says=f"{change.says} ({when})") if when else change)
    return tuple(made)
