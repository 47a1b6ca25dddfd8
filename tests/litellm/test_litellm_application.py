"""An application that leaves the walk to a LiteLLM proxy: its own request makes the proxy fail its first group."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.daemon import Daemon, until
from tests.fakes.ports import free_port
from tests.litellm.conftest import KEY, PROXY, Proxy

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.needs(PROXY),
    pytest.mark.xdist_group("litellm"),
]

CHAINS = """
endpoints:
  proxy: {{dialect: litellm, url: "{url}", credential_env: PROXY_KEY}}
chains:
  - name: chat
    endpoint: proxy
    mode: server
    targets:
      - {{label: first, model: chat, timeout: 10s}}
      - {{label: second, model: chat-backup, timeout: 10s}}
    routing: {{include_fallback_errors: true}}
    probes: [{{kind: completion, every: 2s}}]
drills:
  - name: app
    chain: chat
    with: {fault}
    requests: 1
    max_duration: 60s
    application:
      url: "http://127.0.0.1:{port}/chat"
      credential_env: APP_KEY
      body: {{text: "ping {{nonce}}"}}
      expect: {{json: {{ok: true}}}}
      every: 100ms
      requests: 2
gateway:
  endpoint: proxy
  listen: "127.0.0.1:{listen}"
  control: "127.0.0.1:0"
  live: {{chat: {{percent: 100%}}}}
"""
ALERTS = "notifiers: [{name: log, kind: log}]\nroutes: [{notify: [log]}]\nrules: [{name: down, when: chain_down}]\n"
APPLICATION = Path(__file__).parents[1] / "e2e" / "application.py"


@pytest.fixture(params=["unavailable", "moderated"])
async def daemon(request: pytest.FixtureRequest, tmp_path: Path, proxy: Proxy) -> AsyncIterator[Daemon]:
    """Content with every target, and an application behind its gateway that asks for the first group alone."""
    port, listen = free_port(), free_port()
    chains = CHAINS.format(url=proxy.url, port=port, listen=listen, fault=request.param)
    made = Daemon(tmp_path, chains=chains, alerts=ALERTS, env={"PROXY_KEY": KEY, "APP_KEY": "app-key"})
    command = [sys.executable, str(APPLICATION), f"http://127.0.0.1:{listen}/v1", str(port), "stuck", "chat"]
    process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], "UPSTREAM_KEY": KEY})

    async def ready() -> bool:
        async with httpx.AsyncClient(trust_env=False, timeout=15) as client:
            asked = await client.post(
                f"http://127.0.0.1:{port}/chat", json={"text": "hi"}, headers={"Authorization": "Bearer app-key"}
            )
        (chain,) = (await made.get("/api/v1/chains"))["chains"]
        return asked.status_code == 200 and all(target["health"] == "healthy" for target in chain["targets"])

    try:
        await made.start("--mute", sandbox=False)
        await until(ready, "the daemon and the application are ready")
        yield made
    finally:
        made.kill()
        process.kill()
        process.wait()


async def test_an_application_is_proven_by_the_group_that_answered_it(daemon: Daemon) -> None:
    reply = await daemon.post("/api/v1/drills/app/runs")
    assert reply.status_code == 202, reply.text

    async def finished() -> Any:
        found = await daemon.get(f"/api/v1/drills/runs/{reply.json()['run']}")
        return found["state"] == "finished" and found

    found = await until(finished, "the run has ended", seconds=90)
    print(found["text"])
    assert found["verdict"]["kind"] == "passed", found["verdict"]["because"]
    assert "the application answered all 2 that met the fault, each by a fallback" in found["verdict"]["because"]
    met = [one for one in found["journal"]["passed"] if one["met"]]
    assert [(one["gone"], one["served"], one["ok"]) for one in met] == [([0], 1, True)] * 2
