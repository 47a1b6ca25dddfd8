"""A whole daemon with 1,000 targets, two kinds of question each, every 60 s, against a fast stub.

It is the real App in a process of its own: schedule, probes, metrics, store, health, alarm, pages. What it costs is
read from /proc; how late runs start and how many there were, from its metrics page.

Run: .venv/bin/python bench/schedule.py (just under three minutes; needs nginx with its echo module).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import structlog
from stub import MODEL, SameWord, cpu_of, stub

from monitor.app import App, Settings
from monitor.config.loading import load
from monitor.vocabulary import vocabulary

CHAINS, RUNGS = 250, 4
TARGETS = CHAINS * RUNGS
EVERY = 60
SETTLE = 65.0
"""Seconds that do not count: every question has been asked once by then."""
BUCKET = re.compile(r'^fallbackd_schedule_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)
ENDED = re.compile(r'^fallbackd_probes_total\{.*status="(\w+)".*\} (\S+)$', re.MULTILINE)
ALERTS = "notifiers: [{name: log, kind: log}]\nroutes: [{notify: [log]}]\nrules: [{name: down, when: chain_down}]\n"


def chains_yaml(url: str) -> str:
    targets = ", ".join(f"{{label: t{number}, model: {MODEL}}}" for number in range(RUNGS))
    lines = [f'endpoints: {{stub: {{dialect: openrouter, url: "{url}/both/v1", credential_env: KEY}}}}', "chains:"]
    for number in range(CHAINS):
        lines += [
            f"  - name: c{number:03}",
            "    endpoint: stub",
            "    mode: client",
            f"    targets: [{targets}]",
            "    probes:",
            *(f"      - {{kind: {kind}, every: {EVERY}s, of: [targets]}}" for kind in ("completion", "stream")),
        ]
    return "\n".join(lines)


async def serve(folder: Path) -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    files = folder / "chains.yaml", folder / "alerts.yaml"
    config = load(*files, vocabulary=vocabulary(), environ={"KEY": "sk-or-bench"})
    app = App(config, Settings(listen=("127.0.0.1", 0), data=folder / "data"), rng=SameWord(1))
    await app.start()
    print(app.url, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await app.stop()


def scrape(url: str) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Lag counts by bucket, and ended questions by status."""
    page = urllib.request.urlopen(f"{url}/metrics").read().decode()
    ended: dict[str, float] = {}
    for status, count in ENDED.findall(page):
        ended[status] = ended.get(status, 0.0) + float(count)
    return {le: float(count) for le, count in BUCKET.findall(page)}, ended


def resident(pid: int) -> float:
    """Megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024


def measure(url: str, pid: int, seconds: float) -> None:
    time.sleep(SETTLE)
    (lags, ended), cpu, at = scrape(url), cpu_of(pid), time.monotonic()
    time.sleep(seconds)
    spent, took = cpu_of(pid) - cpu, time.monotonic() - at
    lags_after, ended_after = scrape(url)
    within = {le: count - lags.get(le, 0.0) for le, count in lags_after.items()}
    runs = within["+Inf"]
    made = {status: count - ended.get(status, 0.0) for status, count in ended_after.items()}
    bound = next(le for le, count in within.items() if count >= 0.99 * runs)
    print(f"{TARGETS} targets, 2 kinds each, every {EVERY} s, over {took:.0f} s")
    print(f"  questions    {sum(made.values()) / took:7.1f} a second, {made}")
    print(f"  schedule lag p99 at most {float(bound) * 1000:g} ms; {within['0.1'] / runs:.2%} start within 100 ms")
    print(
        f"  CPU          {spent / took:7.1%} of one core; {spent / took / TARGETS * 1e6:.0f} us a second for a target"
    )
    print(f"  memory       {resident(pid):7.0f} MB; {resident(pid) * 1024 / TARGETS:.0f} kB for a target")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--seconds", type=float, default=100.0, help="how long to measure, after the start has settled"
    )
    options.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve))
        return
    with stub() as upstream, tempfile.TemporaryDirectory() as name:
        (Path(name) / "chains.yaml").write_text(chains_yaml(upstream.url))
        (Path(name) / "alerts.yaml").write_text(ALERTS)
        with subprocess.Popen([sys.executable, __file__, "--serve", name], stdout=subprocess.PIPE, text=True) as daemon:
            try:
                assert daemon.stdout is not None
                measure(daemon.stdout.readline().strip(), daemon.pid, chosen.seconds)
            finally:
                daemon.terminate()


if __name__ == "__main__":
    main()
