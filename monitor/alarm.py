"""From what is known to what is told: evaluates the rules, commits the decision, wakes the outbox. Decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from monitor.alerting import (
    Alert,
    AlertState,
    Decision,
    Incident,
    Silence,
    Stage,
    acknowledge,
    changes,
    decide,
    dump_silence,
    example,
    load_silence,
    load_state,
)
from monitor.clock import Clock, utc
from monitor.conditions import SILENT_FALLBACK, Condition, Itself, World, evaluate
from monitor.config.model import Config
from monitor.errors import FallbackdError
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Notice, NoticeState, new_id
from monitor.store import Store

log = structlog.get_logger("alert")

TICK = 1.0
"""Seconds between two looks when nothing changed: ``for``, repeat intervals and silence are noticed by time alone."""
ALERTING = "alerting"
SILENCES = "silence"


class Alarm:
    """Keeps alerts and incidents. ``told`` is called when notices have been put into the outbox, or incidents or
    silences changed; ``itself`` says what fallbackd itself does."""

    def __init__(
        self,
        *,
        config: Config,
        knowledge: Knowledge,
        store: Store,
        metrics: Metrics,
        clock: Clock,
        told: Callable[[], None],
        itself: Callable[[], Itself] = Itself,
    ) -> None:
        self._config = config
        self._knowledge = knowledge
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._told = told
        self._itself = itself
        self._state = AlertState()
        self._silences: dict[str, Silence] = {}
        self._decision: Decision | None = None
        self._changed = asyncio.Event()

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Those that fire or wait to, the oldest first."""
        open_ = (one for one in self._state.alerts.values() if one.stage is not Stage.RESOLVED)
        return tuple(sorted(open_, key=lambda one: (one.since, one.key)))

    @property
    def firing(self) -> tuple[Alert, ...]:
        return tuple(one for one in self.alerts if one.is_firing)

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Those that are open, the oldest first."""
        open_ = (one for one in self._state.incidents.values() if one.is_open)
        return tuple(sorted(open_, key=lambda one: (one.since, one.id)))

    def members(self, incident: str) -> tuple[Alert, ...]:
        """The alerts of an incident: those that fire, and those that were part of it and ended."""
        return self._state.members(incident)

    def reasons(self) -> Mapping[str, tuple[str, ...]]:
        """Why somebody was told about an alert at the last look, or why nobody was; by alert key."""
        found: dict[str, tuple[str, ...]] = {}
        for key, reason in self._decision.reasons if self._decision else ():
            found[key] = (*found.get(key, ()), reason.value)
        return found

    @property
    def silences(self) -> tuple[Silence, ...]:
        """Those that hold now, the first to end first."""
        now = self._clock.now()
        return tuple(sorted((one for one in self._silences.values() if not one.is_over(now)), key=lambda one: one.ends))

    async def acknowledge(self, incident: str, *, by: str) -> Incident | None:
        """Somebody takes an incident on: no repeats until it gets worse or ends. Durable when this returns; None when
        no such incident is open."""
        taken = acknowledge(self._state, incident, by, self._clock.now())
        if taken is None:
            return None
        changed = changes(self._state, taken)
        self._state = taken
        await self._store.put_states(ALERTING, changed)
        log.info("acknowledged", incident=incident, by=by)
        self.wake()
        self._told()
        return taken.incidents[incident]

    async def silence_incident(self, incident: str, *, seconds: float, why: str, by: str) -> Silence | None:
        """Nobody hears of an open incident for a while, whatever joins it; None when no such incident is open."""
        found = next((one for one in self.incidents if one.id == incident), None)
        if found is None:
            return None
        first = next(one for one in self.members(incident) if one.is_firing)
        return await self.silence(first.chain, None, seconds=seconds, why=why, by=by, incident=incident)

    async def silence(
        self, chain: str, alert: str | None, *, seconds: float, why: str, by: str, incident: str | None = None
    ) -> Silence:
        """Nobody hears of a chain's alerts (or of one, or of one incident) for a while; durable when this returns."""
        now = self._clock.now()
        made = Silence(
            id=new_id(now), chain=chain, alert=alert, starts=now, ends=now + seconds, why=why, by=by, incident=incident
        )
        await self._store.put_states(SILENCES, {made.id: dump_silence(made)})
        self._silences[made.id] = made
        log.info("silenced", **_of(made), until=utc(made.ends), why=why, by=by)
        self.wake()
        self._told()
        return made

    async def end_silence(self, id_: str) -> bool:
        """False when there is none of this id."""
        if id_ not in {one.id for one in self.silences}:
            return False
        await self._store.put_states(SILENCES, {id_: None})
        ended = self._silences.pop(id_)
        log.info("no longer silenced", **_of(ended), why=ended.why)
        self.wake()
        self._told()
        return True

    async def restore(self) -> None:
        self._state = load_state(await self._store.states(ALERTING))
        silences = map(load_silence, (await self._store.states(SILENCES)).values())
        self._silences = {one.id: one for one in silences if one is not None}

    def follow(self, config: Config) -> None:
        self._config = config
        self.wake()

    def wake(self) -> None:
        """Look again at once: something changed."""
        self._changed.set()

    async def test(self, name: str) -> tuple[str, ...]:
        """Sends a marked example of a rule through its real route; to which notifiers."""
        now, config = self._clock.now(), self._config
        rule = next(rule for rule in config.alerts.rules if rule.name == name)
        chain = (*rule.chains, config.chains[0].name)[0]
        notices = example(rule, config.alerts, chain, config.muted, now, lambda: new_id(now))
        await self._store.decide(ALERTING, {}, notices)
        self._told()
        return tuple(notice.notifier for notice in notices)

    async def run(self) -> None:
        """Until cancelled. A look that fails is logged and tried again with the next."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), TICK)
            self._changed.clear()
            began = self._clock.monotonic()
            try:
                await self.look()
            except FallbackdError as error:
                log.error("the state of alerts cannot be kept now", why=str(error))  # noqa: TRY400 - the text says it all
            except Exception:
                log.exception("a look at the rules crashed")
            # Where everything changes all the time, looking at it takes half of the time and no more.
            await asyncio.sleep(min(TICK, self._clock.monotonic() - began))

    async def look(self) -> None:
        """Evaluate, decide, commit: alerts and notices in one transaction, then the health behind them."""
        now, config = self._clock.now(), self._config
        world = replace(self._knowledge.world(now), itself=replace(self._itself(), told_of=self._told_of()))
        decision = decide(
            self._state,
            await self._evaluate(world, now),
            config.alerts,
            now,
            frozenset(config.muted),
            chains=[chain.name for chain in config.chains],
            settled=world.settled,
            ids=lambda: new_id(now),
            silences=self.silences,
        )
        changed = changes(self._state, decision.state)
        self._state, self._decision = decision.state, decision
        self._metrics.set_alerts(self.alerts)
        taken = sum(one.acknowledged is not None for one in self.incidents)
        open_: dict[tuple[str, ...], float] = {("true",): float(taken), ("false",): float(len(self.incidents) - taken)}
        self._metrics.set_series("fallbackd_incidents_open", open_)
        if changed or decision.notices:
            await self._store.decide(ALERTING, changed, decision.notices)
            self._told()
        self._say(decision.notices)
        await self._forget_silences(now)
        await self._knowledge.save(self._store)

    async def _evaluate(self, world: World, now: float) -> list[Condition]:
        """Rule by rule, with a turn for everybody else in between: all at once would delay what is asked meanwhile."""
        found: list[Condition] = []
        for rule in self._config.alerts.rules:
            found += evaluate((rule,), world, now)
            await asyncio.sleep(0)
        return found

    def _told_of(self) -> frozenset[str]:
        """Chains of which somebody was told, but for the alert that says that nobody was."""
        told = (one for one in self.firing if one.when != SILENT_FALLBACK.name and self._state.is_announced(one))
        return frozenset(one.chain for one in told)

    async def _forget_silences(self, now: float) -> None:
        over = [one.id for one in self._silences.values() if one.is_over(now)]
        if over:
            await self._store.put_states(SILENCES, dict.fromkeys(over))
            self._silences = {id_: one for id_, one in self._silences.items() if id_ not in over}

    def _say(self, notices: Sequence[Notice]) -> None:
        """Once per incident, however many notifiers carry it; where one of them is a log, that one says it."""
        logs = {notifier.name for notifier in self._config.alerts.notifiers if notifier.kind == "log"}
        logged = {notice.incident for notice in notices if notice.notifier in logs}
        for notice in {notice.incident: notice for notice in notices if notice.incident not in logged}.values():
            chains = ", ".join(notice.chains)
            write = log.info if notice.state is NoticeState.RESOLVED else log.warning
            write(
                f"{notice.alert} {notice.state.value}: {notice.title}",
                chain=chains,
                cause=notice.cause.value,
            )


def _of(silence: Silence) -> dict[str, str]:
    """What is silenced, for the log."""
    return (
        {"incident": silence.incident}
        if silence.incident
        else {"chain": silence.chain, "alert": silence.alert or "all"}
    )
