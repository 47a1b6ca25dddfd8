"""A real daemon and one client chain over four endpoints, each with its own dialect and key.

They are OpenRouter, a LiteLLM proxy, an OpenAI-compatible API, and the Messages API (as the same proxy speaks it).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.e2e.daemon import Daemon, command, until
from tests.litellm.conftest import BACKUP, KEY, PROXY, Proxy

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.needs(PROXY),
    pytest.mark.xdist_group("litellm"),
]

CHAINS = """
endpoints:
  router: {{dialect: openrouter, url: "{primary}/api/v1", credential_env: ROUTER_KEY}}
  proxy: {{dialect: litellm, url: "{proxy}", credential_env: PROXY_KEY}}
  own: {{dialect: openai_compatible, url: "{backup}/api/v1", credential_env: OWN_KEY}}
  claude: {{dialect: anthropic, url: "{proxy}", credential_env: CLAUDE_KEY}}
chains:
  - name: mixed
    endpoint: router
    mode: client
    targets:
      - {{label: routed, model: anthropic/claude-haiku-4.5, timeout: 10s}}
      - {{label: proxied, model: chat-backup, endpoint: proxy, timeout: 10s}}
      - {{label: direct, model: mistralai/mistral-small-3.2-24b-instruct, endpoint: own, timeout: 10s}}
      - {{label: messages, model: chat, endpoint: claude, timeout: 10s}}
    needs: [tools]
    probes:
      - {{kind: completion, every: 1s, of: [chain]}}
      - {{kind: stream, every: 1s, of: [chain]}}
      - {{kind: completion, every: 2s, of: [targets]}}
"""
ALERTS = "notifiers: [{name: log, kind: log}]\nroutes: [{notify: [log]}]\nrules: [{name: down, when: chain_down}]\n"
HAIKU, DIRECT = "anthropic/claude-haiku-4.5", "mistralai/mistral-small-3.2-24b-instruct"
KEYS = {"ROUTER_KEY": "key-of-the-router", "PROXY_KEY": KEY, "OWN_KEY": "key-of-the-own", "CLAUDE_KEY": KEY}


Start = Callable[..., Awaitable[Daemon]]


@pytest.fixture
async def start(tmp_path: Path, proxy: Proxy) -> AsyncIterator[Start]:
    chains = CHAINS.format(primary=proxy.primary, backup=proxy.backup, proxy=proxy.url)
    made: list[Daemon] = []

    async def begin(**keys: str) -> Daemon:
        made.append(Daemon(tmp_path, chains=chains, alerts=ALERTS, env={**KEYS, **keys}))
        await made[-1].start("--mute", sandbox=False)
        return made[-1]

    yield begin
    for one in made:
        one.kill()


async def health(daemon: Daemon) -> dict[str, str]:
    return {one["label"]: one["health"] for one in (await daemon.get("/api/v1/chains/mixed"))["targets"]}


async def served(daemon: Daemon, label: str, kind: str) -> dict[str, Any]:
    """The newest end-to-end answer of a kind, once it is this target's."""

    async def look() -> Any:
        found = (await daemon.get("/api/v1/outcomes?chain=mixed&limit=40"))["outcomes"]
        whole = [one for one in found if one["target"] is None and one["kind"] == kind]
        return whole[0] if whole and whole[0]["served_by"] == label else None

    return dict(await until(look, f"{label} answers a {kind}", seconds=60))


async def test_a_chain_over_four_endpoints_fails_over_from_each_to_the_next(start: Start, proxy: Proxy) -> None:
    daemon = await start()

    async def whole() -> bool:
        """Whatever the dialect, each target answers and shows that it can call tools."""
        targets = (await daemon.get("/api/v1/chains/mixed"))["targets"]
        able = [one["standing"] for target in targets for one in target["abilities"]]
        return able == ["proven"] * 4 and {target["health"] for target in targets} == {"healthy"}

    await until(whole, "all four targets answer and call tools", seconds=60)
    steps = ((proxy.primary, HAIKU, "proxied"), (proxy.backup, BACKUP, "direct"), (proxy.backup, DIRECT, "messages"))
    for position, (sandbox, model, next_one) in enumerate(steps, start=1):
        await anyio.to_thread.run_sync(proxy.break_, sandbox, model, "unavailable")
        for kind in ("completion", "stream"):
            outcome = await served(daemon, next_one, kind)
            assert (outcome["path"], outcome["position"]) == ("failed_over", position)
            assert [one["position"] for one in outcome["attempts"]] == list(range(position + 1))
    assert (await served(daemon, "messages", "completion"))["model"] == "chat"
    told = command("explain", "mixed", "--url", daemon.url).stdout
    assert "then proxied (chat-backup), then direct" in " ".join(told.split())
    await anyio.to_thread.run_sync(proxy.mend)
    assert (await served(daemon, "routed", "stream"))["path"] == "primary"


async def test_each_target_is_asked_with_its_own_key(start: Start) -> None:
    """Two targets at one proxy: the wrong key of one breaks that one alone."""
    daemon = await start(CLAUDE_KEY="another-key")

    async def one_is_down() -> bool:
        rest = {"routed": "healthy", "proxied": "healthy", "direct": "healthy"}
        return await health(daemon) == {**rest, "messages": "down"}

    await until(one_is_down, "the target with the wrong key is down", seconds=60)
    for key in (*KEYS.values(), "another-key"):
        assert key not in daemon.output
