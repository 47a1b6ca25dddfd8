"""When the catalogue changes its mind about a capability, the target is judged again at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from monitor.config.loading import load
from monitor.health import lacks
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Health, Target, Transition
from monitor.offering import Catalogue, ModelEntry, Price
from monitor.pipeline import Pipeline
from monitor.probes import Prober, expand
from monitor.store import Store
from monitor.vocabulary import vocabulary
from tests.fakes.clock import EagerClock, FakeClock

pytestmark = pytest.mark.anyio

CHAINS = """
endpoints:
  router: {dialect: openrouter, url: "http://127.0.0.1:9/api/v1", credential_env: KEY}
chains:
  - name: chat
    endpoint: router
    mode: client
    needs: [vision, budget]
    targets: [{label: primary, model: a/one}, {label: secondary, model: b/two}]
    probes: [{kind: completion, every: 60s, of: [chain]}]
    budget: {usd_per_day: 0}
"""
ALERTS = "notifiers: [{name: log, kind: log}]\nroutes: [{notify: [log]}]\nrules: [{name: down, when: chain_down}]\n"
CHEAP, DEAR = Price(prompt=1e-7, completion=1e-7), Price(prompt=1e-4, completion=1e-4)


class Bench:
    """A pipeline on a catalogue that the test writes. Whoever is asked refuses: 404."""

    def __init__(self, folder: Path, store: Store, clock: FakeClock) -> None:
        (folder / "chains.yaml").write_text(CHAINS)
        (folder / "alerts.yaml").write_text(ALERTS)
        config = load(folder / "chains.yaml", folder / "alerts.yaml", vocabulary=vocabulary(), environ={"KEY": "k"})
        self.asked = 0
        self.catalogue = Catalogue()
        self.specs = expand(config)
        self.transitions: list[Transition] = []
        self.knowledge = Knowledge(config, self.specs, now=clock.now(), spent={})
        prober = Prober(
            config=config, transport=lambda _: httpx.MockTransport(self._refuse), catalogue=lambda _: self.catalogue,
            clock=clock, rng=Random(1),
        )  # fmt: skip
        self.pipeline = Pipeline(
            config=config, prober=prober, knowledge=self.knowledge, metrics=Metrics(config, self.specs, [], "1"),
            store=store, catalogue=lambda _: self.catalogue, clock=clock, rng=Random(2),
            changed=self.transitions.append, taken=lambda _: None,
        )  # fmt: skip

    def _refuse(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(404)

    async def read(self, **prices_and_words: Any) -> None:
        """A reading: for each model its price and what it takes."""
        self.catalogue = Catalogue(
            at=1.0,
            models={
                f"{name[0]}/{name[2:]}": ModelEntry(
                    id=f"{name[0]}/{name[2:]}", canonical="", price=price, modalities=frozenset(words.split())
                )
                for name, (price, words) in prices_and_words.items()
            },
        )
        await self.pipeline.recheck(self.specs)

    def target(self, label: str) -> Target:
        return next(one for one in self.knowledge.targets("chat") if one.label == label)

    def lacks(self, label: str) -> tuple[str, ...]:
        return lacks(self.knowledge.target_state(self.target(label)))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = EagerClock()
    store = await Store.open(tmp_path / "db.sqlite3", clock)
    yield Bench(tmp_path, store, clock)
    await store.close()


async def test_a_price_that_rises_above_the_ceiling_and_falls_again(bench: Bench) -> None:
    await bench.read(a_one=(CHEAP, "text image"), b_two=(CHEAP, "text image"))
    assert not bench.transitions, "there is nothing yet to compare with"
    await bench.read(a_one=(CHEAP, "text image"), b_two=(DEAR, "text image"))
    assert (bench.lacks("primary"), bench.lacks("secondary")) == ((), ("budget",))
    state = bench.knowledge.target_state(bench.target("secondary"))
    assert state is not None
    assert state.health is Health.DEGRADED
    assert state.detail.startswith("missing_capability (budget): not asked: a million tokens of b/two cost USD 100.00")
    await bench.read(a_one=(CHEAP, "text image"), b_two=(CHEAP, "text image"))
    assert bench.lacks("secondary") == ()
    assert bench.asked == 0, "all of that is free, also where nothing may be spent"


async def test_an_ability_that_the_catalogue_takes_away_is_gone_at_once(bench: Bench) -> None:
    await bench.read(a_one=(CHEAP, "text image"), b_two=(CHEAP, "text image"))
    await bench.read(a_one=(CHEAP, "text"), b_two=(CHEAP, "text image"))
    assert bench.lacks("primary") == ("vision",)
    before = len(bench.transitions)
    await bench.read(a_one=(CHEAP, "text"), b_two=(CHEAP, "text image"))
    assert len(bench.transitions) == before, "nothing has changed"
    assert bench.asked == 0


async def test_nothing_is_compared_with_a_catalogue_that_was_never_read(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    original: Callable[..., Any] = bench.pipeline.ask

    async def ask(spec: Any) -> None:
        asked.append(spec.key)
        await original(spec)

    monkeypatch.setattr(bench.pipeline, "ask", ask)
    await bench.pipeline.recheck(bench.specs)
    await bench.read(a_one=(DEAR, "text"), b_two=(CHEAP, "text image"))
    assert asked == ["chat/primary:vision", "chat/primary:budget"]
