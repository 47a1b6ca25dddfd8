"""What the gateway costs, beside LiteLLM's proxy, mitmproxy and Portkey's gateway, before the same stubs in one run.

    .venv/bin/python bench/gateway.py [--rounds N] [--seconds S] [--soak EXCHANGES] [--only-soak] [--others FOLDER]

nginx gives the plain answers and bench/stub.c the streams of 20 chunks (built here with cc); wrk is the load, with 50
in flight. All gateways run at once, each pinned to core 0, and take turns under the load, round by round; stubs and
load share core 1. Numbers are medians over the rounds, with the CPU time that an exchange took, which a busy machine
changes less than the rate. Bounded: some four minutes with the short soak. The others are taken from FOLDER (default
/tmp/fallbackd-bench: a venv ``mitm`` with mitmproxy, ``portkey`` with the npm package @portkey-ai/gateway) and from
.venv-litellm; one that is not there is named as missing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from peers import (
    ALERTS,
    ANSWER,
    CHAINS,
    HEADERS,
    MODEL,
    NAMES,
    NGINX,
    PLAIN,
    ROOT,
    STREAM,
    Running,
    answers,
    cpu_seconds,
    free_port,
    load,
    memory_mib,
    program,
    proxies,
)

IN_FLIGHT = 50
GOALS = {"plain": 5000.0, "stream": 4000.0}
ADDED_GOAL_MS = 0.5


@dataclass(frozen=True)
class Turn:
    """One proxy under load once. Latencies in milliseconds, ``cpu_us`` per exchange."""

    rate: float
    p50: float
    p99: float
    cpu_us: float
    bad: int


class Bench:
    def __init__(self, folder: Path, *, seconds: int, rounds: int, others: Path) -> None:
        self.folder = folder
        self.seconds = seconds
        self.rounds = rounds
        self.others = others
        self.stub = folder / "stub"
        subprocess.run(["cc", "-O2", "-o", str(self.stub), str(ROOT / "bench/stub.c")], check=True)

    @contextlib.contextmanager
    def nginx(self) -> Iterator[str]:
        port, config = free_port(), self.folder / "nginx.conf"
        assert ANSWER is not None
        body = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', ANSWER[1])).replace('\\"', '"')
        config.write_text(NGINX.format(folder=self.folder, port=port, answer=body))
        command = [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(config), "-p", str(self.folder)]
        with program(command, 1, self.folder / "nginx.log"):
            yield f"http://127.0.0.1:{port}"

    @contextlib.contextmanager
    def streams(self, *options: str) -> Iterator[str]:
        port = free_port()
        with program([str(self.stub), str(port), *options], 1, self.folder / "stub.log"):
            yield f"http://127.0.0.1:{port}"

    @contextlib.contextmanager
    def before(self, name: str, url: str) -> Iterator[Running]:
        """A proxy before a stub. Raises FileNotFoundError where it cannot run."""
        port, control, folder = free_port(), free_port(), self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "chains.yaml").write_text(CHAINS.format(url=url, model=MODEL, port=port, control=control))
        (folder / "alerts.yaml").write_text(ALERTS)
        proxy = next(one for one in proxies(self.others, folder, url, port) if one.name == name)
        if proxy.missing:
            raise FileNotFoundError(proxy.missing)
        with program(proxy.command, 0, folder / "output.log", BENCH="x", NO_COLOR="1") as process:
            where = f"http://127.0.0.1:{port}{proxy.path}"
            if not answers(where, proxy.headers, PLAIN, 60):
                raise FileNotFoundError(f"{name} did not start: {(folder / 'output.log').read_text()[-300:]}")
            yield Running(name, where, proxy.headers, process, f"http://127.0.0.1:{control}")

    def turn(self, running: Running, body: str, in_flight: int = IN_FLIGHT) -> Turn:
        before = cpu_seconds(running.process)
        seen = load(running.where, running.headers, body, self.folder, seconds=self.seconds, in_flight=in_flight)
        spent = cpu_seconds(running.process) - before
        return Turn(seen.rate, seen.p50, seen.p99, spent / max(seen.total, 1) * 1e6, seen.bad)

    def compare(self) -> None:
        """Plain and streamed exchanges of each proxy, in turns, and ratios to ours."""
        for kind, body, stub in (("plain", PLAIN, self.nginx()), ("stream", STREAM, self.streams())):
            with stub as url, contextlib.ExitStack() as stack:
                where = f"{url}/v1/chat/completions"
                answers(where, HEADERS, PLAIN, 10)
                direct = load(where, HEADERS, body, self.folder, seconds=self.seconds, in_flight=IN_FLIGHT)
                print(f"\n{kind}, {IN_FLIGHT} in flight: the stub itself {direct.rate:,.0f}/s")
                running = [one for name in NAMES if (one := self.started(stack, name, url, body)) is not None]
                for one in running:
                    load(one.where, one.headers, body, self.folder, seconds=1, in_flight=IN_FLIGHT)
                turns: dict[str, list[Turn]] = {one.name: [] for one in running}
                for _ in range(self.rounds):
                    for one in running:
                        turns[one.name].append(self.turn(one, body))
                middle = {name: median(of) for name, of in turns.items()}
                for name, seen in middle.items():
                    print(row(kind, name, seen, middle["fallbackd"]))
                print(f"  {observed(running[0])}; load average {os.getloadavg()[0]:.1f}")

    def started(self, stack: contextlib.ExitStack, name: str, url: str, body: str) -> Running | None:
        try:
            running = stack.enter_context(self.before(name, url))
        except FileNotFoundError as why:
            print(f"  {name:<10} not measured: {why}")
            return None
        said = httpx.post(running.where, content=body, headers=running.headers, timeout=10, trust_env=False)
        if said.status_code == 200:
            return running
        print(f"  {name:<10} not measured: it answers {said.status_code} {said.text[:80]}")
        return None

    def added(self) -> None:
        """Milliseconds that the gateway adds at one in flight, by the median of medians."""
        with self.nginx() as url, self.before("fallbackd", url) as running:
            direct, through = [], []
            for _ in range(self.rounds):
                direct.append(load(url, HEADERS, PLAIN, self.folder, seconds=self.seconds, in_flight=1).p50)
                through.append(self.turn(running, PLAIN, 1).p50)
        one, other = statistics.median(direct), statistics.median(through)
        print(f"\none in flight: {one:.3f} ms direct, {other:.3f} ms through; added {other - one:.3f} ms "
              f"(goal under {ADDED_GOAL_MS}); load average {os.getloadavg()[0]:.1f}")  # fmt: skip

    def first_chunk(self) -> None:
        """The stub waits 300 ms between the first event and the second; the first must come through at once."""
        with self.streams("300") as url, self.before("fallbackd", url) as running:
            begun = time.monotonic()
            with httpx.stream(
                "POST", running.where, content=STREAM, headers=running.headers, trust_env=False
            ) as answer:
                pieces = answer.iter_raw()
                first = next(pieces)
                at = time.monotonic() - begun
                rest = b"".join(pieces)
        early = at < 0.2 and first.count(b"data:") == 1 and rest.count(b"data:") == 20
        print(f"first chunk after {at * 1000:.0f} ms, the second after 300: {'passed on at once' if early else 'LATE'}")

    def soak(self, exchanges: int) -> None:
        """Memory over many exchanges, half of them streams; after the first tenth it must not grow."""
        with self.streams() as url, self.before("fallbackd", url) as running:
            seen, done, marks, bad = [memory_mib(running.process)], 0, [], 0
            while done < exchanges:
                for body in (PLAIN, STREAM):
                    part = load(running.where, running.headers, body, self.folder, seconds=5, in_flight=IN_FLIGHT)
                    done, bad = done + part.total, bad + part.bad
                seen.append(memory_mib(running.process))
                marks.append(f"{done:,}: {seen[-1]:.1f} MiB")
            shown = "; ".join(marks[:: max(1, len(marks) // 8)])
            print(f"\nsoak of {done:,} exchanges, {bad} of them bad: start {seen[0]:.1f} MiB; {shown}")
            settled = seen[1:]
            growth = settled[-1] - settled[len(settled) // 10]
            print(f"  growth after the first tenth: {growth:+.1f} MiB; {observed(running)}")


def median(turns: list[Turn]) -> Turn:
    middle = (statistics.median(getattr(turn, name) for turn in turns) for name in ("rate", "p50", "p99", "cpu_us"))
    return Turn(*middle, bad=sum(turn.bad for turn in turns))


def row(kind: str, name: str, seen: Turn, ours: Turn) -> str:
    cost = f"{seen.rate:8,.0f}/s  {seen.cpu_us:8,.0f} us CPU  p50 {seen.p50:7.2f} ms  p99 {seen.p99:7.2f} ms"
    ratio = f"  fallbackd: {ours.rate / seen.rate:.1f} times the rate, {seen.cpu_us / ours.cpu_us:.1f} times less CPU"
    told = f"  (goal {GOALS[kind]:,.0f}/s)" if name == "fallbackd" else ratio if seen.rate else ""
    bad = f"  {seen.bad} BAD ANSWERS" if seen.bad else ""
    return f"  {name:<10} {cost}{told}{bad}"


def observed(running: Running) -> str:
    """What the gateway says about itself once all that waited was read."""
    while True:
        said = httpx.get(running.control, trust_env=False).json()
        if said["waiting"] == 0:
            break
        time.sleep(0.05)
    total = said["observed"] + said["unobserved"]
    return f"observed {said['observed'] / total:.2%} of {total:,} exchanges"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--soak", type=int, default=60_000, help="exchanges of the soak (1000000 for the long one)")
    parser.add_argument("--only-soak", action="store_true", help="the soak alone")
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each gateway")
    parser.add_argument("--others", type=Path, default=Path("/tmp/fallbackd-bench"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), seconds=given.seconds, rounds=given.rounds, others=given.others)
        if not given.only_soak:
            bench.first_chunk()
            bench.added()
            bench.compare()
        bench.soak(given.soak)


if __name__ == "__main__":
    main()
