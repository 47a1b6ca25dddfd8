"""A real Prometheus beside a real daemon, asked as Grafana would ask it."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

SCRAPE = 0.5

CHAINS = """
endpoints:
  openrouter: {dialect: openrouter, url: "https://openrouter.ai/api/v1", credential_env: OPENROUTER_API_KEY}
chains:
  - name: chat
    endpoint: openrouter
    mode: server
    targets:
      - {label: primary, model: anthropic/claude-haiku-4.5, providers: [anthropic, amazon-bedrock], timeout: 5s}
      - {label: secondary, model: openai/gpt-4o-mini, providers: [openai], timeout: 5s}
    probes:
      - {kind: completion, every: 1s, of: [chain]}
      - {kind: completion, every: 2s, of: [targets, providers]}
      - {kind: stream, every: 2s, of: [chain]}
    needs: [tools]
    objective: {success: 99.5%}
    budget: {usd_per_day: 5}
  - name: walked
    endpoint: openrouter
    mode: client
    targets:
      - {label: fast, model: mistralai/mistral-small-3.2-24b-instruct, timeout: 3s}
      - {label: steady, model: google/gemini-2.5-flash, timeout: 3s}
    probes:
      - {kind: completion, every: 1s, of: [chain, targets]}
gateway: {endpoint: openrouter, listen: "127.0.0.1:0", control: "127.0.0.1:0", chains: [chat], sandbox_traffic: 500ms}
budgets: {usd_per_day: 20, providers: {openai: {usd_per_day: 10}}}
drills:
  - {name: primary-gone, chain: chat, break: primary, with: ignore, requests: 20, expect: {served_by: secondary}}
  - {name: fast-refuses, chain: walked, break: fast, with: rate_limited, requests: 20, expect: {served_by: steady}}
"""

ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules:
  - {name: chain-down, when: chain_down, severity: critical}
  - {name: chain-degraded, when: chain_degraded, severity: warning}
"""


@asynccontextmanager
async def prometheus(folder: Path, daemon_url: str) -> AsyncIterator[str]:
    """A Prometheus that scrapes the daemon; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "prometheus.yml"
    place = daemon_url.removeprefix("http://")
    config.write_text(
        f"global: {{scrape_interval: {SCRAPE * 1000:.0f}ms}}\n"
        f"scrape_configs: [{{job_name: fallbackd, static_configs: [{{targets: ['{place}']}}]}}]\n"
    )
    arguments = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        await anyio.to_thread.run_sync(process.wait)
