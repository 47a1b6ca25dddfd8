"""The safety rules of drills, each with an attempt to break it: real processes, killed and starved in mid-drill."""

from __future__ import annotations

import json
import math
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import Any

import anyio
import httpx
import pytest

from chaos.sandbox import Sandbox
from tests.e2e.apart import Apart
from tests.e2e.configs import QUIET
from tests.e2e.daemon import COMMAND, Daemon, until
from tests.fakes.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

FAST, STEADY = "mistralai/mistral-small-3.2-24b-instruct", "google/gemini-2.5-flash"
KEY = "sk-or-v1-safety0123456789abcdef"

CHAINS = f"""
endpoints:
  there: {{{{dialect: openrouter, url: "{{url}}", credential_env: KEY_OF_THE_TEST}}}}
chains:
  - name: walked
    endpoint: there
    mode: client
    targets: [{{{{label: fast, model: {FAST}, timeout: 5s}}}}, {{{{label: steady, model: {STEADY}, timeout: 5s}}}}]
    probes: [{{{{kind: completion, every: 1s}}}}]
  - name: other
    endpoint: there
    mode: client
    targets: [{{{{label: quick, model: {FAST}, timeout: 5s}}}}, {{{{label: sure, model: {STEADY}, timeout: 5s}}}}]
    probes: [{{{{kind: completion, every: 1s}}}}]
drills:
  - {{{{name: long, chain: walked, by: gateway, with: unavailable, requests: 100, max_duration: 12s}}}}
  - {{{{name: longer, chain: walked, by: gateway, with: unavailable, requests: 100, max_duration: 200s}}}}
  - {{{{name: held, chain: walked, with: silent, requests: 100, max_duration: 60s}}}}
  - name: real
    chain: walked
    with: unavailable
    requests: 1
    max_duration: 25s
    live: {{{{percent: 50%, for: 20s, samples: 500}}}}
  - {{{{name: beside, chain: other, with: unavailable}}}}
  - {{{{name: never-met, chain: walked, break: steady, with: unavailable, expect: {{{{served_by: fast}}}}}}}}
gateway:
  endpoint: there
  separate: true
  listen: "127.0.0.1:{{listen}}"
  control: "127.0.0.1:{{control}}"
  live: {{{{walked: {{{{percent: 100%}}}}}}}}
"""
ALERTS = f"{QUIET.rstrip()}\n  - {{name: fault-stuck, when: fault_stuck}}\n"


@pytest.fixture
def gateway_program() -> tuple[str, ...]:
    """What runs as the gateway."""
    return (COMMAND,)


@pytest.fixture
async def daemon(
    make_daemon: Callable[..., Daemon], sandbox: tuple[Sandbox, str], gateway_program: tuple[str, ...]
) -> AsyncIterator[Daemon]:
    """A daemon whose gateway and endpoint outlive it; started, and content with every target."""
    ports = {"listen": free_port(), "control": free_port()}
    made = make_daemon(CHAINS.format(url=sandbox[1], **ports), ALERTS, KEY_OF_THE_TEST=KEY)
    apart = Apart(made, **ports, key=KEY, named={"model": FAST}, program=gateway_program)
    made.apart = apart  # type: ignore[attr-defined]  # the two are one scene to these tests
    try:
        await apart.ready()
        await made.start("--mute", sandbox=False)
        await until(lambda: is_ready(made), "the daemon is ready")
        yield made
    finally:
        apart.kill()


def apart_of(daemon: Daemon) -> Apart:
    found: Apart = daemon.apart  # type: ignore[attr-defined]  # as above
    return found


async def is_ready(daemon: Daemon) -> bool:
    chains = (await daemon.get("/api/v1/chains"))["chains"]
    return all(target["health"] == "healthy" for chain in chains for target in chain["targets"])


async def begin(daemon: Daemon, drill: str) -> str:
    """The run's id, once its fault is in place."""
    reply = await daemon.post(f"/api/v1/drills/{drill}/runs")
    assert reply.status_code == 202, reply.text

    async def injecting() -> bool:
        return await daemon.metric("fallbackd_fault_active", drill=drill) == 1

    await until(injecting, "the fault is in place")
    return str(reply.json()["run"])


async def refusal(daemon: Daemon, drill: str) -> str:
    """Why a drill may not run now."""
    reply = await daemon.post(f"/api/v1/drills/{drill}/runs")
    assert reply.status_code == 409, reply.text
    return str(reply.json()["error"]["message"])


async def verdict(daemon: Daemon, run: str) -> dict[str, Any]:
    async def finished() -> Any:
        found = await daemon.get(f"/api/v1/drills/runs/{run}")
        return found["state"] == "finished" and found

    found: dict[str, Any] = (await until(finished, "the run has ended"))["verdict"]
    return found


