"""Drills that ask the user's own application: a real process behind a real gateway, through the openai SDK."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from chaos.sandbox import Sandbox
from tests.e2e.configs import QUIET
from tests.e2e.daemon import Daemon, until
from tests.fakes.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

FAST, STEADY = "mistralai/mistral-small-3.2-24b-instruct", "google/gemini-2.5-flash"
KEY = "sk-or-v1-endpoint0123456789abcde"
APP_KEY = "app-key"

CHAINS = """
endpoints:
  there: {{dialect: openrouter, url: "{url}", credential_env: KEY_OF_THE_TEST}}
chains:
  - name: walked
    endpoint: there
    mode: client
    targets: [{{label: fast, model: {fast}, timeout: 5s}}, {{label: steady, model: {steady}, timeout: 5s}}]
    probes: [{{kind: completion, every: 1s}}]
drills:
  - name: app
    chain: walked
    with: {fault}
    requests: 1
    max_duration: 40s
    client: {client}
    application:
      url: "http://127.0.0.1:{port}/chat"
      credential_env: KEY_OF_THE_APPLICATION
      body: {{text: "{text}"}}
      expect: {{json: {{ok: true}}}}
      within: 15s
      every: 100ms
      requests: 2
      forwards_mark: {forwards}
gateway:
  endpoint: there
  listen: "127.0.0.1:{listen}"
  control: "127.0.0.1:0"
  live: {{walked: {{percent: 100%}}}}
