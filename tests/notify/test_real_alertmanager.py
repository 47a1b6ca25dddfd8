"""What Debian's real Alertmanager makes of our alerts."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from monitor.clock import SystemClock
from monitor.model import Severity
from monitor.notify import NOTIFIERS
from tests.e2e.daemon import until
from tests.fakes.receiver import Receiver
from tests.fakes.values import notice, resolved

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.needs("prometheus-alertmanager")]


@pytest.fixture
async def people() -> AsyncIterator[Receiver]:
    """Whom Alertmanager tells."""
    async with Receiver() as made:
        made.status = 200
        yield made


@pytest.fixture
async def alertmanager(tmp_path: Path, people: Receiver) -> AsyncIterator[str]:
    config = tmp_path / "alertmanager.yml"
    config.write_text(
        "route: {receiver: people, group_by: [alertname, chain], group_wait: 100ms, group_interval: 100ms}\n"
        f"receivers: [{{name: people, webhook_configs: [{{url: '{people.url}/'}}]}}]\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [f"--config.file={config}", f"--storage.path={tmp_path / 'am'}", "--cluster.listen-address="]
    with (tmp_path / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            ["prometheus-alertmanager", *arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log
        )
    base = f"http://127.0.0.1:{port}"
    try:
        await until(lambda: _get(f"{base}/-/ready"), "alertmanager is ready")
        yield base
    finally:
        process.send_signal(signal.SIGTERM)
        await anyio.to_thread.run_sync(process.wait)


async def _get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(url)).raise_for_status()


async def _alerts(base: str) -> dict[tuple[str, str], dict[str, Any]]:
    found = (await _get(f"{base}/api/v2/alerts")).json()
    return {(one["labels"]["alertname"], one["labels"]["severity"]): one for one in found}


async def test_an_incident_fires_changes_and_resolves_there(alertmanager: str, people: Receiver) -> None:
    kind, now = NOTIFIERS["alertmanager"], time.time()
    notifier = kind.build("am", kind.settings.model_validate({"url": alertmanager}), {}, SystemClock())
    told = notice(at=now, since=now - 30, until=now + 9000, link="http://127.0.0.1:9469/", severity=Severity.WARNING)
    try:
        ref = await notifier.deliver(told, None)
        firing = (await _alerts(alertmanager))["chain-down", "warning"]
        assert firing["status"]["state"] in ("active", "unprocessed")
        assert firing["annotations"]["summary"] == "chat is down"
        assert firing["generatorURL"] == "http://127.0.0.1:9469/"
        await until(lambda: _told(people, "firing"), "alertmanager told people")

        worse = notice(at=now, since=now - 30, until=now + 9000)
        ref = await notifier.deliver(worse, ref)
        assert set(await _alerts(alertmanager)) == {("chain-down", "critical")}

        await notifier.deliver(resolved(at=time.time(), since=now - 30), ref)
        assert await _alerts(alertmanager) == {}
        await until(lambda: _told(people, "resolved"), "alertmanager told people that it is over")
    finally:
        await notifier.close()


async def test_the_watchdog_fires_there_and_ends_by_itself(alertmanager: str) -> None:
    kind = NOTIFIERS["alertmanager"]
    settings = kind.settings.model_validate({"url": alertmanager, "watchdog": True, "watchdog_every": "1s"})
    notifier: Any = kind.build("am", settings, {}, SystemClock())
    try:
        await notifier.beat()
    finally:
        await notifier.close()
    assert ("Watchdog", "none") in await _alerts(alertmanager)
    await until(lambda: _empty(alertmanager), "the watchdog resolves when nobody renews it")


async def _empty(base: str) -> bool:
    return not await _alerts(base)


async def _told(people: Receiver, status: str) -> bool:
    return any(one.json["status"] == status for one in people.requests)
