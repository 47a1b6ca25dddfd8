"""What the catalogues have shown is kept over restarts: found though nobody looked, and told once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.config.model import AlertsFile, ChainConfig, Config, EndpointConfig
from monitor.findings import Drift
from monitor.inventory import CATALOGUES, Inventory, reported, shared_unread
from monitor.offering import Catalogue, ModelEntry, Offer, Price
from monitor.offers import keep_unread
from monitor.store import Store
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.anyio

ALERTS = AlertsFile.model_validate(
    {
        "notifiers": [{"name": "log", "kind": "log"}],
        "routes": [{"notify": ["log"]}],
        "rules": [{"name": "r", "when": "chain_down"}],
    }
)


def config(providers: Any = "discover") -> Config:
    chain = {
        "name": "chat",
        "endpoint": "router",
        "mode": "server",
        "targets": [{"label": "primary", "model": "a/one", "providers": providers}],
        "probes": [{"kind": "completion", "every": "60s"}],
    }
    endpoint = EndpointConfig(dialect="openrouter", url="http://router/api/v1")
    return Config(endpoints={"router": endpoint}, chains=(ChainConfig.model_validate(chain),), drills=(), alerts=ALERTS)


def reading(*tags: str, at: float = 1.0, price: float = 1e-6, **changed: Any) -> Catalogue:
    offers = tuple(
        Offer(provider=tag.partition("/")[0], tag=tag, name=tag, price=Price(prompt=price, completion=price), **changed)
        for tag in tags
    )
    entry = ModelEntry(id="a/one", canonical="a/one-1", price=Price(), offers=offers)
    return Catalogue(at=at, models={"a/one": entry}, listed=True, offered=frozenset({"a/one"}))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "f.sqlite3", FakeClock())
    yield opened
    await opened.close()


async def test_a_change_while_fallbackd_was_down_is_found(store: Store) -> None:
    before = await Inventory.restore(store)
    before.take(config(), lambda _: reading("x", "y"), 100.0)
    await before.save(store)
    after = await Inventory.restore(store)
    after.take(config(), lambda _: reading("x", price=2e-6), 500.0)
    assert [(one.drift, one.since) for one in after.findings] == [
        (Drift.PROVIDER_LEFT, 500.0),
        (Drift.PRICE_CHANGED, 500.0),
    ]


async def test_a_finding_that_was_told_is_the_same_one_after_a_restart(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    first = await Inventory.restore(store)
    first.take(config(), lambda _: reading("x"), 100.0)
    first.take(config(), lambda _: reading("x", price=2e-6), 200.0)
    await first.save(store)
    assert "price" in capsys.readouterr().out
    second = await Inventory.restore(store)
    second.take(config(), lambda _: reading("x", price=2e-6), 900.0)
    assert [one.since for one in second.findings] == [200.0]
    assert "price" not in capsys.readouterr().out


async def test_discovered_providers_are_known_before_the_first_reading(store: Store) -> None:
    first = await Inventory.restore(store)
    assert first.expand(config()).chain("chat").targets[0].pinned == ()
    first.take(config(), lambda _: reading("x/eu", "y"), 100.0)
    await first.save(store)
    second = await Inventory.restore(store)
    assert second.expand(config()).chain("chat").targets[0].pinned == ("x", "y")


async def test_what_another_version_wrote_is_a_first_reading(store: Store) -> None:
    await store.put_states(CATALOGUES, {"router": b'{"other": 1}'})
    inventory = await Inventory.restore(store)
    inventory.take(config(), lambda _: reading("x"), 100.0)
    assert inventory.findings == ()


async def test_an_endpoint_that_is_no_longer_configured_is_forgotten(store: Store) -> None:
    inventory = await Inventory.restore(store)
    inventory.take(config(), lambda _: reading("x"), 100.0)
    await inventory.save(store)
    inventory.take(replace(config(), endpoints={}, chains=()), lambda _: Catalogue(), 200.0)
    await inventory.save(store)
    assert await store.states(CATALOGUES) == {}


async def test_an_endpoint_that_was_never_read_shows_nothing(store: Store) -> None:
    inventory = await Inventory.restore(store)
    inventory.take(config(), lambda _: Catalogue(), 100.0)
    assert inventory.findings == ()


def test_what_the_endpoint_says_is_put_in_words() -> None:
    catalogue = reading("x", uptime_last_30m=99.5)
    assert reported(config(), lambda _: catalogue) == {"chat": {"primary": "primary: x 99.5 % over 30m"}}
    worse = reading("x", status=-2)
    assert reported(config(), lambda _: worse) == {"chat": {"primary": "primary: x, status -2"}}


def test_what_no_reading_will_ever_show_is_known_from_the_config() -> None:
    targets = [
        {"label": "a", "model": "gpt-4o", "endpoint": "own"},
        {"label": "b", "model": "gpt-4o-mini", "endpoint": "own"},
        {"label": "c", "model": "openai/gpt-4o", "provider": "openai"},
    ]
    chain = {"name": "mix", "endpoint": "router", "mode": "client", "targets": targets}
    chain |= {"probes": [{"kind": "completion", "every": "60s"}]}
    own = EndpointConfig(dialect="openai_compatible", url="https://api.openai.com/v1")
    given = replace(config(), chains=(ChainConfig.model_validate(chain),))
    given = replace(given, endpoints={**given.endpoints, "own": own})
    assert shared_unread(given) == ("a and b of mix fall together: both are asked at api.openai.com",)


def test_what_could_not_be_read_stays_as_it_was() -> None:
    before = replace(reading("x", "y"), gone=frozenset({"b/two"}), providers={"X": "x"})
    unlisted = keep_unread(before, Catalogue(at=9.0, providers={"Y": "y"}))
    assert unlisted.models == before.models
    assert (unlisted.at, unlisted.gone) == (1.0, {"b/two"}), "as old as what it says of the models"
    assert unlisted.providers == {"X": "x", "Y": "y"}
    bare = ModelEntry(id="a/one", canonical="a/one-1", price=Price())
    unoffered = keep_unread(before, Catalogue(at=9.0, models={"a/one": bare}, listed=True))
    assert [one.tag for one in unoffered.models["a/one"].offers] == ["x", "y"]
    assert (unoffered.at, unoffered.gone) == (9.0, frozenset())
    emptied = keep_unread(before, replace(reading(at=9.0)))
    assert emptied.models["a/one"].offers == (), "read, and nobody serves it"
