"""What Debian's real prometheus and promtool say about the metrics."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tests.e2e.daemon import Daemon, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.mark.needs("promtool")
async def test_promtool_has_nothing_to_complain_about(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    await daemon.start()
    await until(lambda: daemon.metric("fallbackd_probes_total", chain="chat", status="ok"), "a probe was counted")
    async with httpx.AsyncClient(trust_env=False) as client:
        page = (await client.get(f"{daemon.url}/metrics")).content
    checked = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


@pytest.mark.needs("prometheus")
async def test_a_real_prometheus_scrapes_it_and_answers_queries(
    make_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    daemon = make_daemon()
    await daemon.start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "prometheus.yml"
    place = daemon.url.removeprefix("http://")
    config.write_text(
        "global: {scrape_interval: 500ms}\n"
        f"scrape_configs: [{{job_name: fallbackd, static_configs: [{{targets: ['{place}']}}]}}]\n"
    )
    arguments = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        base = f"http://127.0.0.1:{port}/api/v1/query"
        assert await until(lambda: _query(base, "up"), "the scrape works") == [1.0]
        healthy = 'fallbackd_chain_health{state="healthy", chain="chat"} == 1'
        assert await until(lambda: _query(base, healthy), "prometheus knows the health") == [1.0]
        answers = 'sum(increase(fallbackd_chain_answers_total{chain="chat", path="primary"}[30s]))'
        assert (await until(lambda: _query(base, f"{answers} > 0"), "prometheus counts answers"))[0] > 0
    finally:
        process.send_signal(signal.SIGTERM)
        await anyio.to_thread.run_sync(process.wait)


async def _query(base: str, query: str) -> Any:
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = (await client.get(base, params={"query": query})).raise_for_status()
    found = reply.json()["data"]["result"]
    return [float(one["value"][1]) for one in found]
