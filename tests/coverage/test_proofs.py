"""What was proven is there after a restart and after its journals were pruned, and the metrics show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.drills import resolve
from chaos.edges import aims
from monitor.config.loading import load
from monitor.config.model import Config
from monitor.coverage import Proof
from monitor.gauges import Gauges
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import VerdictKind
from monitor.notify import Outbox
from monitor.probes import expand
from monitor.proofs import COVERAGE
from monitor.store import Store
from monitor.vocabulary import vocabulary
from tests.fakes.clock import FakeClock
from tests.fakes.values import NOW, verdict

pytestmark = pytest.mark.anyio

CHAINS = """
endpoints:
  router: {dialect: openrouter, url: "http://127.0.0.1:9/api/v1", credential_env: KEY}
chains:
  - name: chat
    endpoint: router
    mode: server
    targets:
      - {label: primary, model: a/one}
      - {label: secondary, model: b/two}
    probes: [{kind: completion, every: 60s}]
drills:
  - {name: primary-gone, chain: chat, with: ignore}
coverage: {stale_after: 2d}
"""
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules: [{name: chain-down, when: chain_down}]
"""
EDGE = ("primary", "secondary")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "chains.yaml").write_text(CHAINS)
    (tmp_path / "alerts.yaml").write_text(ALERTS)
    return load(
        tmp_path / "chains.yaml", tmp_path / "alerts.yaml", vocabulary=vocabulary(), environ={"KEY": "k-123456789"}
    )


def samples(metrics: Metrics) -> dict[tuple[str, str, str], float]:
    """(metric, fault, state) -> value."""
    return {
        (sample.name, sample.labels["fault"], sample.labels.get("state", "")): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name.startswith("fallbackd_edge_")
    }


async def test_a_proof_outlives_a_restart_and_its_journal_and_goes_stale(config: Config, tmp_path: Path) -> None:
    clock = FakeClock(NOW)
    store = await Store.open(tmp_path / "db", clock)
    known = await Knowledge.restore(config, expand(config), store, clock)
    one = verdict(fault="ignore", tested=EDGE, failover=0.5)
    known.judged(one)
    store.add_verdict(one, b"{}", COVERAGE, known.proofs.unsaved())
    assert known.proofs.unsaved() == {}
    await store.flush()
    clock.advance(3 * 86400)
    assert await store.prune(86400.0) == 1
    await store.close()

    store = await Store.open(tmp_path / "db", clock)
    again = await Knowledge.restore(config, expand(config), store, clock)
    again.proofs.plan(aims(resolve(config), config))
    assert await store.journals() == []
    (cell,) = again.world(clock.now()).coverage[0].cells
    assert (cell.state, cell.planned, cell.at, cell.failover) == (Proof.STALE, True, NOW, 0.5)
    await store.close()


async def test_the_metrics_say_what_is_proven_and_what_is_in_the_way_of_it(config: Config, tmp_path: Path) -> None:
    clock = FakeClock(NOW)
    store = await Store.open(tmp_path / "db", clock)
    known = await Knowledge.restore(config, expand(config), store, clock)
    drills = resolve(config)
    known.proofs.plan(aims(drills, config))
    metrics = Metrics(config, expand(config), drills, "1")
    outbox = Outbox(store=store, notifiers={}, clock=clock, rng=None, observe=metrics.notice)  # type: ignore[arg-type]
    gauges = Gauges(metrics=metrics, knowledge=known, store=store, outbox=outbox, clock=clock)

    def look(fault: str = "ignore") -> tuple[float, ...]:
        gauges.refresh(config)
        found = samples(metrics)
        ways = tuple(found["fallbackd_edge_unproven", fault, state] for state in ("never", "stale", "broken"))
        return (found["fallbackd_edge_proven_timestamp_seconds", fault, ""], *ways)

    assert look() == (0.0, 1.0, 0.0, 0.0)
    known.judged(verdict(fault="ignore", tested=EDGE))
    assert look() == (NOW, 0.0, 0.0, 0.0)
    clock.advance(2 * 86400 + 1)
    assert look() == (NOW, 0.0, 1.0, 0.0)
    known.judged(verdict(fault="ignore", tested=EDGE, at=clock.now(), kind=VerdictKind.DEVIATED))
    assert look() == (NOW, 0.0, 0.0, 1.0)
    known.judged(verdict(fault="only", tested=EDGE, at=clock.now(), drill="of a matrix"))
    assert look("only") == (clock.now(), 0.0, 0.0, 0.0)
    metrics.apply(config, expand(config), drills)
    assert look("only") == (clock.now(), 0.0, 0.0, 0.0)
    await outbox.close()
    await store.close()
