"""Drills on applications that leave the walk to their endpoint: their one request is changed in the gateway.

Real processes: the daemon, its gateway, and an application that uses the openai SDK, plain and streamed.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from openai import APIError, AsyncOpenAI

from chaos.sandbox import Sandbox
from tests.e2e.apart import Apart
from tests.e2e.application import KEY as OF_APPLICATION
from tests.e2e.configs import QUIET
from tests.e2e.daemon import Daemon, until
from tests.fakes.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HAIKU, MINI, FLASH = "anthropic/claude-haiku-4.5", "openai/gpt-4o-mini", "google/gemini-2.5-flash"
LLAMA, ORDER = "meta-llama/llama-3.3-70b-instruct", ("groq", "together", "deepinfra")
KEY = "sk-or-v1-walked0123456789abcdefgh"
APP_KEY = "app-key"

CHAINS = f"""
endpoints:
  there: {{{{dialect: openrouter, url: "{{url}}", credential_env: KEY_OF_THE_TEST}}}}
chains:
  - name: listed
    endpoint: there
    mode: server
    targets:
      - {{{{label: primary, model: {HAIKU}, timeout: 5s}}}}
      - {{{{label: secondary, model: {MINI}, timeout: 5s}}}}
      - {{{{label: last-resort, model: {FLASH}, timeout: 5s}}}}
    probes: [{{{{kind: completion, every: 1s}}}}]
  - name: ordered
    endpoint: there
    mode: provider
    model: {LLAMA}
    targets:
      - {{{{label: groq, provider: groq, timeout: 5s}}}}
      - {{{{label: together, provider: together, timeout: 5s}}}}
      - {{{{label: deepinfra, provider: deepinfra, timeout: 5s}}}}
    probes: [{{{{kind: completion, every: 1s}}}}]
drills:
  - name: app
    chain: {{chain}}
    with: {{fault}}
    requests: 1
    max_duration: 40s
    application:
      url: "http://127.0.0.1:{{port}}/chat"
      credential_env: KEY_OF_THE_APPLICATION
      body: {{{{text: "ping {{{{nonce}}}}"}}}}
      expect: {{{{json: {{{{ok: true}}}}}}}}
      within: 15s
      every: 100ms
      requests: 2
      forwards_mark: {{forwards}}
  - name: live
    chain: {{chain}}
    with: {{fault}}
    requests: 1
    max_duration: 100s
    expect: {{{{within: {{within}}}}}}
    live: {{{{percent: 40%, for: {{lasts}}, samples: 10, failures: 20%, patience: 1s}}}}
gateway:
  endpoint: there
  separate: {{separate}}
  listen: "127.0.0.1:{{listen}}"
  control: "127.0.0.1:{{control}}"
  live: {{{{{{chain}}: {{{{percent: 100%, max_in_flight: 20}}}}}}}}
