"""A run is reported and judged again, by its id from the daemon and from its file without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tests.e2e.daemon import Daemon, command, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def run(*arguments: str) -> tuple[int, str, str]:
    done = await anyio.to_thread.run_sync(lambda: command(*arguments))
    return done.returncode, done.stdout, done.stderr


async def _ready(daemon: Daemon) -> bool:
    chains: list[dict[str, Any]] = (await daemon.get("/api/v1/chains"))["chains"]
    return all(target["health"] == "healthy" for chain in chains for target in chain["targets"])


async def test_a_run_is_reported_and_judged_again(make_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon = make_daemon()
    await daemon.start()
    await until(lambda: _ready(daemon), "every target is healthy")
    data = ("--data", str(daemon.data))
    code, out, err = await run("drill", "fast-refuses", "--json", *data)
    assert code == 0, err
    kept = tmp_path / "run.json"
    kept.write_text(out)
    journal = json.loads(out)

    code, out, err = await run("drill", "judge", str(kept))
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == f"The same verdict as was recorded for run {journal['run']} of fast-refuses."

    page, ticket = tmp_path / "run.html", tmp_path / "run.md"
    code, out, err = await run("drill", "report", journal["run"], "--html", str(page), "--markdown", str(ticket), *data)
    assert (code, out, err) == (0, f"Wrote {page}\nWrote {ticket}\n", "")
    assert "<svg" in page.read_text()
    assert ticket.read_text().startswith("# ✅ Drill fast-refuses on walked: passed\n")
    async with httpx.AsyncClient(base_url=daemon.url, trust_env=False) as client:
        served = await client.get(f"/api/v1/drills/runs/{journal['run']}/report.html")
        assert (served.status_code, served.text) == (200, page.read_text())
        policy = served.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert (await client.get(f"/api/v1/drills/runs/{journal['run']}/report.md")).text == ticket.read_text()
        assert (await client.get("/api/v1/drills/runs/none/report.html")).status_code == 404

    journal["broken"][0] |= {"status": "failed", "reason": "timeout", "served_by": None, "position": None}
    kept.write_text(json.dumps(journal))
    code, out, _ = await run("drill", "judge", str(kept))
    assert code == 1
    assert "  kind: passed then, deviated now" in out.splitlines()
    kept.write_text(json.dumps(journal)[:-100])
    code, out, err = await run("drill", "judge", str(kept))
    assert (code, out) == (2, "")
    assert err.startswith(f"{kept}: this is no whole JSON document (")
    code, _, err = await run("drill", "report", "no-such-run", *data)
    assert (code, err) == (2, "there is no run no-such-run\n")
