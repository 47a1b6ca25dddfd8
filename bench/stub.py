"""The fast upstream that every peer asks: nginx with one fixed answer, at once or as a paced stream.

``/plain/`` and ``/stream/`` answer so whatever is asked; ``/both/`` goes by the encoding that is accepted, since a
question for a stream accepts none.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

WORD = "babababa"
MODEL, PROVIDER = "openai/gpt-4o-mini", "OpenAI"
EVENTS = 12
PACE = 0.005
NGINX = "/usr/sbin/nginx"
TICK = os.sysconf("SC_CLK_TCK")


class SameWord(Random):
    """Chooses the first of everything, so that the one answer of the stub is right for every question."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


def _answer() -> dict[str, Any]:
    attempts = [{"provider": PROVIDER, "model": MODEL, "status": 200}]
    return {
        "id": "gen-1", "object": "chat.completion", "created": 1, "model": MODEL, "provider": PROVIDER,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": WORD}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 24, "completion_tokens": 6, "total_tokens": 30, "cost": 0.000007},
        "openrouter_metadata": {"attempts": attempts},
    }  # fmt: skip


def _chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {
        "id": "gen-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "provider": PROVIDER,
        "choices": [choice], **more,
    }  # fmt: skip
    return "data: " + json.dumps(body, separators=(",", ":"))


def _stream() -> str:
    """Directives of nginx's echo module: the role, the three words of the question token by token, usage, the end."""
    text = "-".join([WORD] * 3)
    cuts = [len(text) * index // (EVENTS - 2) for index in range(EVENTS - 1)]
    parts = [text[start:end] for start, end in itertools.pairwise(cuts)]
    events = [_chunk({"role": "assistant", "content": ""}), *(_chunk({"content": part}) for part in parts)]
    done = _answer()
    events.append(_chunk({}, "stop", usage=done["usage"], openrouter_metadata=done["openrouter_metadata"]))
    lines = ["echo_read_request_body;"]
    for event in events:  # each is one chunk, as with routers
        lines += [f"echo_sleep {PACE};", f"echo -n '{event}\n\n';", "echo_flush;"]
    return "\n      ".join([*lines, "echo -n 'data: [DONE]\n\n';"])


def _config(port: int) -> str:
    return f"""
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off; worker_processes 1; pid nginx.pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  log_format seconds '$uri $request_time';
  keepalive_requests 100000000; keepalive_timeout 300s; tcp_nodelay on;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    access_log off;
    location /plain/ {{ default_type application/json; return 200 '{json.dumps(_answer())}'; }}
    location /both/ {{
      if ($http_accept_encoding = identity) {{ rewrite ^ /stream/ last; }}
      default_type application/json; return 200 '{json.dumps(_answer())}';
    }}
    location /stream/ {{
      default_type text/event-stream; access_log seconds.log seconds;
      {_stream()}
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Stub:
    """``log`` holds how long each stream took by the stub's own clock."""

    url: str
    log: Path

    def forget(self) -> None:
        self.log.write_text("")

    def stream_seconds(self) -> list[float]:
        """Of each stream since ``forget``. nginx writes whole milliseconds."""
        return [float(line.rpartition(" ")[2]) for line in self.log.read_text().split("\n")[:-1]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_of(pid: int) -> float:
    """Seconds that a process has used, threads and kernel included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def wait_for(port: int, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port} after {seconds:g} s")


@contextlib.contextmanager
def program(command: list[str], port: int, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Runs until the end of the block; ready when something listens on ``port``."""
    process = subprocess.Popen(command, **options)
    try:
        wait_for(port)
        yield process
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def stub() -> Iterator[Stub]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "nginx.conf").write_text(_config(port))
        with program([NGINX, "-p", folder, "-c", "nginx.conf"], port):
            yield Stub(url=f"http://127.0.0.1:{port}", log=Path(folder) / "seconds.log")
