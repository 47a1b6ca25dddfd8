"""The dead man's switch beats while questions get results, and only then."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from monitor.conditions import ProbeView
from monitor.config.model import AlertsFile, Config
from monitor.heartbeat import STORE_LAG, Heartbeat, is_watching
from monitor.notify.alertmanager import AlertmanagerSettings
from tests.fakes.clock import FakeClock
from tests.fakes.receiver import Receiver

pytestmark = pytest.mark.anyio


def probe(**changed) -> ProbeView:
    return ProbeView(**{"key": "chat:completion", "chain": "chat", "every": 60.0, "started": 0.0, **changed})


@pytest.mark.parametrize(
    ("probes", "lag", "now", "expected"),
    [
        ([probe()], 0.0, 180.0, True),
        ([probe()], 0.0, 181.0, False),
        ([probe(last=900.0)], 0.0, 1000.0, True),
        ([probe(last=900.0)], 0.0, 1081.0, False),
        ([probe(last=900.0, deadline=30.0)], 0.0, 1110.0, True),
        ([probe(), probe(last=900.0)], 0.0, 1000.0, True),
        ([probe(paused=True)], 0.0, 1000.0, True),
        ([probe(paused=True), probe()], 0.0, 1000.0, False),
        ([probe(last=1000.0)], STORE_LAG + 1, 1000.0, False),
        ([], 0.0, 1000.0, True),
    ],
)
async def test_when_something_is_watched(probes, lag, now, expected):
    assert is_watching(probes, lag, now) is expected


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        yield made


def config(receiver: Receiver) -> Config:
    alerts = AlertsFile.model_validate(
        {
            "notifiers": [{"name": "am", "kind": "alertmanager"}],
            "routes": [{"notify": ["am"]}],
            "rules": [{"name": "down", "when": "chain_down"}],
            "heartbeat": {"url_env": "U", "every": "60s"},
        }
    )
    settings = AlertmanagerSettings.model_validate({"url": receiver.url, "watchdog": True, "watchdog_every": "30s"})
    notifier = alerts.notifiers[0].model_copy(update={"settings": settings})
    secrets = {"heartbeat/url": SecretStr(f"{receiver.url}/ping/secret")}
    alerts = alerts.model_copy(update={"notifiers": (notifier,)})
    return Config(endpoints={}, chains=(), drills=(), alerts=alerts, secrets=secrets)


def paths(receiver: Receiver) -> list[str]:
    return sorted(f"{one.method} {one.path}" for one in receiver.requests)


async def test_it_beats_while_watching_and_falls_silent_when_not(receiver):
    clock, watching = FakeClock(), [True]
    heart = Heartbeat(config=config(receiver), clock=clock, watching=lambda: watching[0])
    await heart.beat()
    assert paths(receiver) == ["GET /ping/secret", "POST /api/v2/alerts"]
    await heart.beat()
    assert len(receiver.requests) == 2
    clock.advance(30)
    await heart.beat()
    assert paths(receiver).count("POST /api/v2/alerts") == 2
    watching[0] = False
    clock.advance(600)
    await heart.beat()
    assert len(receiver.requests) == 3
    watching[0] = True
    await heart.beat()
    assert len(receiver.requests) == 5
    await heart.close()


async def test_a_receiver_that_is_away_disturbs_nobody(receiver, capsys):
    clock = FakeClock()
    told: list[tuple[str, bool, float]] = []
    heart = Heartbeat(config=config(receiver), clock=clock, watching=lambda: True, told=lambda *beat: told.append(beat))
    begun = clock.now()
    receiver.status = 503
    await heart.beat()
    clock.advance(60)
    receiver.status = 200
    await heart.beat()
    await heart.close()
    assert len(receiver.requests) == 4
    assert sorted(told) == [
        ("am", False, begun), ("am", True, begun + 60), ("heartbeat", False, begun), ("heartbeat", True, begun + 60),
    ]  # fmt: skip
    assert "secret" not in "".join(capsys.readouterr())
