"""The story of one outcome, with a scripted prober and everything else real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest

from monitor.budget import Purse, Scope
from monitor.config.loading import load
from monitor.config.model import Config
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Attempt, Health, Origin, Outcome, ProbeSpec, Reason, Status, Transition
from monitor.model import Path as ChainPath
from monitor.offering import Catalogue, ModelEntry, Price
from monitor.pipeline import Pipeline
from monitor.probes import expand
from monitor.store import Store
from monitor.vocabulary import vocabulary
from tests.fakes.clock import EagerClock, FakeClock
from tests.fakes.values import outcome

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
    health: {window: 3, down_after: 2, recover_after: 2, confirm: 2}
    budget: {usd_per_day: 1}
"""
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules: [{name: chain-down, when: chain_down}]
"""


@dataclass
class Scripted:
    """Answers each question by its key; what is not scripted is fine."""

    clock: FakeClock
    script: dict[str, list[Callable[[Outcome], Outcome]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def probe(self, spec: ProbeSpec, **_: object) -> Outcome:
        self.asked.append(spec.key)
        self.clock.advance(0.1)
        good = outcome(
            at=self.clock.now(), chain=spec.chain, probe=spec.key, kind=spec.kind,
            target=spec.target.label if spec.target else None, served_by="primary", position=0,
            path=None if spec.target else ChainPath.PRIMARY, cost=0.001,
        )  # fmt: skip
        lines = self.script.get(spec.key, [])
        return lines.pop(0)(good) if lines else good


def failed(good: Outcome) -> Outcome:
    return replace(good, status=Status.FAILED, reason=Reason.SERVER_ERROR, path=good.path and ChainPath.EXHAUSTED)


def fell_over(good: Outcome) -> Outcome:
    bad = Attempt(model="a/one", position=0, status_code=503, reason=Reason.SERVER_ERROR)
    fine = Attempt(model="b/two", position=1, status_code=200)
    return replace(good, position=1, served_by="secondary", path=ChainPath.FAILED_OVER, attempts=(bad, fine))


@dataclass
class Bench:
    pipeline: Pipeline
    prober: Scripted
    knowledge: Knowledge
    store: Store
    clock: FakeClock
    specs: dict[str, ProbeSpec]
    transitions: list[Transition]
    metrics: Metrics

    def skipped(self, reason: str) -> float | None:
        return self.metrics.registry.get_sample_value("fallbackd_runs_skipped_total", {"reason": reason})


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "chains.yaml").write_text(CHAINS)
    (tmp_path / "alerts.yaml").write_text(ALERTS)
    return load(tmp_path / "chains.yaml", tmp_path / "alerts.yaml", vocabulary=vocabulary(), environ={"KEY": "k"})


@pytest.fixture
async def bench(config: Config, tmp_path: Path) -> AsyncIterator[Bench]:
    clock = EagerClock()
    store = await Store.open(tmp_path / "db.sqlite3", clock)
    specs = expand(config)
    knowledge = Knowledge(config, specs, now=clock.now(), spent={})
    metrics = Metrics(config, specs, [], "test")
    prober, transitions = Scripted(clock), []
    entries = {
        name: ModelEntry(id=name, canonical=name, price=Price(prompt=1e-6, completion=1e-6))
        for name in ("a/one", "b/two")
    }
    pipeline = Pipeline(
        config=config, prober=prober, knowledge=knowledge, metrics=metrics, store=store,  # type: ignore[arg-type]  # scripted
        catalogue=lambda _: Catalogue(at=0, models=entries), clock=clock, rng=Random(1), changed=transitions.append,
    )  # fmt: skip
    yield Bench(pipeline, prober, knowledge, store, clock, {spec.key: spec for spec in specs}, transitions, metrics)
    await store.close()


async def test_a_good_answer_is_asked_once_counted_stored_and_learned(bench: Bench) -> None:
    await bench.pipeline.ask(bench.specs["chat:completion"])
    assert bench.prober.asked == ["chat:completion"]
    assert [one.status for one in await bench.store.outcomes()] == [Status.OK]
    assert [(one.subject.key, one.after) for one in bench.transitions] == [("chat", Health.HEALTHY)]
    answers = {"chain": "chat", "position": "0", "origin": "scheduled", "path": "primary"}
    assert bench.metrics.registry.get_sample_value("fallbackd_chain_answers_total", answers) == 1


async def test_how_long_a_failure_took_is_not_how_long_an_answer_takes(bench: Bench) -> None:
    bench.prober.script["chat:completion"] = [lambda good: replace(failed(good), duration=0.001)] * 3
    await bench.pipeline.ask(bench.specs["chat:completion"])
    assert bench.knowledge.latency("chat") is None
    bench.prober.script["chat:completion"] = [lambda good: replace(good, duration=0.25)]
    await bench.pipeline.ask(bench.specs["chat:completion"])
    bench.prober.script["chat:completion"] = [lambda good: replace(failed(good), duration=0.001)] * 3
    await bench.pipeline.ask(bench.specs["chat:completion"])
    assert bench.knowledge.latency("chat") == 0.25


async def test_a_healthy_target_does_not_make_a_chain_healthy_that_was_never_asked(bench: Bench) -> None:
    await bench.pipeline.ask(bench.specs["chat/primary:completion"])
    state = bench.knowledge.chain_state("chat")
    assert state is not None
    assert state.health is Health.UNKNOWN


async def test_a_first_failure_is_confirmed_at_once_and_a_hiccup_changes_nothing(bench: Bench) -> None:
    await bench.pipeline.ask(bench.specs["chat/primary:completion"])
    bench.prober.script["chat/primary:completion"] = [failed]
    await bench.pipeline.ask(bench.specs["chat/primary:completion"])
    assert bench.prober.asked == ["chat/primary:completion"] * 4
    assert all(0.1 <= pause <= 0.8 for pause in bench.clock.slept)
    assert Health.DOWN not in [one.after for one in bench.transitions]


async def test_a_real_outage_is_known_after_one_question_and_its_confirmation(bench: Bench) -> None:
    bench.prober.script["chat:completion"] = [failed, failed, failed]
    await bench.pipeline.ask(bench.specs["chat:completion"])
    assert [(one.subject.key, one.after) for one in bench.transitions] == [("chat", Health.DOWN)]


async def test_a_target_that_failed_on_the_way_is_asked_at_once_and_named(bench: Bench) -> None:
    await bench.pipeline.ask(bench.specs["chat/primary:completion"])
    bench.clock.advance(30)
    bench.prober.script = {"chat:completion": [fell_over], "chat/primary:completion": [failed, failed, failed]}
    await bench.pipeline.ask(bench.specs["chat:completion"])
    assert bench.prober.asked[1:] == ["chat:completion", *["chat/primary:completion"] * 3]
    state = bench.knowledge.chain_state("chat")
    assert state is not None
    assert (state.health, [trouble.label for trouble in state.troubles]) == (Health.DEGRADED, ["primary"])


async def test_over_budget_nothing_is_asked_and_the_skip_is_counted(bench: Bench) -> None:
    spent = outcome(chain="chat", at=bench.clock.now(), origin=Origin.MANUAL, cost=1.0)
    bench.pipeline.take(spent)
    await bench.pipeline.ask(bench.specs["chat:completion"])
    assert bench.prober.asked == []
    assert bench.skipped("budget") == 1


async def test_a_rate_limited_target_is_left_alone_until_its_time_has_come(bench: Bench) -> None:
    def limited(good: Outcome) -> Outcome:
        return replace(good, status=Status.FAILED, reason=Reason.RATE_LIMITED, retry_after=60.0)

    spec = bench.specs["chat/primary:completion"]
    bench.prober.script[spec.key] = [limited]
    await bench.pipeline.ask(spec)
    await bench.pipeline.ask(spec)
    assert (bench.prober.asked, bench.skipped("rate_limited")) == ([spec.key], 1)
    bench.clock.advance(61)
    await bench.pipeline.ask(spec)
    assert bench.prober.asked == [spec.key, spec.key]


async def test_knowledge_survives_a_restart(bench: Bench, config: Config) -> None:
    bench.prober.script["chat:completion"] = [failed, failed, failed]
    await bench.pipeline.ask(bench.specs["chat:completion"])
    await bench.knowledge.save(bench.store)
    again = await Knowledge.restore(config, expand(config), bench.store, bench.clock)
    before, after = bench.knowledge.chain_state("chat"), again.chain_state("chat")
    assert before is not None
    assert before == after
    own = again.spending.state(Purse(scope=Scope.CHAIN, name="chat"), bench.clock.now())
    assert own is not None
    assert own.spent == pytest.approx(0.003)
    assert not again.is_settled("chat")
