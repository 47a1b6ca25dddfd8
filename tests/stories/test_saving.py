"""What is not asked, to save money: live traffic as evidence, shared budgets, a pace that follows what is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.budget import OVERALL, Priority, Purse, Scope
from monitor.conditions import evaluate
from monitor.config.loading import load
from monitor.config.model import Config, RuleConfig
from monitor.knowledge import Knowledge
from monitor.model import Health, Origin, ProbeSpec, Reason, Status
from monitor.model import Path as ChainPath
from monitor.probes import expand
from monitor.store import Store
from monitor.vocabulary import vocabulary
from tests.fakes.clock import FakeClock
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
      - {label: primary, model: a/one, providers: [groq], timeout: 1s}
      - {label: secondary, model: b/two, timeout: 1s}
    probes:
      - {kind: completion, every: 60s, passive: true}
      - {kind: stream, every: 60s, of: [targets], passive: true}
  - name: paced
    endpoint: router
    mode: server
    targets:
      - {label: first, model: a/one, timeout: 1s}
      - {label: second, model: b/two, timeout: 1s}
    pace: {slowest: 8m, fastest: 15s}
    probes: [{kind: completion, every: 60s}]
budgets: {usd_per_day: 2, providers: {groq: {usd_per_day: 0.5}}}
"""
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules: [{name: chain-down, when: chain_down}]
"""
STALE = RuleConfig.model_validate({"name": "stale", "when": "probe_stale"})
BROKE = RuleConfig.model_validate({"name": "broke", "when": "budget_exhausted"})


class Known:
    """Knowledge at a time that the test moves."""

    def __init__(self, config: Config, clock: FakeClock) -> None:
        self.clock = clock
        self.specs = {spec.key: spec for spec in expand(config)}
        self.knowledge = Knowledge(config, tuple(self.specs.values()), now=clock.now(), spent={})

    def permitted(self, key: str, estimate: float | None = 0.0) -> tuple[bool, str]:
        return self.knowledge.permit(self.specs[key], estimate, self.clock.now())

    def take(self, **changes: object) -> None:
        self.knowledge.learn(outcome(**{"at": self.clock.now(), "cost": 0.0, **changes}))

    def answered(self, spec: ProbeSpec, status: Status = Status.OK) -> None:
        target = spec.target
        self.take(
            chain=spec.chain, probe=spec.key, kind=spec.kind, target=target.label if target else None, status=status,
            reason=Reason.NONE if status is Status.OK else Reason.TIMEOUT,
        )  # fmt: skip

    def fires(self, rule: RuleConfig) -> list[tuple[str, str]]:
        found = evaluate([rule], self.knowledge.world(self.clock.now()), self.clock.now())
        return [(one.chain, one.subject) for one in found]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "chains.yaml").write_text(CHAINS)
    (tmp_path / "alerts.yaml").write_text(ALERTS)
    return load(tmp_path / "chains.yaml", tmp_path / "alerts.yaml", vocabulary=vocabulary(), environ={"KEY": "k"})


@pytest.fixture
def known(config: Config) -> Known:
    return Known(config, FakeClock())


LIVE = {"origin": Origin.LIVE, "probe": "live", "kind": "completion"}


@pytest.mark.parametrize(
    ("live", "shown"),
    [
        ({"target": "primary"}, {"chat/primary:completion"}),
        ({"target": "primary", "first_token": 0.1}, {"chat/primary:completion", "chat/primary:stream"}),
        ({"served_by": "primary"}, {"chat:completion", "chat/primary:completion"}),
        ({"served_by": "secondary", "path": ChainPath.FAILED_OVER}, {"chat:completion", "chat/secondary:completion"}),
        (
            {"served_by": "primary", "served_provider": "Groq"},
            {"chat:completion", "chat/primary:completion", "chat/primary@groq:completion"},
        ),
        ({"target": "primary", "status": Status.FAILED, "reason": Reason.TIMEOUT}, set()),
        ({"target": "primary", "status": Status.DEGRADED, "reason": Reason.TOO_SLOW}, set()),
        ({"target": "primary", "origin": Origin.DRILL}, set()),
        ({"target": "primary", "origin": Origin.SCHEDULED}, set()),
    ],
)
def test_whoever_answered_live_traffic_is_not_asked_as_well(known: Known, live: dict[str, object], shown: set[str]):
    known.take(**{**LIVE, **live})
    passive = [key for key, spec in known.specs.items() if spec.passive]
    assert {key for key in passive if known.permitted(key) == (False, "passive")} == shown
    known.clock.advance(60)
    assert all(known.permitted(key)[0] for key in passive)


def test_a_question_that_is_not_passive_is_asked_whatever_the_traffic(known: Known):
    known.take(**LIVE, chain="paced", target="first", served_by="first")
    assert known.permitted("paced/first:completion") == (True, "")


def test_a_silence_for_live_traffic_is_not_stale(known: Known):
    asked = [spec for spec in known.specs.values() if spec.key != "chat/primary:completion"]
    for _ in range(20):
        known.clock.advance(30)
        known.take(**LIVE, target="primary")
        for spec in asked:
            known.answered(spec)
        assert known.permitted("chat/primary:completion") == (False, "passive")
        assert known.fires(STALE) == []
    known.clock.advance(61)
    for spec in asked:
        known.answered(spec)
    assert known.permitted("chat/primary:completion") == (True, "")
    assert known.fires(STALE) == []
    known.clock.advance(400)
    for spec in asked:
        known.answered(spec)
    assert known.fires(STALE) == [("chat", "")]


def test_a_providers_budget_stops_who_is_pinned_to_it_and_who_it_answered_last(known: Known):
    pinned, own, other = "chat/primary@groq:completion", "chat/primary:completion", "chat/secondary:completion"
    known.take(target="primary", probe=own, served_provider="Groq", cost=0.49)
    assert [known.permitted(key, 0.02) for key in (pinned, own, other)] == [
        (False, "budget"), (False, "budget"), (True, ""),
    ]  # fmt: skip
    assert known.fires(BROKE) == [("chat", "provider groq")]
    known.take(target="primary", probe=own, served_provider="Together", cost=0.0)
    assert known.permitted(own, 0.02) == (True, "")


def test_the_budget_of_all_chains_stops_each_of_them_and_resumes_at_midnight(known: Known):
    known.take(origin=Origin.MANUAL, probe="by hand", cost=1.95)
    assert known.permitted("chat:completion", 0.01) == (True, "")
    assert known.permitted("paced/first:completion", 0.01) == (False, "budget")
    assert known.fires(BROKE) == [("chat", str(OVERALL)), ("paced", str(OVERALL))]
    (overall, _) = known.knowledge.spending.shared(known.clock.now())
    assert (overall.purse, overall.stopped) == (OVERALL, {Priority.PROVIDER, Priority.TARGET})
    assert known.knowledge.spending.remaining("chat", known.clock.now()) == pytest.approx(0.05)
    known.clock.advance(overall.resumes - known.clock.now())
    assert known.permitted("paced/first:completion", 0.01) == (True, "")
    assert known.fires(BROKE) == []


async def test_what_was_spent_survives_a_restart(config: Config, tmp_path: Path):
    clock = FakeClock()
    store = await Store.open(tmp_path / "db.sqlite3", clock)
    known = Known(config, clock)
    known.take(target="primary", served_provider="Groq", cost=0.4)
    await known.knowledge.save(store)
    store.add_outcome(outcome(chain="paced", at=clock.now(), cost=1.0))
    again = await Knowledge.restore(config, expand(config), store, clock)
    spent = {one.purse: one.spent for one in again.spending.shared(clock.now())}
    assert spent == {OVERALL: 1.0, Purse(scope=Scope.PROVIDER, name="groq"): 0.4}
    clock.advance(86400)
    fresh = await Knowledge.restore(config, expand(config), store, clock)
    assert [one.spent for one in fresh.spending.shared(clock.now())] == [0.0, 0.0]
    await store.close()


def test_the_pace_follows_the_health_and_staleness_follows_the_pace(known: Known):
    rhythm, spec = known.knowledge.rhythm, known.specs["paced/first:completion"]
    others = [one for one in known.specs.values() if one.chain == "paced" and one is not spec]
    for one in (spec, *others):
        known.answered(one)
    known.clock.advance(4 * 3600)
    for one in (spec, *others):
        known.answered(one)
        assert rhythm.decide(one, known.clock.now()).interval == 480
    known.clock.advance(1000)
    assert [one for one in known.fires(STALE) if one[0] == "paced"] == []
    for one in others:
        known.answered(one)
    known.answered(spec, Status.FAILED)
    assert rhythm.decide(spec, known.clock.now()).interval == 15
    for _ in range(2):
        known.answered(spec, Status.FAILED)
    state = known.knowledge.chain_state("paced")
    assert state is not None
    assert state.health is Health.DEGRADED
    assert rhythm.decide(others[0], known.clock.now()).interval == 60, "its neighbours carry the load now"


def test_becoming_faster_is_no_silence(known: Known):
    rhythm, spec = known.knowledge.rhythm, known.specs["paced:completion"]
    known.answered(spec)
    for target in ("paced/first:completion", "paced/second:completion"):
        known.answered(known.specs[target])
    known.clock.advance(5 * 3600)
    known.answered(spec)
    assert rhythm.decide(spec, known.clock.now()).interval == 480
    known.clock.advance(470)
    for _ in range(3):
        known.answered(known.specs["paced/first:completion"], Status.FAILED)
    assert rhythm.decide(spec, known.clock.now()).interval == 60
    view = next(one for one in rhythm.views() if one.key == spec.key)
    assert (view.every, view.started) == (60, known.clock.now())
