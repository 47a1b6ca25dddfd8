"""What alerting remembers is on disk before anybody is told, and is there again after a crash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.alarm import Alarm
from monitor.conditions import Itself, World
from monitor.health import ChainState
from monitor.metrics import Metrics
from monitor.model import Health, NoticeCause
from monitor.store import Store
from tests.fakes.clock import FakeClock
from tests.metrics.metric_samples import config

pytestmark = pytest.mark.anyio


class Seen:
    """What is known, made up: the named chains are down."""

    def __init__(self, *down: str) -> None:
        self.down = set(down)

    def world(self, now: float) -> World:
        states = {
            name: ChainState(chain=name, health=Health.DOWN if name in self.down else Health.HEALTHY, since=now)
            for name in ("chat", "spare")
        }
        return World(chains=states, settled=frozenset(states))

    async def save(self, store: Store) -> None:
        pass


def alarm_over(store: Store, clock: FakeClock, seen: Seen, itself=Itself) -> Alarm:
    metrics = Metrics(config(), (), (), "0")
    return Alarm(
        config=config(), knowledge=seen, store=store, metrics=metrics, clock=clock, told=lambda: None, itself=itself
    )


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[list[Store]]:
    """The first one is open; each ``open_again`` is what a new process finds after a ``kill -9`` of the last."""
    opened: list[Store] = [await Store.open(tmp_path / "db.sqlite3", FakeClock())]
    yield opened
    for store in opened:
        await store.close()


async def open_again(stores: list[Store], tmp_path: Path) -> Store:
    stores.append(await Store.open(tmp_path / "db.sqlite3", FakeClock()))
    return stores[-1]


async def test_an_incident_its_acknowledgement_and_its_notice_survive_a_crash(
    stores: list[Store], tmp_path: Path
) -> None:
    clock, seen = FakeClock(), Seen("chat")
    alarm = alarm_over(stores[0], clock, seen)
    await alarm.look()
    (incident,) = alarm.incidents
    assert await alarm.acknowledge("nothing", by="ada") is None
    assert (await alarm.acknowledge(incident.id, by="ada")).acknowledged.by == "ada"
    await alarm.look()
    store = await open_again(stores, tmp_path)
    (waiting,) = store.waiting("log")
    assert (waiting.cause, waiting.incident) == (NoticeCause.ACKNOWLEDGED, incident.id)
    again = alarm_over(store, clock, seen)
    await again.restore()
    assert [(one.id, one.acknowledged.by) for one in again.incidents] == [(incident.id, "ada")]
    clock.advance(5 * 3600)
    await again.look()
    assert again.reasons() == {"chain-down:chat": ("taken_on",)}


async def test_a_silenced_incident_stays_silenced_after_a_crash(stores: list[Store], tmp_path: Path) -> None:
    clock, seen = FakeClock(), Seen("chat")
    alarm = alarm_over(stores[0], clock, seen)
    await alarm.look()
    (incident,) = alarm.incidents
    assert await alarm.silence_incident("nothing", seconds=60, why="", by="ada") is None
    made = await alarm.silence_incident(incident.id, seconds=3600, why="known", by="ada")
    assert (made.incident, made.chain) == (incident.id, "chat")
    again = alarm_over(await open_again(stores, tmp_path), clock, seen)
    await again.restore()
    await again.look()
    assert again.reasons() == {"chain-down:chat": ("silenced",)}
    seen.down.add("spare")
    await again.look()
    assert again.reasons()["chain-down:spare"] == ("first",), "another incident is heard of"


async def test_real_trouble_during_a_drill_is_told_and_says_that_one_is_under_way(stores: list[Store]) -> None:
    alarm = alarm_over(stores[0], FakeClock(), Seen("chat"), itself=lambda: Itself(drills={"chat": ("primary-gone",)}))
    await alarm.look()
    (notice,) = stores[0].waiting("log")
    assert dict(notice.facts)["drill under way"].startswith("primary-gone; its questions do not count")
