"""What is measured only when somebody looks: health, shares, budgets, what waits. Read at each scrape."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.budget import Purse, Scope, probe_name
from monitor.clock import Clock
from monitor.config.model import ChainConfig, Config
from monitor.coverage import Proof
from monitor.health import abilities
from monitor.knowledge import Knowledge
from monitor.metrics import WINDOWS, Metrics
from monitor.metrics.labels import Values
from monitor.model import Health, Subject
from monitor.notify import Outbox
from monitor.store import Store

BURN_WINDOWS: Mapping[str, float] = {
    "5m": 300.0, "30m": 1800.0, "1h": 3600.0, "6h": 21600.0, "3d": 259200.0,
}  # fmt: skip
"""Windows of ``fallbackd_chain_burn_rate``, in seconds by label."""


class Gauges:
    def __init__(self, *, metrics: Metrics, knowledge: Knowledge, store: Store, outbox: Outbox, clock: Clock) -> None:
        self._metrics = metrics
        self._knowledge = knowledge
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._failures = 0
        self._dropped: dict[str, int] = {}

    def refresh(self, config: Config) -> None:
        now = self._clock.now()
        for chain in config.chains:
            self._refresh_health(chain.name)
            for target in chain.all_targets():
                self._metrics.set_abilities(target, abilities(chain.needs, self._knowledge.target_state(target)))
            own = self._knowledge.spending.state(Purse(scope=Scope.CHAIN, name=chain.name), now)
            self._metrics.set_budget_remaining(chain.name, own.remaining if own else None)
            self._refresh_probe_budgets(chain, now)
            for window, seconds in WINDOWS.items():
                share, _ = self._knowledge.history(chain.name).share(seconds, now)
                self._metrics.set_fallback_share(chain.name, window, share)
        self._refresh_coverage(now)
        self._refresh_promises(config, now)
        for shared in self._knowledge.spending.shared(now):
            self._metrics.set_shared_budget_remaining(shared.purse.scope, shared.purse.name, shared.remaining)
        for notifier, count in self._outbox.waiting().items():
            self._metrics.set_outbox_pending(notifier, count)
            self._metrics.set_notifier_broken(notifier, notifier in self._outbox.broken)
            dropped = self._store.dropped_notices(notifier)
            self._metrics.notices_dropped(notifier, dropped - self._dropped.get(notifier, 0))
            self._dropped[notifier] = dropped
        self._metrics.set_store_pending(self._store.pending)
        for _ in range(self._store.failed - self._failures):
            self._metrics.store_failed()
        self._failures = self._store.failed

    def _refresh_promises(self, config: Config, now: float) -> None:
        promises: dict[Values, float] = {(chain.name,): chain.objective.success for chain in config.chains}
        burns: dict[Values, float] = {}
        for chain in config.chains:
            for window, seconds in BURN_WINDOWS.items():
                kept = self._knowledge.tallies.objectives[chain.name].over(seconds, now)
                burn = kept.burn(chain.objective.success)
                burns[chain.name, window] = float("nan") if burn is None else burn
        self._metrics.set_series("fallbackd_chain_objective_ratio", promises)
        self._metrics.set_series("fallbackd_chain_burn_rate", burns)

    def _refresh_health(self, chain: str) -> None:
        state = self._knowledge.chain_state(chain)
        self._metrics.set_health(Subject(chain=chain), state.health if state else Health.UNKNOWN)
        for target in self._knowledge.targets(chain):
            subject = Subject(chain=chain, target=target.label, provider=target.provider)
            known = self._knowledge.target_state(target)
            self._metrics.set_health(subject, known.health if known else Health.UNKNOWN)

    def _refresh_coverage(self, now: float) -> None:
        cells = [cell for table in self._knowledge.proofs.tables(now) for cell in table.cells]
        places = [(cell.pair.chain, "->".join(cell.pair.edge), cell.pair.fault) for cell in cells]
        proven: dict[Values, float] = {place: cell.proven_at or 0.0 for place, cell in zip(places, cells, strict=True)}
        unproven: dict[Values, float] = {
            (*place, state.value): float(cell.state is state)
            for place, cell in zip(places, cells, strict=True)
            for state in Proof
            if state is not Proof.PROVEN
        }
        self._metrics.set_series("fallbackd_edge_proven_timestamp_seconds", proven)
        self._metrics.set_series("fallbackd_edge_unproven", unproven)

    def _refresh_probe_budgets(self, chain: ChainConfig, now: float) -> None:
        for kind in {probe.kind for probe in chain.probes if probe.budget}:
            own = self._knowledge.spending.state(Purse(scope=Scope.PROBE, name=probe_name(chain.name, kind)), now)
            if own is not None:
                self._metrics.set_probe_budget_remaining(chain.name, kind, own.remaining)
