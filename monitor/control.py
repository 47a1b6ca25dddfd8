"""The daemon as the page and the API see it: views of what the other parts know, and orders that are passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from monitor.alarm import Alarm
from monitor.alert_views import AlertViews
from monitor.alerting import Silence
from monitor.chain_views import ChainViews, budget_fields
from monitor.clock import Clock
from monitor.connectivity import Connectivity
from monitor.drill_views import DrillViews
from monitor.drilling import Drilling
from monitor.gauges import Gauges
from monitor.in_force import InForce
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Health, Outcome, Transition, Verdict
from monitor.notify import Outbox
from monitor.schedule import Schedule
from monitor.stocktaking import Stocktaking
from monitor.store import Store
from monitor.version import VERSION
from monitor.web.coverage_views import CoverageView, coverage_view
from monitor.web.views import (
    AlertView,
    ChainView,
    DrillView,
    IncidentView,
    OutcomeQuery,
    Refused,
    RunDetail,
    RunView,
    SharedBudgetView,
    Started,
    StatusView,
)


class DaemonControl:
    """Implements ``monitor.web.Control``."""

    def __init__(
        self,
        in_force: InForce,
        *,
        store: Store,
        knowledge: Knowledge,
        alarm: Alarm,
        drilling: Drilling,
        metrics: Metrics,
        schedule: Schedule,
        outbox: Outbox,
        stocktaking: Stocktaking,
        connectivity: Connectivity,
        clock: Clock,
    ) -> None:
        self._in_force = in_force
        self._store = store
        self._knowledge = knowledge
        self._alarm = alarm
        self._drilling = drilling
        self._metrics = metrics
        self._schedule = schedule
        self._outbox = outbox
        self._stocktaking = stocktaking
        self._connectivity = connectivity
        self._clock = clock
        self._started = clock.now()
        self._alerts = AlertViews(alarm, lambda: outbox.broken)
        self._drills = DrillViews(drilling=drilling, store=store, schedule=schedule)
        self._chains = ChainViews(knowledge=knowledge, alarm=alarm, clock=clock)
        self._gauges = Gauges(metrics=metrics, knowledge=knowledge, store=store, outbox=outbox, clock=clock)

    def status(self) -> StatusView:
        config = self._in_force.config
        firing = sum(alert.state == "firing" for alert in self.alerts())
        return StatusView(
            version=VERSION,
            started=self._started,
            now=self._clock.now(),
            chains=len(config.chains),
            targets=sum(len(chain.targets) for chain in config.chains),
            probes=len(self._in_force.specs),
            outcomes=self._knowledge.learned,
            alerts_firing=firing,
            runs_under_way=len(self._drilling.runner.running),
            outbox_pending=sum(self._outbox.waiting().values()),
            stopped=self._drilling.runner.stopped,
            network_down_since=self._connectivity.down_since,
            budgets=tuple(
                SharedBudgetView(**budget_fields(state), scope=state.purse.scope, provider=state.purse.name)
                for state in self._knowledge.spending.shared(self._clock.now())
            ),
            notes=tuple(self._notes()),
        )

    def ready(self) -> tuple[bool, str]:
        waiting = [chain.name for chain in self._in_force.config.chains if not self._knowledge.is_settled(chain.name)]
        if waiting:
            return False, f"no result yet of: {', '.join(waiting)}"
        return True, "every chain has been asked"

    def healths(self) -> Mapping[str, Health]:
        states = {chain.name: self._knowledge.chain_state(chain.name) for chain in self._in_force.config.chains}
        return {name: state.health if state else Health.UNKNOWN for name, state in states.items()}

    def chain(self, name: str) -> ChainView | None:
        found = next((chain for chain in self._in_force.config.chains if chain.name == name), None)
        return self._chains.view(found) if found else None

    def chains(self) -> Sequence[ChainView]:
        return [self._chains.view(chain) for chain in self._in_force.config.chains]

    def alerts(self) -> Sequence[AlertView]:
        return self._alerts.alerts()

    def incidents(self) -> Sequence[IncidentView]:
        return self._alerts.incidents()

    async def acknowledge(self, incident: str, *, by: str) -> IncidentView | None:
        taken = await self._alarm.acknowledge(incident, by=by)
        return self._alerts.incident(taken) if taken else None

    async def silence_incident(self, incident: str, *, seconds: float, why: str, by: str) -> Silence | Refused:
        made = await self._alarm.silence_incident(incident, seconds=seconds, why=why, by=by)
        return made or Refused(because=f"no incident {incident} is open")

    def silences(self) -> Sequence[Silence]:
        return self._alarm.silences

    async def silence(self, chain: str, alert: str | None, *, seconds: float, why: str, by: str) -> Silence | Refused:
        config = self._in_force.config
        if chain not in {one.name for one in config.chains}:
            return Refused(because=f"there is no chain {chain}")
        if alert is not None and alert not in {one.name for one in config.alerts.rules}:
            return Refused(because=f"there is no rule {alert}")
        return await self._alarm.silence(chain, alert, seconds=seconds, why=why, by=by)

    async def end_silence(self, id_: str) -> bool:
        return await self._alarm.end_silence(id_)

    async def test_alert(self, rule: str) -> tuple[str, ...] | Refused | None:
        if rule not in {one.name for one in self._in_force.config.alerts.rules}:
            return None
        told = await self._alarm.test(rule)
        return told or Refused(because=f"nobody would be told of {rule}: no route fits, or its notifiers are off")

    def coverage(self) -> CoverageView:
        limit = self._in_force.config.coverage.stale_after
        return coverage_view(self._knowledge.proofs.tables(self._clock.now()), limit)

    def drills(self) -> Sequence[DrillView]:
        return [self._drills.view(drill, self._in_force.config) for drill in self._in_force.drills]

    async def outcomes(self, query: OutcomeQuery) -> Sequence[Outcome]:
        return await self._store.outcomes(
            chain=query.chain,
            target=query.target,
            origin=query.origin,
            status=query.status,
            before=query.before,
            limit=query.limit,
        )

    async def outcome(self, id_: str) -> Outcome | None:
        return await self._store.outcome(id_)

    async def transitions(self, *, chain: str | None = None, limit: int = 100) -> Sequence[Transition]:
        return await self._store.transitions(chain=chain, limit=limit)

    async def runs(self, *, chain: str | None = None, limit: int = 50) -> Sequence[RunView]:
        return await self._drills.runs(chain=chain, limit=limit)

    async def run(self, run: str) -> RunDetail | None:
        return await self._drills.run(run)

    async def verdict(self, run: str) -> Verdict | None:
        """Waits for the end of a run; None when nothing is known of it."""
        await self._drilling.ended(run)
        stored = await self._store.journal(run)
        return stored[0] if stored else None

    async def start_run(self, name: str, *, asked_by: str) -> Started | Refused:
        busy = {one.drill.name: one.run for one in self._drilling.runner.running}
        run, task = self._drilling.start(name, asked_by=asked_by)
        await asyncio.sleep(0)  # the guard decides before the run waits for anything
        await asyncio.sleep(0)
        if task.done() and not task.cancelled() and task.exception() is None:
            return Refused(because=task.result().verdict.because, run=busy.get(name))
        return Started(run=run)

    async def stop(self, *, asked_by: str) -> int:
        return await self._drilling.stop(f"stopped by {asked_by}")

    async def release(self, *, asked_by: str) -> None:
        await self._drilling.release(asked_by)

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        self._gauges.refresh(self._in_force.config)
        self._stocktaking.show_age(self._in_force.config)
        return await self._metrics.exposition(accept)

    def _notes(self) -> Sequence[str]:
        config = self._in_force.config
        lost = [f"{self._store.dropped} results could not be kept: the disk fails"] if self._store.dropped else []
        broken = [
            f"Notifier {one.notifier} reaches nobody: {one.text}; told in its place: {one.told or 'nobody'}"
            for one in self._outbox.broken.values()
        ]
        return [*broken, *(f"Not in use: {sentence}" for sentence in config.muted.values()), *config.warnings, *lost]
