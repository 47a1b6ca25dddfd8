"""The faults that are in place in the gateway: which exchange meets one, and when each ends by itself.

A rule needs nobody to end it: it has a deadline and a count, both checked here at each exchange.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from chaos.apis import changes
from chaos.edits import UneditableError
from chaos.errors import Wording, wording
from chaos.faults.unfit import concerns
from chaos.gateway.rule import Mark, Rule, aims_at, group_of, meets
from chaos.model import Effect, positions_of
from chaos.passing import Group
from chaos.strikes import complete
from chaos.striking import Striking
from monitor.clock import Clock
from monitor.config.model import LiveConfig

LONGEST = 3600.0
"""Seconds: no rule may last longer, whatever is asked for."""
MOST_COUNT = 100_000
OTHER_MODELS = "does not ask for the chain as it is configured: its models, or its provider.order, are others"


class Struck:
    """One exchange that meets a fault. ``body``: of its request in place of its own, None where that stays;
    ``gone``: the positions that it takes away so."""

    def __init__(
        self, armed: _Armed, effect: Effect, clock: Clock, dialect: str | None, *, marked: bool,
        body: bytes | None = None, gone: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        self.rule = armed.rule
        self._dialect = dialect
        self.effect = effect
        self.marked = marked
        self.body = body
        self.gone = gone
        self._armed = armed
        self._clock = clock

    def words(self, path: str) -> Wording:
        """The shape that errors have at the path that was asked for."""
        return wording(self._dialect, path)

    async def hold(self, seconds: float = math.inf) -> None:
        """Wait, but not beyond the end of the rule."""
        wait = min(seconds, self.rule.until - self._clock.now())
        if wait <= 0 or self._armed.released.is_set():
            return
        slept = asyncio.ensure_future(self._clock.sleep(wait))
        ended = asyncio.ensure_future(self._armed.released.wait())
        try:
            await asyncio.wait({slept, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            slept.cancel()
            ended.cancel()

    def end(self) -> None:
        """The exchange is over."""
        if not self.marked:
            self._armed.in_flight -= 1


class _Armed:
    def __init__(self, rule: Rule, now: float) -> None:
        self.rule = rule
        self.count = 0
        self.in_flight = 0
        self.released = asyncio.Event()
        self.rng = Random(rule.seed)
        self.striking = Striking(rule.strikes, since=now, rng=self.rng)
        self.spared = ""


class Rules:
    """The rules in place, by id. ``live`` by chain: what the config allows with real traffic."""

    def __init__(
        self, chains: Mapping[str, int], live: Mapping[str, LiveConfig], clock: Clock, dialect: str | None = None
    ) -> None:
        """``chains``: how many targets each has. ``dialect``: that of the endpoint, whose errors are worded alike."""
        self._dialect = dialect
        self._chains = chains
        self._live = live
        self._clock = clock
        self._armed: dict[str, _Armed] = {}

    def follow(self, chains: Mapping[str, int], live: Mapping[str, LiveConfig]) -> None:
        """Obey another config; rules that it does not allow end now."""
        self._chains, self._live = chains, live
        for id_, armed in list(self._armed.items()):
            if armed.rule.chain not in chains or (armed.rule.live and armed.rule.chain not in live):
                self.release(id_)

    def __bool__(self) -> bool:
        return bool(self._armed)

    def arm(self, rule: Rule) -> None:
        """Raises ValueError with one sentence."""
        now = self._clock.now()
        if rule.chain not in self._chains:
            raise ValueError(f'"{rule.chain}" is no chain of this gateway')
        unaimed = not rule.strikes or not all(strike.positions for strike in rule.strikes)
        if unaimed or not all(0 <= position < self._chains[rule.chain] for position in rule.positions):
            last = self._chains[rule.chain] - 1
            raise ValueError(f"positions {list(rule.positions)}: {rule.chain} has targets 0 to {last}")
        if not now < rule.until <= now + LONGEST:
            raise ValueError(f"until must lie ahead, and no more than {LONGEST:g} s")
        if not 1 <= rule.max_count <= MOST_COUNT:
            raise ValueError(f"max_count must be from 1 to {MOST_COUNT}")
        if rule.live and rule.chain not in self._live:
            raise ValueError(f"{rule.chain} is not opted in to live traffic: gateway.live has no section for it")
        if rule.edits and len(rule.edits) != len(rule.strikes):
            raise ValueError(f"edits: one for each of the {len(rule.strikes)} strikes is needed, or none at all")
        rule = replace(rule, strikes=tuple(complete(one, edits=bool(rule.edits)) for one in rule.strikes))
        self._expire(now)
        if rule.id in self._armed:
            self.release(rule.id)
        self._armed[rule.id] = _Armed(rule, now)

    def open(self, id_: str) -> bool:
        """A rule that waits may meet live traffic from now on; False when there is none. Safe to repeat."""
        armed = self._armed.get(id_)
        if armed is None:
            return False
        armed.rule = replace(armed.rule, waits=False)
        return True

    def release(self, id_: str) -> bool:
        """End a rule and what it holds up; False when there is none. Safe to repeat."""
        armed = self._armed.pop(id_, None)
        if armed is None:
            return False
        armed.released.set()
        return True

    def release_all(self) -> int:
        return sum(self.release(id_) for id_ in list(self._armed))

    def course(self, id_: str) -> tuple[Mapping[int, int], str]:
        """How many exchanges a rule in place has met, by position; and why the latest met a fault or did not."""
        armed = self._armed.get(id_)
        return ({}, "") if armed is None else (dict(armed.striking.met), armed.spared or armed.striking.because)

    def listed(self) -> list[tuple[Rule, int]]:
        """The rules in place, with how many exchanges each has met."""
        self._expire(self._clock.now())
        return [(armed.rule, armed.count) for armed in self._armed.values()]

    def strike(self, mark: Mark) -> Struck | None:
        """The fault that meets an exchange, counted; None for none. What was drawn of a call holds for its retries."""
        now = self._clock.now()
        self._expire(now)
        for armed in self._armed.values():
            if armed.count >= armed.rule.max_count:
                continue
            struck = (self._edited if armed.rule.edits else self._broken)(armed, mark, now)
            if struck is not None:
                return struck
        return None

    def spared(self, chain: str | None) -> str:
        """Why the latest request of a chain could not be changed as a rule in place would have it; empty for none."""
        return next((one.spared for one in self._armed.values() if one.rule.chain == chain and one.spared), "")

    def _broken(self, armed: _Armed, mark: Mark, now: float) -> Struck | None:
        """A request that names one target, and what becomes of it on its way."""
        if mark.position is None or not self._meets(armed, mark, now):
            return None
        effect = armed.striking.effect(mark.position, now, lambda effect: _concerns(effect, mark))
        return None if effect is None else self._hit(armed, effect, marked=mark.run is not None)

    def _edited(self, armed: _Armed, mark: Mark, now: float) -> Struck | None:
        """A request for the whole chain, changed so that its router leaves targets out. Whether it can be changed is
        found out before it is drawn, so that those of the control group are of the same kind."""
        rule = armed.rule
        if mark.chain != rule.chain:
            return None
        armed.spared = "" if mark.exact else OTHER_MODELS
        if not mark.exact:
            return None
        try:
            body = mark.edit(rule.edits)
            if not self._meets(armed, mark, now) or not (falling := armed.striking.falling(now)):
                return None
            if len(falling) < len(rule.edits):
                body = mark.edit([rule.edits[index] for index in falling])
        except UneditableError as error:
            armed.spared = str(error)
            return None
        gone = positions_of(rule.strikes[index] for index in falling)
        return self._hit(armed, Effect(), marked=mark.run is not None, body=body, gone=gone)

    def _meets(self, armed: _Armed, mark: Mark, now: float) -> bool:
        rule, call, live = armed.rule, mark.call, self._live.get(armed.rule.chain)
        draw, mark = armed.rng.random(), replace(mark, in_flight=armed.in_flight)
        if call is None or not aims_at(rule, mark):
            return meets(rule, mark, live, now=now, draw=draw)
        if mark.run is not None:
            group = Group.BROKEN if mark.run == rule.run else Group.OTHER
        elif call.rule == rule.id:
            return call.group is Group.BROKEN
        else:
            group = group_of(rule, mark, live, now=now, draw=draw)
        broken = group is Group.BROKEN
        call.rule, call.group, call.drill = rule.id, group, rule.drill if broken else None
        return broken

    def _hit(
        self, armed: _Armed, effect: Effect, *, marked: bool, body: bytes | None = None, gone: tuple[int, ...] = ()
    ) -> Struck:
        armed.count += 1
        armed.in_flight += not marked
        return Struck(armed, effect, self._clock, self._dialect, marked=marked, body=body, gone=gone)

    def _expire(self, now: float) -> None:
        for id_, armed in list(self._armed.items()):
            if now >= armed.rule.until:
                self.release(id_)


def _concerns(effect: Effect, seen: Mark) -> bool:
    """Whether the fault has to do with what was asked; the request is read only where that matters."""
    if effect.rewrite is None:
        return True
    body = seen.body()
    return changes(effect.rewrite, seen.api) and (body is None or concerns(effect.rewrite, body, seen.api))
