"""The faults that are in place in the gateway: which exchange meets one, and when each ends by itself.

A rule needs nobody to end it: it has a deadline and a count, both checked here at each exchange.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

from chaos.apis import Api, changes
from chaos.errors import Wording, wording
from chaos.faults.unfit import concerns
from chaos.gateway.calls import Open
from chaos.model import Effect, Strike, positions_of
from chaos.passing import Group
from chaos.strikes import complete
from chaos.striking import Striking
from monitor.clock import Clock
from monitor.config.model import LiveConfig

LONGEST = 3600.0
"""Seconds: no rule may last longer, whatever is asked for."""
MOST_COUNT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The faults of one injection in place.

    It meets requests that carry the mark of its ``run``; with ``live`` also others, within what the config allows and,
    where it says less, ``percent`` (a share) of them. ``control``: as many are drawn as a group to compare with, and
    left whole. ``until``: seconds since the epoch.
    """

    id: str
    chain: str
    drill: str
    run: str
    strikes: tuple[Strike, ...]
    until: float
    max_count: int
    seed: int = 0
    live: bool = False
    percent: float | None = None
    control: bool = False

    @property
    def positions(self) -> tuple[int, ...]:
        """Those of the chain's targets that it breaks."""
        return positions_of(self.strikes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What decides whether a fault meets an exchange. ``run``: the mark that it carries, None for live traffic.

    ``body``: the request as JSON, None where it cannot be read. ``in_flight``: live exchanges that meet this rule's
    fault right now. ``call``: what the exchange is a part of.
    """

    run: str | None
    chain: str | None
    position: int | None
    header: Callable[[str], str | None]
    body: Callable[[], object] = lambda: None
    api: Api = Api.CHAT
    in_flight: int = 0
    call: Open | None = None


def meets(rule: Rule, mark: Mark, live: LiveConfig | None, *, now: float, draw: float) -> bool:
    """Whether the rule's fault meets an exchange. ``draw``: an even chance from 0 to 1. Pure."""
    if now >= rule.until or mark.chain != rule.chain or mark.position not in rule.positions:
        return False
    if mark.run is not None:
        return mark.run == rule.run
    return group_of(rule, mark, live, now=now, draw=draw) is Group.BROKEN


def group_of(rule: Rule, mark: Mark, live: LiveConfig | None, *, now: float, draw: float) -> Group:
    """The group of a live exchange with a target that the rule breaks; both come from one draw, equally large. Pure."""
    if not rule.live or live is None or not _open(live, now):
        return Group.OTHER
    if any(mark.header(name) != value for name, value in live.headers.items()):
        return Group.OTHER
    share = min(live.percent, 1.0 if rule.percent is None else rule.percent, 0.5 if rule.control else 1.0)
    if draw < share:
        return Group.BROKEN if mark.in_flight < live.max_in_flight else Group.OTHER
    return Group.CONTROL if rule.control and draw < 2 * share else Group.OTHER


def _open(live: LiveConfig, now: float) -> bool:
    """Whether the hours (UTC) allow it; hours that end before they begin go over midnight."""
    if live.hours is None:
        return True
    begin, end = live.hours.split("-")
    clock = datetime.fromtimestamp(now, UTC).strftime("%H:%M")
    return begin <= clock < end if begin < end else clock >= begin or clock < end


class Struck:
    """One exchange that meets a fault."""

    def __init__(self, armed: _Armed, effect: Effect, clock: Clock, dialect: str | None, *, marked: bool) -> None:
        self.rule = armed.rule
        self._dialect = dialect
        self.effect = effect
        self.marked = marked
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
        rule = replace(rule, strikes=tuple(map(complete, rule.strikes)))
        self._expire(now)
        if rule.id in self._armed:
            self.release(rule.id)
        self._armed[rule.id] = _Armed(rule, now)

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
        return ({}, "") if armed is None else (dict(armed.striking.met), armed.striking.because)

    def listed(self) -> list[tuple[Rule, int]]:
        """The rules in place, with how many exchanges each has met."""
        self._expire(self._clock.now())
        return [(armed.rule, armed.count) for armed in self._armed.values()]

    def strike(self, mark: Mark) -> Struck | None:
        """The fault that meets an exchange, counted; None for none. What was drawn of a call holds for its retries."""
        now = self._clock.now()
        self._expire(now)
        for armed in self._armed.values():
            if armed.count >= armed.rule.max_count or mark.position is None:
                continue
            if not self._meets(armed, replace(mark, in_flight=armed.in_flight), now):
                continue
            effect = armed.striking.effect(mark.position, now, lambda effect: _concerns(effect, mark))
            if effect is not None:
                return self._hit(armed, effect, marked=mark.run is not None)
        return None

    def _meets(self, armed: _Armed, mark: Mark, now: float) -> bool:
        rule, call, live = armed.rule, mark.call, self._live.get(armed.rule.chain)
        draw = armed.rng.random()
        if call is None or mark.chain != rule.chain or mark.position not in rule.positions:
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

    def _hit(self, armed: _Armed, effect: Effect, *, marked: bool) -> Struck:
        armed.count += 1
        armed.in_flight += not marked
        return Struck(armed, effect, self._clock, self._dialect, marked=marked)

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
