"""A real daemon, and a fallback that stays up while it loses what the application needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.daemon import Daemon, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SECONDARY, SMALL = "openai/gpt-4o-mini", "qwen/qwen-2.5-7b-instruct"
CHAINS = """
endpoints:
  openrouter: {dialect: openrouter, url: "https://openrouter.ai/api/v1", credential_env: OPENROUTER_API_KEY}
chains:
  - name: chat
    endpoint: openrouter
    mode: server
    targets:
      - {label: primary, model: anthropic/claude-haiku-4.5, timeout: 5s}
      - {label: secondary, model: openai/gpt-4o-mini, timeout: 5s}
    needs: [tool_calling, structured]
    needs_every: 1s
    probes:
      - {kind: completion, every: 1s, of: [chain, targets]}
  - name: small
    endpoint: openrouter
    mode: client
    targets:
      - {label: main, model: openai/gpt-4o-mini, timeout: 5s}
      - {label: little, model: qwen/qwen-2.5-7b-instruct, timeout: 5s}
    needs: [tools]
    probes:
      - {kind: completion, every: 1s, of: [targets]}
drills:
  - {name: primary-gone, chain: chat, break: primary, with: ignore, requests: 1, expect: {served_by: secondary}}
"""
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules: [{name: chain-degraded, when: chain_degraded, chains: [chat]}]
"""


async def target(daemon: Daemon, chain: str, label: str) -> dict[str, Any]:
    chains = {one["name"]: one for one in (await daemon.get("/api/v1/chains"))["chains"]}
    found: dict[str, Any] = next(one for one in chains[chain]["targets"] if one["label"] == label)
    return found


def standings(of: dict[str, Any]) -> dict[str, str]:
    return {one["capability"]: one["standing"] for one in of["abilities"]}


async def capability(daemon: Daemon, label: str, name: str) -> float:
    return await daemon.metric("fallbackd_target_capability", chain="chat", target=label, capability=name)


async def test_a_fallback_that_loses_tools_is_degraded_while_it_is_up(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(CHAINS, ALERTS)
    await daemon.start()

    async def fit() -> bool:
        secondary = await target(daemon, "chat", "secondary")
        proven = {"tools": "proven", "structured": "proven"}
        return secondary["health"] == "healthy" and standings(secondary) == proven

    async def unfit() -> dict[str, Any] | None:
        secondary = await target(daemon, "chat", "secondary")
        return secondary if secondary["reason"] == "missing_capability" else None

    await until(fit, "the fallback has shown what the chain needs")
    assert await capability(daemon, "secondary", "tools") == 1

    await daemon.break_(SECONDARY, "tool_call_as_text")
    found = await until(unfit, "the fallback is known to be unfit")
    assert found["health"] == "degraded"
    assert found["detail"].startswith("missing_capability (tools): the call came as text and not as a call")
    assert standings(found) == {"tools": "missing", "structured": "proven"}
    assert await capability(daemon, "secondary", "tools") == 0
    assert await capability(daemon, "secondary", "structured") == 1
    assert await capability(daemon, "primary", "tools") == 1
    labels = {"chain": "chat", "target": "secondary"}
    assert await daemon.metric("fallbackd_target_health", **labels, state="degraded") == 1
    assert await daemon.metric("fallbackd_probes_total", **labels, kind="completion", status="failed") == 0
    assert "warning" in daemon.output
    assert "missing_capability (tools)" in daemon.output

    async def told() -> dict[str, Any] | None:
        alerts = (await daemon.get("/api/v1/alerts"))["alerts"]
        return alerts[0] if alerts else None

    alert = await until(told, "the alert says what is missing")
    assert dict(alert["facts"])["unfit"] == "secondary lacks tools"
    refused = await daemon.post("/api/v1/drills/primary-gone/runs")
    assert refused.status_code == 409, refused.text
    assert "secondary, which is to answer, is up but unfit: missing_capability (tools)" in refused.text

    await daemon.mend()
    await until(fit, "the capability is back")
    assert await capability(daemon, "secondary", "tools") == 1


async def test_what_the_catalogue_denies_is_known_without_a_question(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(CHAINS, ALERTS)
    await daemon.start()

    async def denied() -> dict[str, Any] | None:
        little = await target(daemon, "small", "little")
        return little if little["health"] == "degraded" else None

    little = await until(denied, "the catalogue settles it")
    assert little["detail"] == f"missing_capability (tools): not asked: the catalogue lists no tools for {SMALL}"
    assert standings(little) == {"tools": "missing"}
    assert await daemon.metric("fallbackd_target_capability", chain="small", target="little") == 0
    samples = await daemon.metrics()
    known = [value for (name, _), value in samples.items() if name == "fallbackd_target_capability"]
    assert len(known) == 6
    assert not all(map(math.isnan, known))
    outcomes = (await daemon.get("/api/v1/outcomes?chain=small&target=little"))["outcomes"]
    asked = [one for one in outcomes if one["kind"] == "tools"]
    assert asked
    assert all(one["cost"] == 0 and one["status_code"] is None for one in asked)
