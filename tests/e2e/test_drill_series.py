"""Series of drills as real processes: a matrix, experiment files, CI, and Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.e2e.daemon import COMMAND, Daemon, command, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

GAME_DAY = """
drills:
  - name: day-one
    chain: walked
    break: fast
    with: {rate_limited: {retry_after: 5s}}
    requests: 1
    expect: {served_by: steady, path: failed_over}
  - {name: day-two, chain: chat, with: ignore, requests: 1}
"""


async def run(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = await anyio.to_thread.run_sync(lambda: command(*arguments, env=env))
    return done.returncode, done.stdout, done.stderr


async def _ready(daemon: Daemon) -> bool:
    chains: list[dict[str, Any]] = (await daemon.get("/api/v1/chains"))["chains"]
    return all(target["health"] == "healthy" for chain in chains for target in chain["targets"])


@pytest.fixture
async def running(make_daemon: Callable[..., Daemon]) -> Daemon:
    daemon = make_daemon()
    await daemon.start()
    await until(lambda: _ready(daemon), "every target is healthy")
    return daemon


async def test_a_matrix_says_what_it_costs_runs_and_fills_the_coverage(running: Daemon) -> None:
    code, out, err = await run("drill", "--matrix", "chat", "--dry-run", "--data", str(running.data))
    assert (code, err) == (0, "")
    assert "questions: some $" in out
    assert (await running.get("/api/v1/drills/runs"))["runs"] == []

    code, out, err = await run("drill", "--matrix", "chat", "--data", str(running.data))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    planned = (await running.get("/api/v1/chains/chat/matrix"))["drills"]
    assert {one["fault"] for one in planned} >= {"ignore", "only"}
    assert [line for line in lines if line.startswith(f"[{len(planned)}/{len(planned)}] passed, failover ")]
    assert lines[-1].startswith(f"{len(planned)} passed, ")
    (table,) = [one for one in (await running.get("/api/v1/coverage"))["chains"] if one["chain"] == "chat"]
    cells = {(cell["from"], cell["to"], cell["fault"]): cell for cell in table["cells"]}
    for one in planned:
        assert cells[one["from"], one["to"], one["fault"]]["state"] == "proven"
    assert cells["primary", "secondary", "ignore"]["planned"]
    assert not cells["primary", "secondary", "only"]["planned"]
    assert await running.metric("fallbackd_drills_total", drill="other", verdict="passed") == len(planned)
    assert await running.metric("fallbackd_edge_proven_timestamp_seconds", chain="chat", fault="only") > 0
    runs = (await running.get("/api/v1/drills/runs"))["runs"]
    journal = (await running.get(f"/api/v1/drills/runs/{runs[0]['run']}"))["journal"]
    assert journal["asked_by"].endswith(" on the command line")
    assert "@" in journal["asked_by"]


async def test_while_drills_are_stopped_a_matrix_and_a_one_off_are_refused_with_the_reason(running: Daemon) -> None:
    await running.post("/api/v1/stop", {"asked_by": "ada"})
    code, out, err = await run("drill", "--matrix", "chat", "--data", str(running.data))
    assert (code, err) == (3, "")
    assert "Left out, all drills are stopped until they are released: stopped by ada: " in out
    one_off = {"drill": {"name": "x", "chain": "chat", "with": "ignore"}, "asked_by": "ada"}
    refused = await running.post("/api/v1/experiments/runs", one_off)
    assert refused.status_code == 409
    assert refused.json()["error"]["message"].endswith("all drills are stopped until they are released: stopped by ada")


async def test_an_experiment_file_is_run_and_leaves_the_config_alone(running: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(GAME_DAY)
    code, out, err = await run("drill", "--file", str(file), "--json", "--data", str(running.data))
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert [(one["name"], one["result"]) for one in told["results"]] == [("day-one", "passed"), ("day-two", "passed")]
    assert told["results"][0]["journal"]["verdict"]["path"] == "failed_over"
    names = {one["name"] for one in (await running.get("/api/v1/drills"))["drills"]}
    assert not names & {"day-one", "day-two"}

    file.write_text(GAME_DAY.replace("rate_limited", "rate_limitde"))
    code, out, err = await run("drill", "--file", str(file), "--data", str(running.data))
    assert (code, out) == (2, "")
    assert err.startswith(f'{file}:6  drills[0].with: "rate_limitde" is not known here; did you mean "rate_limited"?')
    assert (await running.post("/api/v1/experiments/runs", {"drill": {"name": "x"}})).status_code == 422


TOOLKIT = """
title: walked answers without its fast target
steady-state-hypothesis:
  title: up
  probes:
    - {{type: probe, name: up, tolerance: {up}, provider: {{type: http, url: "{url}/-/healthy"}}}}
method:
  - type: action
    name: fast-stalls
    background: true
    provider:
      type: python
      module: fallbackd
      func: break_target
      arguments: {{chain: walked, target: fast, fault: stall, served_by: steady, requests: 1}}
  - type: probe
    name: broken meanwhile
    tolerance: {{type: regex, pattern: 'fallbackd_fault_active{{.*}} 1.0'}}
    provider: {{type: http, url: "{url}/metrics"}}
  - {{type: action, name: mend, provider: {{type: python, module: fallbackd, func: mend}}}}
  - type: probe
    name: mended
    tolerance: {{type: jsonpath, path: "$.runs[0].state", expect: finished}}
    provider: {{type: http, url: "{url}/api/v1/drills/runs"}}
