"""The programs that bench/gateway.py starts: stubs, gateways, and wrk, each pinned to its core."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
NAMES = ("fallbackd", "litellm", "mitmproxy", "portkey")
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
    """``rate`` in exchanges a second, ``total`` of them; latencies in milliseconds. ``bad``: answers that were none."""

    rate: float
    total: int
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
    rate, total = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    return Load(
        float(rate[1]) if rate else 0.0,
        int(total[1]) if total else 0,
        latency(said, "50%"),
        latency(said, "99%"),
        int(bad[1]) if bad else 0,
    )


def latency(said: str, name: str) -> float:
    found = re.search(rf"{re.escape(name)}\s+([\d.]+)(us|ms|s)\b", said)
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]] if found else float("nan")


def memory_mib(process: subprocess.Popen[bytes]) -> float:
    """Resident memory of the program that taskset became."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else 0.0


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """CPU time of a program and its children that have ended."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


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


@dataclass(frozen=True)
class Running:
    """A proxy that takes requests ``where``; ``control`` is ours only."""

    name: str
    where: str
    headers: dict[str, str]
    process: subprocess.Popen[bytes]
    control: str


def absent(program: Path) -> str:
    return "" if program.exists() else f"{program} is not there"