"""
NAMES = {"listed": (HAIKU, MINI, FLASH), "ordered": (LLAMA, *ORDER)}
ADDRESSED: dict[str, dict[str, Any]] = {
    "listed": {"model": HAIKU, "extra_body": {"models": [HAIKU, MINI, FLASH]}},
    "ordered": {"model": LLAMA, "extra_body": {"provider": {"order": list(ORDER)}}},
}
DEFAULTS = {
    "fault": "ignore", "lasts": "60s", "within": "10s", "forwards": "false", "separate": "false", "control": "0",
    "nonce": "{nonce}",
}  # fmt: skip
Scene = Callable[..., Any]


@pytest.fixture
async def scene(make_daemon: Callable[..., Daemon], sandbox: tuple[Sandbox, str]) -> AsyncIterator[Scene]:
    """Starts an application of some manner and a daemon whose gateway it uses; gives back daemon and base URL."""
    processes: list[subprocess.Popen[bytes]] = []

    async def start(
        chain: str = "listed", manner: str = "models", *, names: tuple[str, ...] = (), **settings: str
    ) -> tuple[Daemon, str]:
        port, listen = free_port(), free_port()
        given = DEFAULTS | {"url": sandbox[1], "chain": chain, "port": str(port), "listen": str(listen)} | settings
        chains = CHAINS.format(**given)
        daemon = make_daemon(chains, QUIET, KEY_OF_THE_TEST=KEY, KEY_OF_THE_APPLICATION=APP_KEY)
        base = f"http://127.0.0.1:{listen}/v1"
        script = str(Path(__file__).with_name("application.py"))
        command = [sys.executable, script, base, str(port), manner, *(names or NAMES[chain])]
        processes.append(subprocess.Popen(command, env=daemon.env))
        await daemon.start("--mute", sandbox=False)
        await until(lambda: _ready(daemon, port), "the daemon and the application are ready")
        return daemon, base

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


async def run(daemon: Daemon, drill: str = "app") -> tuple[dict[str, Any], dict[str, Any]]:
    """The verdict and the journal."""
    reply = await daemon.post(f"/api/v1/drills/{drill}/runs")
    assert reply.status_code == 202, reply.text

    async def finished() -> Any:
        found = await daemon.get(f"/api/v1/drills/runs/{reply.json()['run']}")
        return found["state"] == "finished" and found

    found = await until(finished, "the run has ended", seconds=150)
    print(found["text"])
    return found["verdict"], found["journal"]


@pytest.mark.parametrize(
    ("chain", "manner", "fault"),
    [
        ("listed", "models", "ignore"),
        ("listed", "models-stream", "only"),
        ("ordered", "order", "unavailable"),
        ("ordered", "order-stream", "ignore"),
    ],
)
async def test_an_application_is_proven_by_who_answered_its_own_request(
    scene: Scene, chain: str, manner: str, fault: str
) -> None:
    daemon, _ = await scene(chain, manner, fault=fault)
    verdict, journal = await run(daemon)
    assert verdict["kind"] == "passed", verdict["because"]
    assert "the application answered all 2 that met the fault, each by a fallback" in verdict["because"]
    assert "by time" not in verdict["because"]  # its own mark was found in what it asked
    met = [one for one in journal["passed"] if one["met"]]
    assert len(met) == 2
    for one in met:
        assert (one["gone"], one["served"], one["ok"]) == ([0], 1, True)
        assert one["streamed"] is manner.endswith("-stream")
    assert journal["injected"] == 3  # with the drill's own request, which took the same way
    assert journal["conduct"] == []
    kept = b"".join(path.read_bytes() for path in daemon.data.rglob("*") if path.is_file()) + daemon.log.read_bytes()
    assert not [secret for secret in (APP_KEY, OF_APPLICATION, "ping fbd-") if secret in str(journal)]
    assert not [secret for secret in (APP_KEY, OF_APPLICATION, "ping fbd-") if secret.encode() in kept]
    # What was broken on purpose counts for nobody: the fallback's answers are the drill's.
    assert await daemon.metric("fallbackd_chain_answers_total", origin="live", position="1") == 0


async def test_an_application_that_has_lost_its_fallbacks_is_left_alone_and_told(scene: Scene) -> None:
    daemon, _ = await scene(names=(HAIKU,))
    verdict, journal = await run(daemon)
    assert verdict["kind"] == "inconclusive"
    assert "(what it sent does not ask for the chain as it is configured" in verdict["because"]
    assert not any(one["met"] for one in journal["passed"])
    assert all(one["wrong"] is None for one in journal["application"])


async def test_a_client_that_storms_at_its_endpoint_is_told_and_blamed_for_no_walk_of_its_own(scene: Scene) -> None:
    daemon, _ = await scene(manner="models-mad")
    verdict, journal = await run(daemon)
    assert verdict["kind"] == "deviated"
    assert "with primary broken, the application answered HTTP 502, not 200" in verdict["because"]
    misdeeds = {one["misdeed"] for one in journal["conduct"]}
    assert misdeeds == {"retried_in_vain", "too_many_attempts", "no_backoff", "retry_storm"}


async def test_an_application_that_forwards_the_mark_is_met_without_breaking_others(scene: Scene) -> None:
    daemon, base = await scene(forwards="true")
    async with traffic(base, ADDRESSED["listed"]) as models:
        verdict, journal = await run(daemon)
    assert verdict["kind"] == "passed", verdict["because"]
    assert sum(one["met"] for one in journal["passed"]) == 2
    assert models == {next(iter(models))}  # the primary, in its one spelling
    assert next(iter(models)).startswith("anthropic/")


@asynccontextmanager
async def traffic(base: str, asks: dict[str, Any], *, streams: bool = False) -> AsyncIterator[set[str]]:
    """Calls without end, each another question, from six at once; gives the models that answered, as they come."""
    count, models = itertools.count(), set[str]()

    async def asking() -> None:
        async with AsyncOpenAI(base_url=base, api_key=KEY, max_retries=0, timeout=10) as client:
            while True:
                messages: Any = [{"role": "user", "content": f"question {next(count)}"}]
                with suppress(APIError):
                    if streams:
                        stream = await client.chat.completions.create(messages=messages, stream=True, **asks)
                        models.update([chunk.model async for chunk in stream])
                    else:
                        models.add((await client.chat.completions.create(messages=messages, **asks)).model)

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(asking)
        yield models
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("chain", "streams", "fallback"), [("listed", True, "secondary"), ("ordered", False, "together")]
)
async def test_live_calls_are_answered_by_the_fallback_beside_an_equal_control_group(
    scene: Scene, chain: str, streams: bool, fallback: str
) -> None:
    daemon, base = await scene(chain, {"listed": "models", "ordered": "order"}[chain])
    async with traffic(base, ADDRESSED[chain], streams=streams):
        verdict, journal = await run(daemon, "live")
    assert verdict["kind"] == "passed", verdict["because"]
    assert "live traffic held: 0 of" in verdict["because"]
    assert f"({fallback} answered" in verdict["because"]
    groups = {group: [one for one in journal["passed"] if one["group"] == group] for group in ("broken", "control")}
    assert all(one["met"] and one["served"] == 1 for one in groups["broken"] if one["ok"])
    assert not any(one["met"] for one in groups["control"])
    assert {one["served"] for one in groups["control"] if one["ok"]} == {0}
    # The answers of fallbacks to what was broken on purpose count for no rate; the control group's answers do count.
    assert await daemon.metric("fallbackd_chain_answers_total", origin="live", position="1") == 0
    assert await daemon.metric("fallbackd_chain_answers_total", origin="live", position="0") >= 10


async def test_no_live_traffic_is_broken_where_the_drills_own_requests_do_not_hold(scene: Scene) -> None:
    daemon, base = await scene(within="1ms")
    async with traffic(base, ADDRESSED["listed"]) as models:
        verdict, journal = await run(daemon, "live")
    assert {model.partition("/")[0] for model in models} == {"anthropic"}
    assert not any(one["met"] for one in journal["passed"])
    assert verdict["kind"] == "deviated"
    assert "later than the 1ms that the drill allows" in verdict["because"]
    assert any("no live traffic is broken" in event["text"] for event in journal["events"])
    assert journal["compared"] is None
    assert await daemon.metric("fallbackd_fault_active") == 0


async def test_live_calls_that_allow_no_fallback_are_harmed_and_that_ends_the_drill_at_once(scene: Scene) -> None:
    daemon, base = await scene()
    own = {"models": [HAIKU, MINI, FLASH], "provider": {"only": ["anthropic", "amazon-bedrock"]}}
    async with traffic(base, {"model": HAIKU, "extra_body": own}):
        verdict, journal = await run(daemon, "live")
    assert verdict["kind"] == "deviated"
    assert "live traffic was harmed, so the drill was ended at once" in verdict["because"]
    assert journal["compared"]["harm"] == "failing"
    assert await daemon.metric("fallbackd_fault_active") == 0
    assert await daemon.metric("fallbackd_chain_health", chain="listed", state="healthy") == 1


@pytest.mark.parametrize("chain", ["listed", "ordered"])
async def test_the_change_ends_by_itself_when_the_daemon_is_killed(
    make_daemon: Callable[..., Daemon], sandbox: tuple[Sandbox, str], chain: str
) -> None:
    ports = {"listen": free_port(), "control": free_port()}
    written = {"separate": "true", "url": sandbox[1], "chain": chain, "port": "1", "lasts": "20s"}
    chains = CHAINS.format(**(DEFAULTS | written | ports)).replace("max_duration: 100s", "max_duration: 25s")
    chains = chains.replace("percent: 40%", "percent: 50%").replace("samples: 10", "samples: 500")
    daemon = make_daemon(chains, QUIET, KEY_OF_THE_TEST=KEY, KEY_OF_THE_APPLICATION=APP_KEY)
    asks = ADDRESSED[chain]
    apart = Apart(daemon, **ports, key=KEY, named={"model": asks["model"], **asks["extra_body"]})

    async def answered_by() -> str:
        found = (await apart.answer()).json()
        return str(found["provider"] if chain == "ordered" else found["model"].partition("/")[0])

    primary, fallback = {"listed": ("anthropic", "openai"), "ordered": ("Groq", "Together")}[chain]
    try:
        await apart.ready()
        await daemon.start("--mute", sandbox=False)

        async def healthy() -> bool:
            found = (await daemon.get("/api/v1/chains"))["chains"]
            return all(target["health"] == "healthy" for one in found for target in one["targets"])

        await until(healthy, "the daemon is ready")
        assert await answered_by() == primary
        assert (await daemon.post("/api/v1/drills/live/runs")).status_code == 202
        await until(apart.rules, "the rule stands in the gateway")

        async def broken() -> bool:
            return await answered_by() == fallback

        await until(broken, "a request of an application is changed")
        daemon.kill()
        assert {await answered_by() for _ in range(30)} == {primary, fallback}  # half, and nobody there to end it

        async def ended() -> bool:
            return await apart.rules() == []

        await until(ended, "the change ends at its own deadline", seconds=60)
        assert {await answered_by() for _ in range(10)} == {primary}
    finally:
        apart.kill()
