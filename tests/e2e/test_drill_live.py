"""Drills on live traffic: a share of real calls is broken beside an equal control group, and harm ends it at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from openai import APIError, AsyncOpenAI

from chaos.sandbox import Sandbox
from tests.e2e.configs import QUIET
from tests.e2e.daemon import Daemon, until
from tests.fakes.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

FAST, STEADY = "mistralai/mistral-small-3.2-24b-instruct", "google/gemini-2.5-flash"
KEY = "sk-or-v1-live0123456789abcdefghij"

CHAINS = """
endpoints:
  there: {{dialect: openrouter, url: "{url}", credential_env: KEY_OF_THE_TEST}}
chains:
  - name: walked
    endpoint: there
    mode: client
    targets: [{{label: fast, model: {fast}, timeout: 5s}}, {{label: steady, model: {steady}, timeout: 5s}}]
    probes: [{{kind: completion, every: 1s}}]
drills:
  - name: live
    chain: walked
    with: {fault}
    requests: 1
    max_duration: 100s
    live: {{percent: 40%, for: {lasts}, samples: 10, failures: 20%, patience: 1s}}
gateway:
  endpoint: there
  listen: "127.0.0.1:{listen}"
  control: "127.0.0.1:0"
  live: {{walked: {{percent: 50%, max_in_flight: 20}}}}
"""


async def start(make_daemon: Callable[..., Daemon], url: str, **settings: str) -> tuple[Daemon, str]:
    """The daemon, once it is content, and the base URL for applications."""
    listen = free_port()
    given = {"fault": "unavailable", "lasts": "60s"} | settings
    daemon = make_daemon(
        CHAINS.format(url=url, fast=FAST, steady=STEADY, listen=listen, **given), QUIET, KEY_OF_THE_TEST=KEY
    )
    await daemon.start("--mute", sandbox=False)

    async def ready() -> bool:
        chains = (await daemon.get("/api/v1/chains"))["chains"]
        return all(target["health"] == "healthy" for chain in chains for target in chain["targets"])

    await until(ready, "the daemon is ready")
    return daemon, f"http://127.0.0.1:{listen}/v1"


async def application(base: str, models: list[str], count: itertools.count[int]) -> None:
    """Calls without end, each another question, each model once."""
    async with AsyncOpenAI(base_url=base, api_key=KEY, max_retries=0, timeout=10) as client:
        while True:
            ask: Any = [{"role": "user", "content": f"question {next(count)}"}]
            for model in models:
                try:
                    await client.chat.completions.create(model=model, messages=ask)
                except APIError:
                    continue
                break


async def run(daemon: Daemon) -> tuple[dict[str, Any], dict[str, Any]]:
    """The verdict and the journal."""
    reply = await daemon.post("/api/v1/drills/live/runs")
    assert reply.status_code == 202, reply.text

    async def finished() -> Any:
        found = await daemon.get(f"/api/v1/drills/runs/{reply.json()['run']}")
        return found["state"] == "finished" and found

    found = await until(finished, "the run has ended", seconds=150)
    print(found["text"])
    return found["verdict"], found["journal"]


async def with_traffic(daemon: Daemon, base: str, models: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    count = itertools.count()
    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(application, base, models, count)
        found = await run(daemon)
        tasks.cancel_scope.cancel()
    return found


async def test_calls_that_fall_back_do_as_well_as_the_control_group(
    make_daemon: Callable[..., Daemon], sandbox: tuple[Sandbox, str]
) -> None:
    daemon, base = await start(make_daemon, sandbox[1])
    verdict, journal = await with_traffic(daemon, base, [FAST, STEADY])
    assert verdict["kind"] == "passed", verdict["because"]
    assert "live traffic held: 0 of" in verdict["because"]
    groups = {one["group"] for one in journal["passed"]}
    assert groups == {"broken", "control"}
    met = {one["call"] for one in journal["passed"] if one["met"]}
    assert all(one["group"] == "broken" for one in journal["passed"] if one["call"] in met)
    assert not any(one["met"] for one in journal["passed"] if one["group"] == "control")
    # The answers of fallbacks to what was broken on purpose count for no rate; the control group's answers do count.
    assert await daemon.metric("fallbackd_chain_answers_total", origin="live", position="1") == 0
    assert await daemon.metric("fallbackd_chain_answers_total", origin="live", position="0") >= 10


async def test_harm_to_live_traffic_ends_the_drill_at_once(
    make_daemon: Callable[..., Daemon], sandbox: tuple[Sandbox, str]
) -> None:
    daemon, base = await start(make_daemon, sandbox[1])
    verdict, journal = await with_traffic(daemon, base, [FAST])
    assert verdict["kind"] == "deviated"
    assert "live traffic was harmed, so the drill was ended at once" in verdict["because"]
    assert journal["compared"]["harm"] == "failing"
    assert journal["ended"] - journal["started"] < 60  # of the 100 seconds that it might take
    assert await daemon.metric("fallbackd_fault_active") == 0
    assert await daemon.metric("fallbackd_chain_health", chain="walked", state="healthy") == 1


async def test_without_traffic_nothing_is_proven(
    make_daemon: Callable[..., Daemon], sandbox: tuple[Sandbox, str]
) -> None:
    daemon, _ = await start(make_daemon, sandbox[1], lasts="1s")
    verdict, _ = await run(daemon)
    assert verdict["kind"] == "inconclusive"
    assert "too little live traffic passed to compare" in verdict["because"]