async def armed(apart: Apart, run: str) -> list[dict[str, Any]]:
    found = await until(apart.rules, "the rule stands in the gateway")
    assert [rule["run"] for rule in found] == [run]
    return found  # type: ignore[no-any-return]  # until gives back what it was given


async def test_the_fault_ends_by_itself_when_the_daemon_is_killed(daemon: Daemon) -> None:
    apart = apart_of(daemon)
    run = await begin(daemon, "long")
    await armed(apart, run)
    daemon.kill()
    assert await apart.ask(run) == 503  # nobody is left to take it away
    assert await apart.ask() == 200  # and the application's own traffic never met it

    async def ended() -> bool:
        return await apart.rules() == [] and await apart.ask(run) == 200

    await until(ended, "the fault ends at its own deadline")

    await daemon.start("--mute", sandbox=False)  # a restart starts clean
    assert await daemon.metric("fallbackd_fault_active") == 0
    assert await apart.rules() == []
    await until(lambda: is_ready(daemon), "the daemon is ready again")
    assert (await daemon.post("/api/v1/drills/beside/runs")).status_code == 202


async def test_a_daemon_that_comes_back_shows_what_still_stands_in_the_gateway(daemon: Daemon) -> None:
    apart = apart_of(daemon)
    run = await begin(daemon, "longer")
    await armed(apart, run)
    daemon.kill()
    assert await apart.metric("fallbackd_fault_active", drill="longer", fault="unavailable") == 1
    await daemon.start("--mute", sandbox=False)

    async def shown() -> bool:
        return await daemon.metric("fallbackd_fault_active", drill="longer") == 1

    async def ended() -> bool:
        return await daemon.metric("fallbackd_fault_active") == 0

    await until(shown, "the fault of before is seen")
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.delete(f"{apart.control}/rules/{run}")).json() == {"released": 1}
    await until(ended, "it has ended")
    assert await apart.metric("fallbackd_fault_active", drill="longer", fault="unavailable") == 0
    assert (await daemon.get("/api/v1/alerts"))["alerts"] == []


@pytest.mark.parametrize("gateway_program", [(sys.executable, "-m", "tests.e2e.clinging_gateway")], ids=["clinging"])
async def test_a_fault_that_the_gateway_does_not_let_go_of_is_an_alert(daemon: Daemon) -> None:
    run = await begin(daemon, "long")
    await armed(apart_of(daemon), run)
    assert (await daemon.post("/api/v1/stop")).status_code == 200
    assert (await verdict(daemon, run))["kind"] == "aborted"

    async def told() -> Any:
        return [one for one in (await daemon.get("/api/v1/alerts"))["alerts"] if one["state"] == "firing"]

    (alert,) = await until(told, "the fault is told of", seconds=60)
    assert (alert["alert"], alert["chain"]) == ("fault-stuck", "walked")
    assert alert["title"] == "The fault unavailable of drill long is still active"
    assert {"injector": "gateway", "run": run}.items() <= dict(alert["facts"]).items()
    assert await daemon.metric("fallbackd_fault_active", drill="long") == 1
    apart_of(daemon).kill()  # and with its process the fault is gone

    async def over() -> bool:
        return not await told() and await daemon.metric("fallbackd_fault_active") == 0

    await until(over, "it is over", seconds=60)


async def test_broken_live_traffic_mends_by_itself_when_the_daemon_is_killed(daemon: Daemon) -> None:
    apart = apart_of(daemon)
    run = await begin(daemon, "real")
    await armed(apart, run)

    async def broken() -> bool:
        return await apart.ask() == 503

    await until(broken, "live traffic meets the fault")
    daemon.kill()
    assert {await apart.ask() for _ in range(30)} == {200, 503}  # half of it, with nobody there to end it

    async def ended() -> bool:
        return await apart.rules() == []

    await until(ended, "the fault ends at its own deadline", seconds=60)
    assert {await apart.ask() for _ in range(10)} == {200}


async def test_sigterm_takes_the_fault_away_from_the_gateway_at_once(daemon: Daemon) -> None:
    apart = apart_of(daemon)
    run = await begin(daemon, "long")
    until_then = (await armed(apart, run))[0]["until"]
    assert await daemon.stop(signal.SIGTERM) == 0
    assert await apart.rules() == []
    assert await apart.ask(run) == 200
    await daemon.start("--mute", sandbox=False)
    found = await daemon.get(f"/api/v1/drills/runs/{run}")
    assert found["verdict"]["kind"] == "aborted"
    assert found["verdict"]["at"] < until_then  # before its own deadline, that is


async def test_a_gateway_that_is_killed_in_mid_drill_proves_nothing(daemon: Daemon) -> None:
    apart = apart_of(daemon)
    run = await begin(daemon, "long")
    await armed(apart, run)
    apart.kill()
    told = await verdict(daemon, run)
    assert told["kind"] in ("deviated", "inconclusive", "aborted")
    assert await daemon.metric("fallbackd_fault_active") == 0


