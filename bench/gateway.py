"""What the gateway costs, beside LiteLLM's proxy, mitmproxy and Portkey's gateway, before the same stubs in one run.

    .venv/bin/python bench/gateway.py [--soak EXCHANGES] [--seconds S] [--others FOLDER]

nginx gives the plain answers and bench/stub.c the streams of 20 chunks (built here with cc); wrk is the load, with 50
in flight. Each gateway has core 0 to itself, stubs and load share core 1. Bounded: some three minutes with the short
soak. The others are taken from FOLDER (default /tmp/fallbackd-bench: a venv ``mitm`` with mitmproxy, ``portkey`` with
the npm package @portkey-ai/gateway) and from .venv-litellm; one that is not there is named as missing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
IN_FLIGHT = 50
GOALS = {"plain": 5000.0, "stream": 4000.0}
ADDED_GOAL_MS = 0.5
MODEL = "openai/gpt-5-mini"
PLAIN = f'{{"model":"{MODEL}","messages":[{{"role":"user","content":"ping"}}]}}'
STREAM = PLAIN.replace('"messages"', '"stream":true,"messages"')
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer sk-bench-0000"}
ANSWER = re.search(r"ANSWER\[\] =\s+((?:\".*\"\s*)+);", (ROOT / "bench/stub.c").read_text())
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; default_type application/json;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{answer}'; }} }}
}}
"""
CHAINS = """
endpoints:
  stub: {{dialect: openai_compatible, url: "{url}/v1", credential_env: BENCH}}
chains:
  - name: bench
    endpoint: stub
    mode: client
    targets: [{{label: primary, model: "{model}"}}, {{label: secondary, model: other/model}}]
    probes: [{{kind: completion, every: 60s}}]
gateway: {{endpoint: stub, listen: "127.0.0.1:{port}", control: "127.0.0.1:{control}"}}
"""
ALERTS = """
rules: [{name: down, when: chain_down, severity: critical}]
notifiers: [{name: log, kind: log}]
routes: [{notify: [log]}]
"""


@dataclass(frozen=True)
class Load:
    """``latency`` in milliseconds: the median, and the 99th percentile. ``bad``: answers that were none."""

    rate: float
    p50: float
    p99: float
    bad: int


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def program(command: list[str], core: int, log: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            stdout=output, stderr=output, start_new_session=True, env={**os.environ, **env},
        )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(url: str, headers: dict[str, str], body: str, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.post(url, content=body, headers=headers, timeout=5, trust_env=False).status_code == 200:
                return True
        time.sleep(0.1)  # a script that waits for a program; nothing else runs here
    return False


def load(url: str, headers: dict[str, str], body: str, folder: Path, *, seconds: int, in_flight: int) -> Load:
    script = folder / "load.lua"
    fields = "".join(f'wrk.headers["{name}"]="{value}"\n' for name, value in headers.items())
    script.write_text(f"wrk.method='POST'\nwrk.body='{body}'\n{fields}")
    command = [
        "taskset",
        "-c",
        "1",
        "wrk",
        "-t1",
        f"-c{in_flight}",
        f"-d{seconds}s",
        "--latency",
        "-s",
        str(script),
        url,
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    return Load(float(rate[1]) if rate else 0.0, latency(said, "50%"), latency(said, "99%"), int(bad[1]) if bad else 0)


def latency(said: str, name: str) -> float:
    found = re.search(rf"{re.escape(name)}\s+([\d.]+)(us|ms|s)\b", said)
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]] if found else float("nan")


