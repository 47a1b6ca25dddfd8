"""A rising load on a broken chain, in the running program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.daemon import Daemon, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

STEADY = "google/gemini-2.5-flash"
CHAINS = """
endpoints:
  openrouter: {dialect: openrouter, url: "https://openrouter.ai/api/v1", credential_env: OPENROUTER_API_KEY}
chains:
  - name: walked
    endpoint: openrouter
    mode: client
    targets:
      - {label: fast, model: mistralai/mistral-small-3.2-24b-instruct, timeout: 5s}
      - {label: steady, model: google/gemini-2.5-flash, timeout: 5s}
    probes: [{kind: completion, every: 2s}]
drills:
  - name: load
    chain: walked
    with: unavailable
    requests: 1
    max_duration: 100s
    capacity: {up_to: 30, step: 2, hold: 3s, usd: 0.5}
  - {name: dear, chain: walked, with: unavailable, requests: 1, capacity: {hold: 5s, usd: 0.002, at_least: 10000}}
"""


async def ready(daemon: Daemon) -> bool:
    chains = (await daemon.get("/api/v1/chains"))["chains"]
    return all(target["health"] == "healthy" for chain in chains for target in chain["targets"])


async def begin(make_daemon: Callable[..., Daemon], drill: str) -> tuple[Daemon, str]:
    daemon = make_daemon(CHAINS)
    await daemon.start()
    await until(lambda: ready(daemon), "the daemon is ready")
    reply = await daemon.post(f"/api/v1/drills/{drill}/runs")
    assert reply.status_code == 202, reply.text
    return daemon, reply.json()["run"]


async def ended(daemon: Daemon, run: str) -> dict[str, Any]:
    async def finished() -> Any:
        found = await daemon.get(f"/api/v1/drills/runs/{run}")
        return found["state"] == "finished" and found

    found: dict[str, Any] = await until(finished, "the run has ended", seconds=120)
    print(found["text"])
    return found


async def test_the_first_429s_of_the_fallback_end_the_rise(make_daemon: Callable[..., Daemon]) -> None:
    daemon, run = await begin(make_daemon, "load")

    async def first_step() -> bool:
        return "2 at once: " in (await daemon.get(f"/api/v1/drills/runs/{run}"))["text"]

    await until(first_step, "the first step was carried", seconds=60)
    await daemon.break_(STEADY, "rate_limited")
    found = await ended(daemon, run)
    capacity = found["journal"]["capacity"]
    assert capacity["stop"] == "limited"
    assert capacity["carried"] > 0
    assert found["verdict"]["kind"] == "passed", found["verdict"]["because"]
    assert "the fallback carried up to" in found["verdict"]["because"]
    assert await daemon.metric("fallbackd_fault_active") == 0


async def test_the_cost_bound_ends_the_rise_and_what_was_not_reached_is_not_proven(
    make_daemon: Callable[..., Daemon],
) -> None:
    found = await ended(*await begin(make_daemon, "dear"))
    assert found["journal"]["capacity"]["stop"] == "cost"
    spent = sum(load["usd"] for load in found["journal"]["capacity"]["loads"])
    assert 0 < spent <= 0.002
    assert found["verdict"]["kind"] == "inconclusive"
    assert "the load did not rise to 10000 per minute" in found["verdict"]["because"]