rollbacks:
  - {{type: action, name: mend, provider: {{type: python, module: fallbackd, func: mend}}}}
"""


async def test_a_chaos_toolkit_experiment_is_performed(running: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(TOOLKIT.format(url=running.url, up=200))
    code, out, err = await run("drill", "--file", str(file), "--json", "--data", str(running.data))
    told = {one["name"]: one["result"] for one in json.loads(out)["results"]}
    assert (code, err) == (0, ""), out
    assert told == dict.fromkeys(
        ("hypothesis before: up", "broken meanwhile", "fast-stalls", "mended", "hypothesis after: up"), "passed"
    )
    file.write_text(TOOLKIT.format(url=running.url, up=204))
    code, out, err = await run("drill", "--file", str(file), "--data", str(running.data))
    assert (code, err) == (3, "")
    assert out.splitlines()[-1] == "1 inconclusive."
    assert len((await running.get("/api/v1/drills/runs"))["runs"]) == 1


@pytest.mark.parametrize(
    ("names", "code", "failures"), [(("primary-gone",), 0, 0), (("primary-gone", "impatient"), 1, 1)]
)
async def test_ci_gets_junit_a_summary_and_the_exit_code(
    names: tuple[str, ...], code: int, failures: int, running: Daemon, tmp_path: Path
) -> None:
    step = tmp_path / "step.md"
    step.write_text("before\n")
    data = ("--data", str(running.data))
    got, out, err = await run("drill", *names, "--ci", *data, env={"GITHUB_STEP_SUMMARY": str(step)})
    assert got == code, err
    suite = ET.fromstring(out).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == (str(len(names)), str(failures), "0")
    assert step.read_text().startswith("before\n## Fallback drills: 1 passed")
    assert "judge" in err or "[1/" in err

    xml, summary = tmp_path / "junit.xml", tmp_path / "summary.md"
    got, out, _ = await run("drill", *names, "--ci", "--junit", str(xml), "--markdown", str(summary), *data)
    assert (got, out) == (code, "")
    ET.fromstring(xml.read_text())
    assert summary.read_text().startswith("## Fallback drills: 1 passed")


async def test_ctrl_c_ends_the_drill_and_the_series_and_takes_the_fault_away(running: Daemon) -> None:
    arguments = [COMMAND, "drill", "long", "primary-gone", "--data", str(running.data)]
    process = subprocess.Popen(arguments, env=running.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        await until(lambda: _broken(running), "the chain is broken")
        process.send_signal(signal.SIGINT)
        out, err = await anyio.to_thread.run_sync(lambda: process.communicate(timeout=30))
    finally:
        process.kill()
    assert (process.returncode, err) == (3, "")
    assert "the drill is ended and its fault taken away" in out
    assert out.splitlines()[-1] == "1 aborted, 1 not run."
    assert await running.metric("fallbackd_fault_active", drill="long") == 0
    (one,) = (await running.get("/api/v1/drills/runs"))["runs"]
    assert (one["drill"], one["verdict"]["kind"]) == ("long", "aborted")
    assert one["verdict"]["because"].endswith(" on the command line (Ctrl-C)")


async def _broken(daemon: Daemon) -> bool:
    return await daemon.metric("fallbackd_fault_active", drill="long") == 1


async def test_a_terminal_shows_the_phases_as_they_come(running: Daemon) -> None:
    own, theirs = pty.openpty()
    env = {**running.env, "TERM": "xterm-256color", "COLUMNS": "120"}
    process = subprocess.Popen(
        [COMMAND, "drill", "primary-gone", "--data", str(running.data)],
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        shown = (await anyio.to_thread.run_sync(_all_of, own)).decode()
        assert await anyio.to_thread.run_sync(lambda: process.wait(timeout=30)) == 0
    finally:
        process.kill()
        os.close(own)
    for told in ("guard", "baseline", "inject", "recover", "PASSED: secondary answered all 2 requests"):
        assert told in shown
    assert "\x1b[" in shown


def _all_of(terminal: int) -> bytes:
    """Until the other side is closed, which Linux tells as an error."""
    found = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            return found
        if not part:
            return found
        found += part


async def test_without_a_daemon_a_matrix_runs_on_the_sandbox(make_daemon: Callable[..., Daemon]) -> None:
    files = make_daemon()
    code, out, err = await run(
        "drill", "--matrix", "chat", "--sandbox", "--chains", str(files.chains), "--alerts", str(files.alerts)
    )
    assert (code, err) == (0, "")
    assert any(
        line.split()[:7] == ["chat", "primary", "->", "secondary", "only", "●", "proven"] for line in out.splitlines()
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "name drills of chains.yaml, or one of --matrix CHAIN and --file FILE\n"),
        (("a", "--matrix", "chat"), "name drills of chains.yaml, or one of --matrix CHAIN and --file FILE\n"),
        (("--file", "/no/such.yaml"), "/no/such.yaml cannot be read: No such file or directory\n"),
        (("--matrix", "chta"), '"chta" is no chain here; choose one of chat, walked\n'),
    ],
)
async def test_wrong_usage_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, make_daemon: Callable[..., Daemon]
) -> None:
    files = make_daemon()
    chosen = ("--sandbox", "--chains", str(files.chains), "--alerts", str(files.alerts))
    code, out, err = await run("drill", *arguments, *chosen)
    assert (code, out, err) == (2, "", sentence)