async def test_a_database_that_cannot_be_written_loses_neither_rollback_nor_journal(daemon: Daemon) -> None:
    run = await begin(daemon, "held")
    with closing(sqlite3.connect(daemon.data / "fallbackd.sqlite3", isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")

        async def failing() -> bool:
            return "writing failed" in daemon.output

        await until(failing, "the daemon says that it cannot write")
        assert (await daemon.post("/api/v1/stop")).status_code == 200
        told = await verdict(daemon, run)
        assert told["kind"] == "aborted"
        assert await daemon.metric("fallbackd_fault_active") == 0
        lock.execute("ROLLBACK")

    assert await daemon.stop() == 0
    with closing(sqlite3.connect(daemon.data / "fallbackd.sqlite3")) as database:
        rows = database.execute("select journal from journals where run = ?", (run,)).fetchall()
    assert json.loads(rows[0][0])["verdict"]["kind"] == "aborted"


async def test_a_database_that_is_gone_stops_no_drill_from_ending(daemon: Daemon) -> None:
    await begin(daemon, "held")
    await anyio.to_thread.run_sync(shutil.rmtree, daemon.data)
    assert (await daemon.post("/api/v1/stop")).status_code == 200

    async def over() -> bool:
        return await daemon.metric("fallbackd_fault_active") == 0

    await until(over, "the fault is taken away")
    assert await daemon.metric("fallbackd_drills_total", drill="held", verdict="aborted") == 1
    await daemon.stop(signal.SIGTERM)
    assert "Traceback" not in daemon.output


async def test_a_real_outage_in_mid_drill_ends_it_and_is_told_and_neither_counts_for_the_other(
    daemon: Daemon, sandbox: tuple[Sandbox, str]
) -> None:
    before = await daemon.metric("fallbackd_chain_answers_total", chain="walked", origin="scheduled", position="1")
    run = await begin(daemon, "held")
    sandbox[0].break_(FAST, None, "unavailable")
    sandbox[0].break_(STEADY, None, "unavailable")
    told = await verdict(daemon, run)
    assert told["kind"] == "aborted"
    assert told["because"].startswith("real trouble on walked during the drill")
    assert await daemon.metric("fallbackd_fault_active") == 0

    async def firing() -> Any:
        alerts = (await daemon.get("/api/v1/alerts"))["alerts"]
        return [one for one in alerts if one["alert"] == "chain-down" and one["chain"] == "walked"]

    await until(firing, "the outage is told")
    # No answer by the fallback was counted for the chain: while it was broken on purpose only the drill saw it answer.
    after = await daemon.metric("fallbackd_chain_answers_total", chain="walked", origin="scheduled", position="1")
    assert after == before
    assert re.search("walked is down for real|open incident", await refusal(daemon, "held"))


async def test_two_drills_that_share_a_provider_do_not_run_at_once(daemon: Daemon) -> None:
    await begin(daemon, "held")
    assert re.search(r"the drill held on walked is taking \S.* away \(run ", await refusal(daemon, "beside"))


async def test_a_drill_whose_fallback_is_down_is_refused_and_says_so(
    daemon: Daemon, sandbox: tuple[Sandbox, str]
) -> None:
    sandbox[0].break_(STEADY, None, "unavailable")

    async def seen() -> bool:
        found = await daemon.get("/api/v1/chains/walked")
        return bool(found["targets"][1]["health"] == "down")

    await until(seen, "the fallback is seen to be down")
    assert "steady" in (why := await refusal(daemon, "held"))
    assert "down" in why
    assert await daemon.metric("fallbackd_fault_active") == 0


async def test_a_fault_that_never_met_a_request_proves_nothing(daemon: Daemon) -> None:
    told = await verdict(daemon, (await daemon.post("/api/v1/drills/never-met/runs")).json()["run"])
    assert told["kind"] == "inconclusive"
    assert "never met a request" in told["because"]
    assert await daemon.metric("fallbackd_edge_proven_timestamp_seconds", edge="steady->fast") == 0


async def test_the_mark_of_another_run_meets_no_fault(daemon: Daemon) -> None:
    apart = apart_of(daemon)
    run = await begin(daemon, "long")
    await armed(apart, run)
    assert await apart.ask("somebody-elses-run") == 200
    assert await apart.ask(run) == 503


async def test_a_gateway_measures_how_often_its_traffic_is_a_fallback(daemon: Daemon) -> None:
    apart = apart_of(daemon)
    ratio = {"chain": "walked", "window": "15m"}
    assert math.isnan(await apart.metric("fallbackd_chain_fallback_ratio", **ratio))
    for model in (FAST, FAST, STEADY, FAST):
        assert await apart.ask(model=model) == 200

    async def counted() -> bool:
        return await apart.metric("fallbackd_chain_answers_total", chain="walked", origin="live") == 4

    await until(counted, "what passed is counted")
    assert await apart.metric("fallbackd_chain_fallback_ratio", **ratio) == 0.25