"""


Scene = Callable[..., Any]


@pytest.fixture
async def scene(make_daemon: Callable[..., Daemon], sandbox: tuple[Sandbox, str]) -> AsyncIterator[Scene]:
    """Starts an application of some manner and a daemon whose gateway it uses; gives back the daemon."""
    processes: list[subprocess.Popen[bytes]] = []

    async def start(
        manner: str = "good",
        *,
        fault: str = "unavailable",
        through: bool = True,
        forwards: bool = False,
        client: str = "{}",
        text: str = "ping {nonce}",
    ) -> Daemon:
        port, listen = free_port(), free_port()
        chains = CHAINS.format(
            url=sandbox[1], fast=FAST, steady=STEADY, port=port, listen=listen, fault=fault, client=client, text=text,
            forwards=str(forwards).lower(),
        )  # fmt: skip
        daemon = make_daemon(chains, QUIET, KEY_OF_THE_TEST=KEY, KEY_OF_THE_APPLICATION=APP_KEY)
        base = f"http://127.0.0.1:{listen}/v1" if through else sandbox[1]
        script = str(Path(__file__).with_name("application.py"))
        command = [sys.executable, script, base, str(port), manner, FAST, STEADY]
        processes.append(subprocess.Popen(command, env=daemon.env))
        await daemon.start("--mute", sandbox=False)
        await until(lambda: _ready(daemon, port), "the daemon and the application are ready")
        return daemon

    yield start
    for process in processes:
        process.kill()
        process.wait()


async def _ready(daemon: Daemon, port: int) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=15) as client:
        asked = await client.post(
            f"http://127.0.0.1:{port}/chat", json={"text": "hi"}, headers={"Authorization": f"Bearer {APP_KEY}"}
        )
    chains = (await daemon.get("/api/v1/chains"))["chains"]
    healthy = all(target["health"] == "healthy" for chain in chains for target in chain["targets"])
    return healthy and asked.status_code == 200


async def run(daemon: Daemon) -> tuple[dict[str, Any], dict[str, Any]]:
    """The verdict and the journal."""
    reply = await daemon.post("/api/v1/drills/app/runs")
    assert reply.status_code == 202, reply.text

    async def finished() -> Any:
        found = await daemon.get(f"/api/v1/drills/runs/{reply.json()['run']}")
        return found["state"] == "finished" and found

    found = await until(finished, "the run has ended", seconds=90)
    print(found["text"])
    return found["verdict"], found["journal"]


def misdeeds(journal: dict[str, Any]) -> set[str]:
    return {one["misdeed"] for one in journal["conduct"]}


async def test_an_application_that_falls_back_is_proven_by_its_own_answers(scene: Scene) -> None:
    daemon = await scene()
    assert (await daemon.get("/api/v1/drills"))["drills"][0][
        "expects"
    ] == "steady answers within 10s; the application as well"
    verdict, journal = await run(daemon)
    assert verdict["kind"] == "passed", verdict["because"]
    assert "the application answered all 2 that met the fault, each by a fallback" in verdict["because"]
    assert "by time" not in verdict["because"]  # its own mark was found in what it asked
    assert [one["phase"] for one in journal["application"]] == ["baseline", "inject", "inject", "recover"]
    assert all(one["wrong"] is None for one in journal["application"])
    assert misdeeds(journal) == set()
    assert APP_KEY not in str(journal) + daemon.output
    # What was broken on purpose counts for nobody: the fallback's answers are the drill's.
    assert await daemon.metric("fallbackd_chain_answers_total", origin="live", position="1") == 0


async def test_an_application_that_never_falls_back_deviates(scene: Scene) -> None:
    verdict, journal = await run(await scene("stuck"))
    assert verdict["kind"] == "deviated"
    assert "with fast broken, the application answered HTTP 502, not 200" in verdict["because"]
    assert "never_fell_back" in misdeeds(journal)


async def test_an_application_that_goes_past_the_gateway_proves_nothing(scene: Scene) -> None:
    verdict, _ = await run(await scene(through=False, text="hello"))
    assert verdict["kind"] == "inconclusive"
    assert "requests to the application met the fault in the gateway" in verdict["because"]


async def test_an_application_that_forwards_the_mark_is_met_without_breaking_others(scene: Scene) -> None:
    daemon = await scene(forwards=True)
    verdict, journal = await run(daemon)
    assert verdict["kind"] == "passed", verdict["because"]
    rules = [event["text"] for event in journal["events"]]
    assert any("it met the fault, and a fallback was asked" in text for text in rules)


async def test_a_client_that_storms_is_told_and_fails_where_it_must_not(scene: Scene) -> None:
    daemon = await scene("mad", fault="rate_limited", client="{must: true, backoff: 200ms}")
    verdict, journal = await run(daemon)
    assert verdict["kind"] == "deviated"
    storms = await daemon.metric("fallbackd_client_misdeeds_total", drill="app", misdeed="retry_storm")
    assert storms == len({one["call"] for one in journal["passed"] if one["met"]})
    assert misdeeds(journal) >= {
        "ignored_retry_after",
        "too_many_attempts",
        "no_backoff",
        "retry_storm",
        "never_fell_back",
    }


async def test_a_fault_that_cannot_be_retried_is_retried_by_a_mad_client_alone(scene: Scene) -> None:
    _, journal = await run(await scene("mad", fault="unauthorized"))
    assert "retried_in_vain" in misdeeds(journal)


async def test_the_sdks_own_retries_break_no_rule(scene: Scene) -> None:
    verdict, journal = await run(await scene(fault="server_error"))
    assert verdict["kind"] == "passed", verdict["because"]
    assert misdeeds(journal) == set()
    assert any(one["retry"] == 1 for one in journal["passed"])


async def test_an_application_that_is_down_is_told_before_anything_is_broken(scene: Scene) -> None:
    daemon = await scene()
    chains = await anyio.Path(daemon.chains).read_text()
    await anyio.Path(daemon.chains).write_text(chains.replace("/chat", "/elsewhere"))
    assert await daemon.stop() == 0
    await daemon.start("--mute", sandbox=False)

    async def healthy() -> bool:
        chains = (await daemon.get("/api/v1/chains"))["chains"]
        return all(target["health"] == "healthy" for chain in chains for target in chain["targets"])

    await until(healthy, "the daemon is ready again")
    verdict, journal = await run(daemon)
    assert verdict["kind"] == "inconclusive"
    assert "the application answered HTTP 404, not 200" in verdict["because"]
    assert journal["injected"] == 0
