"""A real fallbackd process, started the way a user starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
from prometheus_client.parser import text_string_to_metric_families

COMMAND = str(Path(sys.executable).parent / "fallbackd")
ROOT = Path(__file__).parents[2]


async def until(condition: Callable[[], Awaitable[Any]], what: str, *, seconds: float = 30.0) -> Any:
    """The first truthy value of ``condition``; fails with ``what`` when none came in time."""
    end = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < end:
        try:
            last = await condition()
        except httpx.HTTPError as error:
            last = error
        if last and not isinstance(last, Exception):
            return last
        await anyio.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} s in vain: {what}; the last look gave {last!r}")


class Daemon:
    """One process on free ports with its own data folder. ``output`` is all that it printed."""

    def __init__(self, folder: Path, *, chains: str, alerts: str, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.chains = folder / "chains.yaml"
        self.alerts = folder / "alerts.yaml"
        self.chains.write_text(chains)
        self.alerts.write_text(alerts)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), **(env or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.sandbox = ""

    @property
    def log(self) -> Path:
        return self.folder / "output.txt"

    @property
    def output(self) -> str:
        return self.log.read_text()

    async def start(self, *extra: str, sandbox: bool = True, at: str | None = None) -> None:
        """``at``: an ISO time with its zone, at which the clock of the process begins; it ticks as any other."""
        program = [COMMAND] if at is None else [sys.executable, "-m", "tests.e2e.shifted", at]
        arguments = [*program, "run", "--chains", str(self.chains), "--alerts", str(self.alerts)]
        arguments += ["--data", str(self.data), "--listen", "127.0.0.1:0", *(["--sandbox"] if sandbox else []), *extra]
        env = self.env if at is None else {**self.env, "PYTHONPATH": str(ROOT)}
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(arguments, cwd=self.folder, env=env, stdout=out, stderr=out)
        found = await until(self._addresses, "the daemon says where it listens", seconds=30)
        self.url, self.sandbox = found["url"], found["sandbox"] or ""

    async def _addresses(self) -> Any:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.output}")
        file = self.data / "addresses.json"
        if not file.exists() or not file.read_text().endswith("\n"):
            return None
        found = json.loads(file.read_text())
        return found if found["pid"] == self.process.pid else None

    async def get(self, path: str) -> Any:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(self.url + path, timeout=10)).raise_for_status().json()

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.post(self.url + path, json=body, timeout=10)

    async def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Every sample by (name, labels)."""
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(f"{self.url}/metrics", timeout=10)).raise_for_status().text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def metric(self, name: str, **labels: str) -> float:
        """The sum over all samples that carry these labels."""
        wanted = set(labels.items())
        samples = await self.metrics()
        return sum(value for (found, own), value in samples.items() if found == name and wanted <= own)

    async def break_(self, model: str, fault: str, **body: Any) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            reply = await client.post(f"{self.sandbox}/control/breaks", json={"model": model, "with": fault, **body})
            assert reply.status_code == 201, reply.text

    async def mend(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.delete(f"{self.sandbox}/control/breaks")).raise_for_status()

    async def stop(self, number: int = signal.SIGINT) -> int:
        """Ends the process by its id and returns its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        with anyio.fail_after(30):
            return await anyio.to_thread.run_sync(self.process.wait)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def command(*arguments: str, env: dict[str, str] | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs ``fallbackd ARGUMENTS`` to its end."""
    base = {"PATH": os.environ["PATH"], "HOME": str(cwd), "COLUMNS": "140"}
    return subprocess.run(
        [COMMAND, *arguments], env={**base, **(env or {})}, cwd=cwd, capture_output=True, text=True, timeout=60
    )
