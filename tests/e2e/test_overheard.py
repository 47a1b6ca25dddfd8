"""Traffic through a gateway in a process of its own: the daemon learns of it and tells, whoever was killed."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from chaos.sandbox import Sandbox
from tests.e2e.apart import Apart
from tests.e2e.configs import QUIET
from tests.e2e.daemon import Daemon, until
from tests.fakes.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HAIKU, MINI = "anthropic/claude-haiku-4.5", "openai/gpt-4o-mini"
KEY = "sk-or-v1-overheard0123456789abcd"

CHAINS = f"""
endpoints:
  there: {{{{dialect: openrouter, url: "{{url}}", credential_env: KEY_OF_THE_TEST}}}}
chains:
  - name: listed
    endpoint: there
    mode: server
    targets: [{{{{label: primary, model: {HAIKU}, timeout: 5s}}}}, {{{{label: secondary, model: {MINI}, timeout: 5s}}}}]
    probes: [{{{{kind: completion, every: 10m}}}}]
gateway:
  endpoint: there
  separate: true
  listen: "127.0.0.1:{{listen}}"
  control: "127.0.0.1:{{control}}"
"""
RULE = "{name: falls-back, when: fallback_rate, window: 10m, above: 20%, min_samples: 10}"
ALERTS = f"{QUIET.rstrip()}\n  - {RULE}\n"


@pytest.fixture
async def scene(
    make_daemon: Callable[..., Daemon], sandbox: tuple[Sandbox, str]
) -> AsyncIterator[tuple[Daemon, Apart, str]]:
    """The daemon, the gateway beside it, and where the endpoint is broken. Both processes are up."""
    ports = {"listen": free_port(), "control": free_port()}
    daemon = make_daemon(CHAINS.format(url=sandbox[1], **ports), ALERTS, KEY_OF_THE_TEST=KEY)
    apart = Apart(daemon, **ports, key=KEY, named={"models": [HAIKU, MINI]})
    try:
        await apart.ready()
        await daemon.start("--mute", sandbox=False)
        yield daemon, apart, sandbox[0].control_url
    finally:
        apart.kill()


async def overheard(daemon: Daemon, count: int) -> list[dict[str, Any]]:
    """The live outcomes that the daemon knows, once there are so many."""

    async def there() -> Any:
        found = (await daemon.get("/api/v1/outcomes?origin=live&limit=200"))["outcomes"]
        return len(found) >= count and found

    found: list[dict[str, Any]] = await until(there, f"the daemon knows of {count} exchanges")
    return found


async def test_a_daemon_that_was_killed_has_missed_nothing_and_counts_nothing_twice(
    scene: tuple[Daemon, Apart, str],
) -> None:
    daemon, apart, _ = scene
    for _ in range(3):
        assert await apart.ask() == 200
    first = await overheard(daemon, 3)
    assert {(one["chain"], one["origin"], one["path"]) for one in first} == {("listed", "live", "primary")}
    await daemon.stop(signal.SIGKILL)
    for _ in range(2):
        assert await apart.ask() == 200
    await daemon.start("--mute", sandbox=False)
    assert len({one["id"] for one in await overheard(daemon, 5)}) == 5
    assert await daemon.metric("fallbackd_probes_total", origin="live") == 0  # the gateway has counted them
    assert await apart.metric("fallbackd_probes_total", origin="live") == 5


async def test_a_fallback_rate_of_real_traffic_is_an_alert_though_another_process_passes_it(
    scene: tuple[Daemon, Apart, str],
) -> None:
    daemon, apart, control = scene
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.post(f"{control}/control/breaks", json={"model": HAIKU, "with": "unavailable"})
        assert reply.status_code == 201, reply.text
    for _ in range(20):
        assert await apart.ask() == 200
    paths = {one["path"] for one in await overheard(daemon, 20)}
    assert paths <= {"fell_back", "failed_over"}  # which of them is looked up after a while

    async def firing() -> Any:
        alerts = (await daemon.get("/api/v1/alerts"))["alerts"]
        return any(one["alert"] == "falls-back" and one["state"] == "firing" for one in alerts)

    await until(firing, "the daemon alerts")
