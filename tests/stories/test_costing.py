"""What a day costs, at most and when all is well."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.drills import resolve
from monitor.commands.costing import Line, at_provider, lines, total
from monitor.config.loading import load
from monitor.config.model import Config
from monitor.offering import Catalogue, ModelEntry, Offer, Price
from monitor.vocabulary import vocabulary

CHAINS = """
endpoints:
  router: {dialect: openrouter, url: "http://127.0.0.1:9/api/v1", credential_env: KEY}
chains:
  - name: chat
    endpoint: router
    mode: server
    targets:
      - {label: primary, model: a/one, providers: [groq]}
      - {label: secondary, model: b/two}
    probes:
      - {kind: completion, every: 60s, of: [chain], pace: {fastest: 15s, slowest: 4m}}
      - {kind: completion, every: 5m, of: [targets], passive: true}
      - {kind: stream, every: 1h, of: [providers]}
  - name: dark
    endpoint: router
    mode: client
    targets: [{label: unlisted, model: x/y}]
    probes: [{kind: completion, every: 1d, of: [targets]}]
drills:
  - {name: sixhourly, chain: chat, every: 6h, with: ignore, requests: 2}
  - {name: workdays, chain: chat, cron: "0 9 * * mon-fri", with: ignore, requests: 2}
  - {name: by-hand, chain: chat, with: ignore, requests: 2}
budgets: {providers: {groq: {usd_per_day: 1}, router: {usd_per_day: 1}}}
"""
ALERTS = "notifiers: [{name: log, kind: log}]\nroutes: [{notify: [log]}]\nrules: [{name: down, when: chain_down}]\n"
ONE, TWO = Price(prompt=1e-6, completion=1e-5), Price(prompt=1e-5, completion=1e-4)


def entry(name: str, price: Price, **more: object) -> ModelEntry:
    return ModelEntry(id=name, canonical=name, price=price, **more)  # type: ignore[arg-type]  # as the fields are named


GROQ = Offer(provider="groq", tag="groq", name="Groq", price=TWO)
CATALOGUE = Catalogue(at=1.0, models={"a/one": entry("a/one", ONE, offers=(GROQ,)), "b/two": entry("b/two", TWO)})


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "chains.yaml").write_text(CHAINS)
    (tmp_path / "alerts.yaml").write_text(ALERTS)
    return load(tmp_path / "chains.yaml", tmp_path / "alerts.yaml", vocabulary=vocabulary(), environ={"KEY": "k"})


@pytest.fixture
def day(config: Config) -> dict[tuple[str, str, str], Line]:
    found = lines(config, resolve(config), lambda *_: CATALOGUE)
    return {(line.chain, line.asked, line.kind): line for line in found}


def test_a_pace_gives_a_range_and_the_usual_day_is_the_slow_one(day):
    line = day["chat", "end to end", "completion"]
    assert (line.usual, line.most) == (360, 5760)
    assert (line.every, line.fastest, line.slowest, line.passive) == (60, 15, 240, False)
    assert day["chat", "primary", "completion"].passive
    assert day["chat", "primary", "completion"].most == 288


def test_what_is_expected_is_less_than_the_most(day):
    for line in day.values():
        if line.usd_most and line.usd_usual is not None:
            assert 0 < line.usd_usual < line.usd_most


def test_a_pinned_question_is_priced_at_its_provider(day):
    pinned, plain = day["chat", "primary@groq", "stream"], day["chat", "primary", "completion"]
    assert pinned.usd_usual / pinned.usual > 10 * plain.usd_usual / plain.usual


@pytest.mark.parametrize(
    ("drill", "usual", "most"), [("sixhourly", 16, 32), ("workdays", 4 * 5 / 7, 8 * 5 / 7), ("by-hand", 0, 0)]
)
def test_drills_are_counted_by_how_often_they_run(day, drill, usual, most):
    line = day["chat", "end to end", f"drill {drill}"]
    assert (line.usual, line.most) == (pytest.approx(usual), pytest.approx(most))


def test_an_unknown_price_is_said_and_counted_as_nothing(day):
    dark = total(line for line in day.values() if line.chain == "dark")
    assert (dark.unknown, dark.usd_most, dark.usd_usual, dark.most) == (1, 0.0, 0.0, 1.0)


def test_a_providers_budget_pays_for_what_is_pinned_to_it(config, day):
    assert [line.asked for line in at_provider("groq", day.values(), config)] == ["primary@groq"]
    assert {line.asked for line in at_provider("router", day.values(), config)} == {
        "primary", "secondary", "primary@groq", "unlisted",
    }  # fmt: skip
