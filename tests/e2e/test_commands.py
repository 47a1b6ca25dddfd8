"""The commands as a person types them: against a running daemon, alone, and typed wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from monitor.version import VERSION
from tests.e2e.configs import CHAINS, QUIET
from tests.e2e.daemon import COMMAND, ROOT, Daemon, command, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "chains.yaml").write_text(CHAINS)
    (tmp_path / "alerts.yaml").write_text(QUIET)
    return ["--chains", str(tmp_path / "chains.yaml"), "--alerts", str(tmp_path / "alerts.yaml")]


async def run(*arguments: str, **env: str) -> tuple[int, str, str]:
    done = await anyio.to_thread.run_sync(lambda: command(*arguments, env=env))
    return done.returncode, done.stdout, done.stderr


async def test_check_is_content_with_the_shipped_files_and_only_the_key() -> None:
    code, out, err = await run("check", OPENROUTER_API_KEY="sk-test")
    assert (code, err) == (0, "")
    assert out.startswith("chains.yaml and alerts.yaml are good: 3 chains")


async def test_check_names_file_line_and_remedy_of_each_mistake_and_exits_2(files: list[str]) -> None:
    broken = CHAINS.replace("mode: client", "mode: clinet").replace("every: 2s", "every: 2")
    await anyio.Path(files[1]).write_text(broken)
    code, _, err = await run("check", *files, OPENROUTER_API_KEY="sk-test")
    assert code == 2
    assert 'did you mean "client"?' in err
    assert "2 has no unit; write 2s, 2m or 2h" in err
    assert "Traceback" not in err
    line = broken.splitlines().index("    mode: clinet") + 1
    assert f"chains.yaml:{line}" in err


async def test_check_counts_what_it_has_read(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{"models": ["a/one", "b/two"]}')
    _, imported, _ = await run("import", "openrouter", str(tmp_path / "request.json"))
    await anyio.Path(files[1]).write_text(imported)
    _, out, _ = await run("check", *files, OPENROUTER_API_KEY="sk-test")
    assert "are good: 1 chain, 2 targets, 0 drills, " in out


async def test_plan_prints_what_a_day_costs_before_anything_is_asked(files: list[str]) -> None:
    code, out, _ = await run("plan", "--sandbox", "--json", *files)
    plan = json.loads(out)
    assert code == 0
    assert plan["usd_per_day"] > 0
    assert {row["asked"] for row in plan["rows"]} >= {"end to end", "primary", "fast"}


async def test_plan_shows_a_tiny_budget_as_it_is_written(files: list[str]) -> None:
    await anyio.Path(files[1]).write_text(f"{CHAINS}\nbudgets: {{usd_per_day: 0.002}}\n")
    _, out, _ = await run("plan", "--sandbox", *files)
    assert "budget of all chains together: USD 0.002 a day, too small" in out


async def test_plan_says_what_it_cannot_know_without_a_price(files: list[str]) -> None:
    code, out, _ = await run("plan", "--offline", *files, OPENROUTER_API_KEY="sk-test")
    assert code == 0
    assert "0.0000" not in out
    assert "unknown and left out of the sums" in out
    assert "enough for" not in out


async def test_the_version_is_said() -> None:
    assert await run("--version") == (0, f"fallbackd {VERSION}\n", "")


async def test_probe_asks_the_chain_and_each_target_once(files: list[str]) -> None:
    code, out, _ = await run("probe", "chat", "--sandbox", "--json", *files)
    outcomes = json.loads(out)
    assert code == 0
    assert [(one["target"], one["status"]) for one in outcomes] == [
        (None, "ok"),
        ("primary", "ok"),
        ("secondary", "ok"),
    ]
    assert outcomes[0]["served_by"] == "primary"


async def test_an_unknown_name_is_answered_with_the_choices(files: list[str]) -> None:
    for typed, choice in ((["probe", "chta"], "chat"), (["drill", "primry"], "primary-gone")):
        code, _, err = await run(*typed, "--sandbox", *files)
        assert code == 2
        assert choice in err
        assert "Traceback" not in err


@pytest.mark.parametrize(("drill", "code", "verdict"), [("primary-gone", 0, "PASSED"), ("impatient", 1, "DEVIATED")])
async def test_a_drill_alone_exits_by_its_verdict(files: list[str], drill: str, code: int, verdict: str) -> None:
    got, out, err = await run("drill", drill, "--sandbox", *files)
    assert got == code, out + err
    assert verdict in out
    assert "rollback" in out or "taken away" in out


async def test_the_schema_is_json(files: list[str]) -> None:
    code, out, _ = await run("export", "schema")
    assert code == 0
    assert "chains" in json.loads(out)["properties"]


async def test_a_drill_by_the_daemon_is_followed_to_its_verdict_and_kept(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    await daemon.start()
    await until(lambda: _ready(daemon), "the daemon is ready")
    for drill, path in (("primary-gone", "filtered"), ("fast-refuses", "failed_over")):
        code, out, err = await run("drill", drill, "--data", str(daemon.data))
        assert code == 0, out + err
        assert "PASSED" in out
        runs = (await daemon.get("/api/v1/drills/runs"))["runs"]
        assert runs[0]["drill"] == drill
        assert runs[0]["verdict"]["path"] == path
    assert await daemon.metric("fallbackd_drills_total", drill="fast-refuses", verdict="passed") == 1
    assert await daemon.metric("fallbackd_edge_proven_timestamp_seconds", edge="fast->steady") > 0
    assert await daemon.metric("fallbackd_edge_unproven", edge="fast->steady", fault="rate_limited") == 0
    code, out, _ = await run("coverage", "walked", "--data", str(daemon.data))
    assert code == 0
    assert any(
        line.split()[:7] == ["walked", "fast", "->", "steady", "rate_limited", "●", "proven"]
        for line in out.splitlines()
    )


async def _ready(daemon: Daemon) -> bool:
    chains = (await daemon.get("/api/v1/chains"))["chains"]
    return all(target["health"] == "healthy" for chain in chains for target in chain["targets"])


async def test_stop_ends_a_running_drill_blocks_the_next_and_survives_a_restart(
    make_daemon: Callable[..., Daemon],
) -> None:
    daemon = make_daemon()
    await daemon.start()
    await until(lambda: _ready(daemon), "the daemon is ready")
    begun = (await daemon.post("/api/v1/drills/long/runs")).json()["run"]

    async def injecting() -> bool:
        return await daemon.metric("fallbackd_fault_active", drill="long") == 1

    await until(injecting, "the fault is in place")
    code, out, _ = await run("stop", "--data", str(daemon.data))
    assert (code, "1 running" in out) == (0, True)

    async def aborted() -> bool:
        found = await daemon.get(f"/api/v1/drills/runs/{begun}")
        return found["state"] == "finished" and found["verdict"]["kind"] == "aborted"

    await until(aborted, "the run was aborted")
    assert await daemon.metric("fallbackd_fault_active", drill="long") == 0
    code, _, err = await run("drill", "primary-gone", "--data", str(daemon.data))
    assert code == 3
    assert "stopped" in err

    assert await daemon.stop() == 0
    await daemon.start()
    assert (await daemon.post("/api/v1/drills/primary-gone/runs")).status_code == 409
    assert (await run("release", "--data", str(daemon.data)))[0] == 0
    await until(lambda: _ready(daemon), "the daemon is ready again")
    assert (await daemon.post("/api/v1/drills/primary-gone/runs")).status_code == 202


async def test_sigterm_in_mid_drill_takes_the_fault_away_and_keeps_the_journal(
    make_daemon: Callable[..., Daemon],
) -> None:
    daemon = make_daemon()
    await daemon.start()
    await until(lambda: _ready(daemon), "the daemon is ready")
    begun = (await daemon.post("/api/v1/drills/long/runs")).json()["run"]
    await until(lambda: _injected(daemon), "the fault is in place")
    assert await daemon.stop(signal.SIGTERM) == 0
    await daemon.start()
    found = await daemon.get(f"/api/v1/drills/runs/{begun}")
    assert found["verdict"]["kind"] == "aborted"
    assert await daemon.metric("fallbackd_fault_active", drill="long") == 0


async def _injected(daemon: Daemon) -> bool:
    return await daemon.metric("fallbackd_fault_active", drill="long") == 1


async def test_the_sandbox_is_broken_and_mended_from_the_command_line(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    await daemon.start()
    data = ["--data", str(daemon.data)]
    code, out, err = await run(
        "sandbox", "break", "openai/gpt-4o-mini", "--with", "rate_limited", "--set", "retry_after=3s", *data
    )
    assert code == 0, err
    assert "rate_limited" in out
    _, out, _ = await run("sandbox", "list", "--json", *data)
    assert "openai/gpt-4o-mini" in out
    code, _, err = await run("sandbox", "break", "openai/gpt-4o-minni", "--with", "rate_limited", *data)
    assert code == 2
    assert 'did you mean "openai/gpt-4o-mini"?' in err
    shaped = ("sandbox", "break", "openai/gpt-5-mini", "--with", "slow_chunks", "--set", "jitter=50%")
    code, out, err = await run(*shaped, "--shape", "flapping:down=5s,up=3s", *data)
    assert code == 0, err
    assert out == "Broken: openai/gpt-5-mini answers with slow_chunks, flapping:down=5s,up=3s.\n"
    for shape, why in (
        ("flaping", 'did you mean "flapping"?'),
        ("flapping:down=0s", "down of flapping is 0, but must be from 0.1 to 3600"),
        ("flapping:down", "--shape down: write NAME=VALUE, as in retry_after=30s (no = found)"),
        ("probability:share=150%", '--shape share=150%: "150%" is more than 100%'),
    ):
        code, _, err = await run(*shaped, "--shape", shape, *data)
        assert code == 2
        assert why in err
    assert (await run("sandbox", "mend", *data))[1] == "Mended: 2.\n"


async def test_the_sandbox_runs_as_a_command_of_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await anyio.open_process(
        [COMMAND, "sandbox", "--listen", f"127.0.0.1:{port}"], env={"PATH": os.environ["PATH"]}
    )
    try:
        url = ["--url", f"http://127.0.0.1:{port}"]

        async def breakable() -> bool:
            return (await run("sandbox", "break", "openai/gpt-5-mini", "--with", "overloaded", *url))[0] == 0

        await until(breakable, "the sandbox answers")
    finally:
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_run_refuses_to_start_mute_unless_told_to(files: list[str], tmp_path: Path) -> None:
    code, _, err = await run("run", *files, "--data", str(tmp_path / "d"), OPENROUTER_API_KEY="sk-test")
    assert code == 2
    assert "--mute" in err
    assert "Traceback" not in err


async def test_a_taken_port_is_one_sentence_and_exit_code_2(files: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        code, _, err = await run("run", "--sandbox", *files, "--data", str(tmp_path / "d"), "--listen", place)
    assert code == 2
    assert err.strip().splitlines()[-1].startswith(f"cannot listen on {place}: ")


async def test_any_other_address_than_loopback_wants_a_token(files: list[str], tmp_path: Path) -> None:
    code, _, err = await run("run", "--sandbox", *files, "--data", str(tmp_path / "d"), "--listen", "0.0.0.0:0")
    assert code == 2
    assert "FALLBACKD_TOKEN" in err


async def test_a_database_of_a_newer_version_is_left_alone(files: list[str], tmp_path: Path) -> None:
    data = tmp_path / "d"
    data.mkdir()
    with sqlite3.connect(data / "fallbackd.sqlite3") as database:
        database.execute("PRAGMA user_version = 999")
    code, _, err = await run("run", "--sandbox", *files, "--data", str(data), "--listen", "127.0.0.1:0")
    assert code == 2
    assert "is from a newer fallbackd (version 999" in err
    assert "Traceback" not in err


async def test_a_second_daemon_on_the_same_data_is_refused(
    make_daemon: Callable[..., Daemon], files: list[str]
) -> None:
    daemon = make_daemon()
    await daemon.start()
    code, _, err = await run("run", "--sandbox", *files, "--data", str(daemon.data), "--listen", "127.0.0.1:0")
    assert code == 2
    assert "another fallbackd uses the data folder" in err


async def test_the_shipped_files_give_results_in_15_seconds_and_a_judged_drill_in_60(
    make_daemon: Callable[..., Daemon],
) -> None:
    daemon = make_daemon((ROOT / "chains.yaml").read_text(), (ROOT / "alerts.yaml").read_text())
    await daemon.start()
    found = await until(lambda: _outcomes(daemon), "there are results", seconds=15)
    assert {outcome["status"] for outcome in found} == {"ok"}

    async def judged() -> object:
        runs = (await daemon.get("/api/v1/drills/runs"))["runs"]
        return [run for run in runs if run["state"] == "finished"]

    runs = await until(judged, "a drill was judged", seconds=60)
    assert runs[0]["verdict"]["kind"] == "passed"
    assert await daemon.stop() == 0
    assert "Traceback" not in daemon.output
    for page in ("status page", "metrics", "API docs"):
        assert page in daemon.output


async def _outcomes(daemon: Daemon) -> object:
    return (await daemon.get("/api/v1/outcomes"))["outcomes"]
