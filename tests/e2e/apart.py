"""A gateway in a process of its own, which outlives the daemon that arms it."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Mapping
from typing import Any

import anyio
import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.daemon import COMMAND, ROOT, Daemon


class Apart:
    """``named``: what says in a request whom it asks; ``key``: the application's; ``program``: what runs."""

    def __init__(
        self, daemon: Daemon, listen: int, control: int, *, key: str, named: Mapping[str, Any],
        program: tuple[str, ...] = (COMMAND,),
    ) -> None:  # fmt: skip
        self.url, self.control = f"http://127.0.0.1:{listen}", f"http://127.0.0.1:{control}"
        self.questions = itertools.count()
        self._key = key
        self._named = named
        command = [*program, "gateway", "--chains", str(daemon.chains), "--alerts", str(daemon.alerts)]
        self.process = subprocess.Popen(
            command, env=daemon.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    async def ready(self) -> None:
        assert self.process.stdout is not None
        line = await anyio.to_thread.run_sync(self.process.stdout.readline)
        assert b"listens at" in line, line

    async def rules(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(trust_env=False) as client:
            found: list[dict[str, Any]] = (await client.get(f"{self.control}/rules", timeout=10)).json()["rules"]
            return found

    async def answer(self, run: str | None = None, **named: Any) -> httpx.Response:
        """To a request of an application, or to one that carries the mark of a run; ``named``: who else is asked."""
        headers = {"Authorization": f"Bearer {self._key}", **({"X-Fallbackd-Drill": run} if run else {})}
        messages = [{"role": "user", "content": f"question {next(self.questions)}"}]
        body, url = {**self._named, **named, "messages": messages}, f"{self.url}/v1/chat/completions"
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            return await client.post(url, json=body, headers=headers)

    async def ask(self, run: str | None = None, **named: Any) -> int:
        """As ``answer``, the status of it."""
        return (await self.answer(run, **named)).status_code

    async def metric(self, name: str, **labels: str) -> float:
        """Of the gateway's own, the sum over all samples that carry these labels."""
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(f"{self.control}/metrics", timeout=10)).raise_for_status().text
        families = text_string_to_metric_families(text)
        samples = [one for family in families for one in family.samples if one.name == name]
        return sum(one.value for one in samples if labels.items() <= one.labels.items())

    def kill(self) -> None:
        """Safe to call twice."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
