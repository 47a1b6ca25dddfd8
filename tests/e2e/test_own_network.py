"""A daemon whose own network is down calls no chain down, says so, and goes on by itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from tests.e2e.daemon import Daemon, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CHAINS = """
endpoints:
  one: {{dialect: openai_compatible, url: "http://127.0.0.1:{one}/v1"}}
  two: {{dialect: openai_compatible, url: "http://127.0.0.1:{two}/v1"}}
chains:
  - name: chat
    mode: client
    endpoint: one
    targets:
      - {{label: first, model: a/one, timeout: 5s}}
      - {{label: second, endpoint: two, model: b/two, timeout: 5s}}
    probes:
      - {{kind: completion, every: 1s}}
"""
ALERTS = """
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
rules:
  - {name: chain-down, when: chain_down, severity: critical}
  - {name: daemon-unwell, when: daemon_unwell}
"""


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Somebody is there, and answers nonsense."""
    await reader.read(1)
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def test_nothing_is_called_down_while_our_own_network_is(make_daemon: Callable[..., Daemon]) -> None:
    one, two = closed_port(), closed_port()
    daemon = make_daemon(chains=CHAINS.format(one=one, two=two), alerts=ALERTS)
    await daemon.start("--mute", sandbox=False)
    await until(lambda: daemon.metric("fallbackd_alerts_firing", alert="daemon-unwell", chain=""), "it says so")
    assert await daemon.metric("fallbackd_network_up") == 0
    unjudged = {"chain": "chat", "target": "", "status": "error", "reason": "ours"}
    await until(lambda: _several(daemon, "fallbackd_probes_total", **unjudged), "several answers were not judged")
    assert await daemon.metric("fallbackd_chain_health", chain="chat", state="unknown") == 1
    assert not await daemon.metric("fallbackd_chain_objective_total", chain="chat", result="bad")
    listening = await asyncio.start_server(refuse, "127.0.0.1", one)
    async with listening:
        await until(lambda: daemon.metric("fallbackd_network_up"), "verdicts count again")
        await until(lambda: daemon.metric("fallbackd_alerts_firing", alert="chain-down", chain="chat"), "it is down")


async def _several(daemon: Daemon, name: str, **labels: str) -> bool:
    return (await daemon.metric(name, **labels) or 0) >= 5