def memory_mib(process: subprocess.Popen[bytes]) -> float:
    """Resident memory of the program that taskset became."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else 0.0


@dataclass(frozen=True)
class Proxy:
    """``command`` with {port} and {url}; ``missing``: why it cannot run."""

    name: str
    command: list[str]
    headers: dict[str, str]
    path: str = "/v1/chat/completions"
    missing: str = ""


def proxies(others: Path, folder: Path, url: str, port: int) -> list[Proxy]:
    litellm, mitm = ROOT / ".venv-litellm/bin/litellm", others / "mitm/bin/mitmdump"
    portkey = others / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
    config = folder / "litellm.yaml"
    config.write_text(
        f"model_list: [{{model_name: '{MODEL}', litellm_params: {{model: 'openai/{MODEL}', api_base: '{url}/v1', "
        "api_key: sk-x}}]\ngeneral_settings: {dangerously_permit_weak_or_unset_master_key: true}\n"
    )
    to_portkey = {**HEADERS, "x-portkey-provider": "openai", "x-portkey-custom-host": f"{url}/v1"}
    ours = [str(Path(sys.executable).parent / "fallbackd"), "gateway", "--log-level", "warning"]
    ours += ["--chains", str(folder / "chains.yaml"), "--alerts", str(folder / "alerts.yaml")]
    reverse = [str(mitm), "-q", "--mode", f"reverse:{url}", "--listen-host", "127.0.0.1", "-p", str(port)]
    return [
        Proxy("fallbackd", ours, HEADERS),
        Proxy(
            "litellm",
            [str(litellm), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"],
            HEADERS,
            missing=absent(litellm),
        ),
        Proxy("mitmproxy", [*reverse, "--set", "stream_large_bodies=1"], HEADERS, missing=absent(mitm)),
        Proxy("portkey", ["node", str(portkey), f"--port={port}", "--headless"], to_portkey, missing=absent(portkey)),
    ]


def absent(program: Path) -> str:
    return "" if program.exists() else f"{program} is not there"


class Bench:
    def __init__(self, folder: Path, *, seconds: int, others: Path) -> None:
        self.folder = folder
        self.seconds = seconds
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
    def before(self, name: str, url: str) -> Iterator[tuple[str, Proxy, subprocess.Popen[bytes], str]]:
        """A proxy before a stub: the URL to ask, the proxy, its process, and its control's URL (ours only)."""
        port, control = free_port(), free_port()
        (self.folder / "chains.yaml").write_text(CHAINS.format(url=url, model=MODEL, port=port, control=control))
        (self.folder / "alerts.yaml").write_text(ALERTS)
        proxy = next(one for one in proxies(self.others, self.folder, url, port) if one.name == name)
        if proxy.missing:
            raise FileNotFoundError(proxy.missing)
        with program(proxy.command, 0, self.folder / f"{name}.log", BENCH="x", NO_COLOR="1") as process:
            where = f"http://127.0.0.1:{port}{proxy.path}"
            if not answers(where, proxy.headers, PLAIN, 40):
                raise FileNotFoundError(f"{name} did not start: {(self.folder / f'{name}.log').read_text()[-300:]}")
            yield where, proxy, process, f"http://127.0.0.1:{control}"

    def measure(self, where: str, headers: dict[str, str], body: str, in_flight: int = IN_FLIGHT) -> Load:
        load(where, headers, body, self.folder, seconds=1, in_flight=in_flight)
        return load(where, headers, body, self.folder, seconds=self.seconds, in_flight=in_flight)

    def compare(self) -> dict[str, float]:
        """Plain and streamed exchanges of each proxy, and ratios to the slowest of ours."""
        rates: dict[str, float] = {}
        for kind, body, stub in (("plain", PLAIN, self.nginx()), ("stream", STREAM, self.streams())):
            with stub as url:
                answers(f"{url}/v1/chat/completions", HEADERS, PLAIN, 10)
                direct = self.measure(f"{url}/v1/chat/completions", HEADERS, body)
                print(f"\n{kind}, {IN_FLIGHT} in flight: the stub itself {direct.rate:,.0f}/s")
                for name in ("fallbackd", "litellm", "mitmproxy", "portkey"):
                    try:
                        with self.before(name, url) as (where, proxy, _, control):
                            seen = self.measure(where, proxy.headers, body)
                            rates[f"{kind} {name}"] = seen.rate
                            print(
                                self.row(kind, name, seen, rates), self.observed(control) if name == "fallbackd" else ""
                            )
                    except FileNotFoundError as why:
                        print(f"  {name:<10} not measured: {why}")
        return rates

    def row(self, kind: str, name: str, seen: Load, rates: dict[str, float]) -> str:
        ours = rates.get(f"{kind} fallbackd", 0.0)
        ratio = "" if name == "fallbackd" or not seen.rate else f"  fallbackd is {ours / seen.rate:.1f} times as fast"
        goal = f"  (goal {GOALS[kind]:,.0f})" if name == "fallbackd" else ""
        bad = f"  {seen.bad} BAD ANSWERS" if seen.bad else ""
        return f"  {name:<10} {seen.rate:8,.0f}/s  p50 {seen.p50:7.2f} ms  p99 {seen.p99:7.2f} ms{goal}{ratio}{bad}"

    @staticmethod
    def observed(control: str) -> str:
        said = httpx.get(control, trust_env=False).json()
        total = said["observed"] + said["unobserved"]
        return f"  observed {said['observed'] / total:.0%} of {total:,} exchanges at this load"

    def added(self) -> float:
        """Milliseconds that the gateway adds at one in flight, by the median."""
        with self.nginx() as url:
            answers(url, HEADERS, PLAIN, 10)
            direct = statistics.median(self.measure(url, HEADERS, PLAIN, 1).p50 for _ in range(2))
            with self.before("fallbackd", url) as (where, proxy, _, _):
                through = statistics.median(self.measure(where, proxy.headers, PLAIN, 1).p50 for _ in range(2))
        print(f"\none in flight: {direct:.3f} ms direct, {through:.3f} ms through; added {through - direct:.3f} ms "
              f"(goal under {ADDED_GOAL_MS})")  # fmt: skip
        return through - direct

    def first_chunk(self) -> None:
        """The stub waits 300 ms between the first event and the second; the first must come through at once."""
        with self.streams("300") as url, self.before("fallbackd", url) as (where, proxy, _, _):
            begun = time.monotonic()
            with httpx.stream("POST", where, content=STREAM, headers=proxy.headers, trust_env=False) as answer:
                pieces = answer.iter_raw()
                first = next(pieces)
                at = time.monotonic() - begun
                rest = b"".join(pieces)
        early = at < 0.2 and first.count(b"data:") == 1 and rest.count(b"data:") == 20
        print(f"first chunk after {at * 1000:.0f} ms, the second after 300: {'passed on at once' if early else 'LATE'}")

    def soak(self, exchanges: int) -> None:
        """Memory over many exchanges, half of them streams; after the first part it must not grow."""
        with self.streams() as url, self.before("fallbackd", url) as (where, proxy, process, control):
            seen, done, marks = [memory_mib(process)], 0.0, []
            while done < exchanges:
                for body in (PLAIN, STREAM):
                    part = load(where, proxy.headers, body, self.folder, seconds=5, in_flight=IN_FLIGHT)
                    done += part.rate * 5
                seen.append(memory_mib(process))
                marks.append(f"{done:,.0f}: {seen[-1]:.0f} MiB")
            shown = "; ".join(marks[:: max(1, len(marks) // 8)])
            print(f"\nsoak of {done:,.0f} exchanges: start {seen[0]:.0f} MiB; {shown}")
            settled = seen[1:]
            print(
                f"  growth after the first tenth: {settled[-1] - settled[len(settled) // 10]:+.1f} MiB;",
                self.observed(control),
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--soak", type=int, default=60_000, help="exchanges of the soak (1000000 for the long one)")
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--others", type=Path, default=Path("/tmp/fallbackd-bench"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), seconds=given.seconds, others=given.others)
        bench.first_chunk()
        bench.added()
        bench.compare()
        bench.soak(given.soak)


if __name__ == "__main__":
    main()
