"""Drills whose requests take the way of the application's traffic, and the fault that outlives whoever armed it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr

from chaos.drills import resolve
from chaos.gateway import Gateway
from chaos.guard import GuardView
from chaos.injectors import Reach, reaching
from chaos.model import Journal
from chaos.runner import Runner
from chaos.sandbox import Sandbox
from monitor.clock import SystemClock
from monitor.config.model import DrillConfig
from monitor.model import Health, Origin, Outcome, VerdictKind
from monitor.offering import Catalogue
from monitor.probes import Prober, specify
from monitor.transport import AioTransport
from tests.gateway.conftest import KEY, MINI, SONNET, Start, chain, config

pytestmark = pytest.mark.anyio


@pytest.fixture
async def transport() -> AsyncIterator[AioTransport]:
    async with AioTransport() as made:
        yield made


async def drill(
    gateway: Gateway | None, url: str, transport: AioTransport, fault: Any, mode: str = "client"
) -> Journal:
    clock, walked = SystemClock(), chain("chat", mode)
    plan = {"name": "gone", "chain": "chat", "by": "gateway", "with": fault, "requests": 2, "max_duration": "20s"}
    made = replace(
        config(url, walked),
        drills=(DrillConfig.model_validate(plan),),
        secrets={"endpoints/there": SecretStr(KEY)},
    )
    prober = Prober(
        config=made, transport=lambda _: transport, catalogue=lambda _: Catalogue(), clock=clock, rng=Random(1)
    )
    spec = specify(walked, walked.probes[0], None)

    async def ask(planned: Any, run: str, reshape: Any, wrap: Any, /) -> Outcome:
        return await prober.probe(spec, origin=Origin.DRILL, drill=planned.name, reshape=reshape, wrap=wrap)

    def reach() -> Reach | None:
        if gateway is None:
            return None
        return Reach(url=gateway.url, control=gateway.control_url, chains=frozenset({"chat"}))

    runner = Runner(
        chains=lambda _: walked,
        ask=ask,
        view=lambda _: GuardView(health=Health.HEALTHY, targets={0: Health.HEALTHY, 1: Health.HEALTHY}),
        catalogue=lambda _: Catalogue(),
        clock=clock,
        rng=Random(5),
        injectors=reaching(reach),
    )
    return await runner.run(resolve(made)[0], asked_by="a test")


@pytest.mark.parametrize(
    "fault", ["unavailable", "rate_limited", "reset", "refused", "html", "empty", "malformed", "cut", "wrong_model"]
)
async def test_a_primary_that_is_broken_in_the_gateway_is_failed_over(
    start: Start, sandbox: tuple[Sandbox, str], transport: AioTransport, fault: str
) -> None:
    passing = await start(sandbox[1])
    journal = await drill(passing.gateway, sandbox[1], transport, fault)
    if fault == "wrong_model":  # nothing moves on from an answer that looks right
        assert journal.verdict.kind is VerdictKind.DEVIATED
    else:
        assert journal.verdict.kind is VerdictKind.PASSED, journal.verdict.because
        assert journal.verdict.served_by == "secondary"
    assert journal.injected == 2
    with anyio.fail_after(5):
        while passing.gateway.rules.listed():
            await anyio.sleep(0.01)
    assert passing.outcomes == []  # a drill's own requests are no live traffic


async def test_without_a_gateway_the_drill_is_refused_and_says_why(
    sandbox: tuple[Sandbox, str], transport: AioTransport
) -> None:
    journal = await drill(None, sandbox[1], transport, "unavailable")
    assert "no gateway runs" in journal.verdict.because


async def test_a_gateway_that_has_gone_breaks_nothing_and_proves_nothing(
    start: Start, sandbox: tuple[Sandbox, str], transport: AioTransport
) -> None:
    passing = await start(sandbox[1])
    await passing.gateway.stop()
    journal = await drill(passing.gateway, sandbox[1], transport, "unavailable")
    assert (journal.verdict.kind, journal.injected) == (VerdictKind.INCONCLUSIVE, 0)
    why = f"did not meet it, since it found no gateway under {passing.gateway.control_url} that would break it"
    assert any(why in event.text for event in journal.events)


CHAINS = f"""
endpoints:
  there: {{{{dialect: openrouter, url: "{{url}}", credential_env: KEY_OF_THE_TEST}}}}
chains:
  - name: chat
    endpoint: there
    mode: client
    targets: [{{{{label: primary, model: {SONNET}}}}}, {{{{label: secondary, model: {MINI}}}}}]
    probes: [{{{{kind: completion, every: 60s}}}}]
gateway: {{{{endpoint: there, listen: "127.0.0.1:0", control: "127.0.0.1:0"}}}}
"""
ALERTS = """
rules: [{name: down, when: chain_down, severity: critical}]
notifiers: [{name: out, kind: log}]
routes: [{notify: [out]}]
"""


@pytest.mark.slow
async def test_a_gateway_of_its_own_passes_is_broken_and_mends_by_itself(
    tmp_path: Path, sandbox: tuple[Sandbox, str]
) -> None:
    (tmp_path / "chains.yaml").write_text(CHAINS.format(url=sandbox[1]))
    (tmp_path / "alerts.yaml").write_text(ALERTS)
    command = [str(Path(sys.executable).parent / "fallbackd"), "gateway"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        line = await anyio.to_thread.run_sync(process.stdout.readline)
        found = re.search(r"listens at (\S+) .* control and metrics at (\S+)\. ", line)
        assert found is not None
        base, control = found.groups()
        body = {"model": SONNET, "messages": [{"role": "user", "content": "hi"}]}
        headers = {"Authorization": f"Bearer {KEY}", "X-Fallbackd-Drill": "r"}
        async with httpx.AsyncClient(timeout=10) as client:

            async def status() -> int:
                return (await client.post(f"{base}/chat/completions", json=body, headers=headers)).status_code

            assert await status() == 200
            rule = {
                "id": "a", "chain": "chat", "drill": "gone", "run": "r", "fault": "unavailable", "positions": [0],
                "until": SystemClock().now() + 1.5, "max_count": 100,
            }  # fmt: skip
            assert (await client.post(f"{control}/rules", json=rule)).status_code == 201
            assert await status() == 503
            with anyio.fail_after(10):  # nobody takes it away
                while await status() != 200:
                    await anyio.sleep(0.05)
            live = {"Authorization": f"Bearer {KEY}"}
            assert (await client.post(f"{base}/chat/completions", json=body, headers=live)).status_code == 200
            with anyio.fail_after(10):
                while (
                    'fallbackd_gateway_requests_total{chain="chat"' not in (await client.get(f"{control}/metrics")).text
                ):
                    await anyio.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGTERM)
        rest = await anyio.to_thread.run_sync(process.communicate)
    assert process.returncode == 0
    assert KEY not in line + rest[0]
