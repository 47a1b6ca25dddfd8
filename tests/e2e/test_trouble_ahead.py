"""A real daemon, and a condition that has not lasted long enough to be an incident: why a drill is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.daemon import Daemon, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

LAST = "google/gemini-2.5-flash"
CHAINS = f"""
endpoints:
  openrouter: {{dialect: openrouter, url: "https://openrouter.ai/api/v1", credential_env: OPENROUTER_API_KEY}}
chains:
  - name: chat
    endpoint: openrouter
    mode: client
    targets:
      - {{label: primary, model: anthropic/claude-haiku-4.5, timeout: 5s}}
      - {{label: secondary, model: openai/gpt-4o-mini, timeout: 5s}}
      - {{label: last, model: {LAST}, timeout: 5s}}
    probes: [{{kind: completion, every: 1s}}]
drills:
  - {{name: gone, chain: chat, break: primary, with: unavailable, requests: 1, expect: {{served_by: secondary}}}}
"""
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules: [{name: chain-degraded, when: chain_degraded, for: %s}]
"""


async def refusal_with(daemon: Daemon, lasting: str) -> str:
    """Why the drill is refused once a fallback that it does not need is down, and is looked at as an alert."""
    await daemon.start("--mute")

    async def healthy() -> Any:
        return all(one["health"] == "healthy" for one in (await daemon.get("/api/v1/chains/chat"))["targets"])

    await until(healthy, "every target is healthy")
    await daemon.break_(LAST, "unavailable")

    async def seen() -> Any:
        return [one for one in (await daemon.get("/api/v1/alerts"))["alerts"] if one["state"] == lasting]

    await until(seen, f"the alert is {lasting}")
    reply = await daemon.post("/api/v1/drills/gone/runs")
    assert reply.status_code == 409, reply.text
    return str(reply.json()["error"]["message"])


async def test_what_is_no_incident_yet_is_not_called_one(make_daemon: Callable[..., Daemon]) -> None:
    why = await refusal_with(make_daemon(CHAINS, ALERTS % "1h"), "pending")
    assert "chat has no open incident yet, but what becomes one if it lasts (chain_degraded)" in why


async def test_an_incident_is_called_one(make_daemon: Callable[..., Daemon]) -> None:
    why = await refusal_with(make_daemon(CHAINS, ALERTS % "1s"), "firing")
    assert "chat has an open incident (chain_degraded)" in why
