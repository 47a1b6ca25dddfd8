"""A real daemon saves money: budgets stop it until midnight UTC; live traffic and long health replace questions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import anyio
import httpx
import pytest

from tests.e2e.daemon import Daemon, until
from tests.fakes.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HEAD = """
endpoints:
  openrouter: {dialect: openrouter, url: "https://openrouter.ai/api/v1", credential_env: OPENROUTER_API_KEY}
"""
BUDGETS = (
    HEAD
    + """
budgets: {providers: {groq: {usd_per_day: 0.0002}}}
chains:
  - name: chat
    endpoint: openrouter
    mode: server
    targets:
      - {label: primary, model: anthropic/claude-haiku-4.5, providers: [anthropic, amazon-bedrock], timeout: 5s}
      - {label: secondary, model: openai/gpt-4o-mini, timeout: 5s}
    probes:
      - {kind: completion, every: 1s}
    budget: {usd_per_day: 0.003}
  - name: llama
    endpoint: openrouter
    mode: provider
    model: meta-llama/llama-3.3-70b-instruct
    targets:
      - {label: groq, provider: groq, timeout: 5s}
      - {label: together, provider: together, timeout: 5s}
    probes:
      - {kind: completion, every: 1s, of: [targets]}
"""
)
PACED = (
    HEAD
    + """
gateway: {endpoint: openrouter, listen: "127.0.0.1:0", control: "127.0.0.1:0"}
chains:
  - name: paced
    endpoint: openrouter
    mode: server
    targets:
      - {label: primary, model: anthropic/claude-haiku-4.5, timeout: 5s}
      - {label: secondary, model: openai/gpt-4o-mini, timeout: 5s}
    probes:
      - {kind: completion, every: 2s, of: [targets], pace: {slowest: 4s, fastest: 1s, slower_after: 3s}}
  - name: passive
    endpoint: openrouter
    mode: server
    targets:
      - {label: primary, model: google/gemini-2.5-flash, timeout: 5s}
      - {label: secondary, model: deepseek/deepseek-chat-v3.1, timeout: 5s}
    probes:
      - {kind: completion, every: 4s, of: [chain, targets], passive: true}
"""
)
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules:
  - {name: budget, when: budget_exhausted}
  - {name: stale, when: probe_stale}
"""
FLASH, DEEPSEEK = "google/gemini-2.5-flash", "deepseek/deepseek-chat-v3.1"
MakeDaemon = Callable[..., Daemon]


async def asked(daemon: Daemon, chain: str, target: str = "", **labels: str) -> float:
    """How many scheduled questions ended."""
    wanted = {"chain": chain, "target": target, "provider": "", "origin": "scheduled", **labels}
    return await daemon.metric("fallbackd_probes_total", **wanted)


async def firing(daemon: Daemon) -> dict[str, dict[str, Any]]:
    found = (await daemon.get("/api/v1/alerts"))["alerts"]
    return {one["chain"]: one for one in found if one["state"] == "firing"}


async def test_budgets_stop_the_least_important_first_and_midnight_utc_frees_all(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(BUDGETS, ALERTS)
    await daemon.start(at="2026-11-27T23:59:10+00:00")

    async def stopped() -> dict[str, dict[str, Any]] | None:
        found = await firing(daemon)
        return found if found.keys() == {"chat", "llama"} else None

    found = await until(stopped, "both budgets are as good as used up", seconds=49)
    assert "provider" in dict(found["chat"]["facts"])["stopped"]
    assert dict(found["chat"]["facts"])["resumes"] == "2026-11-28T00:00:00Z"
    assert dict(found["llama"]["facts"])["stopped"] == "target"
    assert found["llama"]["title"] == "The budget of provider groq runs out"
    assert await daemon.metric("fallbackd_shared_budget_remaining_usd", provider="groq") < 0.0002
    assert await daemon.metric("fallbackd_runs_skipped_total", reason="budget") > 0

    pinned, whole = await asked(daemon, "chat", "primary", provider="anthropic"), await asked(daemon, "chat")
    other = await asked(daemon, "llama", "together", provider="together")

    async def goes_on() -> bool:
        more = await asked(daemon, "llama", "together", provider="together") > other
        return more and await asked(daemon, "chat") > whole

    await until(goes_on, "what is more important, or paid elsewhere, is still asked")
    assert await asked(daemon, "chat", "primary", provider="anthropic") == pinned

    async def resumed() -> bool:
        return await asked(daemon, "chat", "primary", provider="anthropic") > pinned

    await until(resumed, "after midnight all are asked again", seconds=60)
    ended = [line for line in daemon.output.splitlines() if "warning resolved: The budget of chain chat" in line]
    assert "2026-11-28T00:00:0" in ended[0]
    assert await daemon.stop() == 0


async def test_long_health_slows_questions_down_and_a_failure_speeds_them_up(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(PACED, ALERTS)
    await daemon.start()

    async def gaps(target: str) -> list[float]:
        """Seconds between the latest questions, the newest first."""
        found = (await daemon.get(f"/api/v1/outcomes?chain=paced&target={target}&limit=6"))["outcomes"]
        times = [one["at"] for one in found]
        return [later - before for later, before in pairwise(times)]

    async def slow() -> bool:
        return bool(found := await gaps("secondary")) and found[0] > 3.0

    await until(slow, "a healthy target is asked at its slowest pace", seconds=40)
    await daemon.break_("openai/gpt-4o-mini", "overloaded")

    async def fast() -> bool:
        return [gap < 1.7 for gap in (await gaps("secondary"))[:2]] == [True, True]

    await until(fast, "a failing target is asked faster than configured", seconds=40)
    assert await firing(daemon) == {}, "a question that is asked less often is not stale"


async def application(url: str) -> None:
    """Asks through the gateway for as long as it is let."""
    body = {"models": [FLASH, DEEPSEEK], "messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": "Bearer of-the-application"}) as client:
        while True:
            (await client.post(url, json=body, timeout=10)).raise_for_status()
            await anyio.sleep(0.2)


async def test_live_traffic_stands_in_for_questions(make_daemon: MakeDaemon) -> None:
    port = free_port()
    daemon = make_daemon(PACED.replace("127.0.0.1:0", f"127.0.0.1:{port}", 1), ALERTS)
    await daemon.start()

    async def shown() -> bool:
        return await daemon.metric("fallbackd_runs_skipped_total", reason="passive") >= 2

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(application, f"http://127.0.0.1:{port}/v1/chat/completions")
        await until(shown, "questions that traffic has answered are left out", seconds=40)
        before = {target: await asked(daemon, "passive", target) for target in ("", "primary", "secondary")}

        async def fallback_is_asked() -> bool:
            return await asked(daemon, "passive", "secondary") >= before["secondary"] + 2

        await until(fallback_is_asked, "nobody's traffic shows the fallback, so it is asked", seconds=40)
        for target in ("", "primary"):
            assert await asked(daemon, "passive", target) == before[target]
        assert await daemon.metric("fallbackd_chain_answers_total", chain="passive", origin="live", path="primary") > 0
        tasks.cancel_scope.cancel()

    async def all_are_asked() -> bool:
        return all([await asked(daemon, "passive", target) > before[target] for target in ("", "primary")])

    await until(all_are_asked, "without traffic everything is asked again", seconds=40)
    assert await firing(daemon) == {}, "what traffic has shown is not stale"
