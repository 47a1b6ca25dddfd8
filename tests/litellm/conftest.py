"""A real LiteLLM proxy over two sandboxes, one for the primary groups and one for what they fall back to."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PROXY = ".venv-litellm/bin/litellm"
KEY = "key-of-a-test"
PRIMARY, BACKUP = "anthropic/claude-sonnet-4.5", "openai/gpt-4o-mini"

CONFIG = """\
model_list:
  - model_name: chat
    litellm_params: {model: "openai/anthropic/claude-sonnet-4.5", api_base: "PRIMARY", api_key: one}
    model_info: {id: chat-first, input_cost_per_token: 0.000003, output_cost_per_token: 0.000015}
  - model_name: chat-backup
    litellm_params: {model: "openai/openai/gpt-4o-mini", api_base: "BACKUP", api_key: two}
    model_info: {id: chat-second, input_cost_per_token: 0.00000015, output_cost_per_token: 0.0000006}
  - model_name: ordered
    litellm_params: {model: "openai/anthropic/claude-sonnet-4.5", api_base: "PRIMARY", api_key: one, order: 1}
    model_info: {id: ordered-first}
  - model_name: ordered
    litellm_params: {model: "openai/openai/gpt-4o-mini", api_base: "BACKUP", api_key: two, order: 2}
    model_info: {id: ordered-second}
litellm_settings:
  num_retries: 0
  use_chat_completions_url_for_anthropic_messages: true
  fallbacks: [{chat: [chat-backup]}]
  context_window_fallbacks: [{chat: [chat-backup]}]
  content_policy_fallbacks: [{chat: [chat-backup]}]
router_settings: {cooldown_time: 2, allowed_fails: 0, enable_pre_call_checks: true}
general_settings:
  master_key: key-of-a-test
  expose_fallback_errors_to_caller: true
  dangerously_allow_mock_testing_request_params: true
"""


@dataclass(frozen=True)
class Proxy:
    """``url`` of the proxy; ``primary`` and ``backup`` are the sandboxes' control addresses; ``config`` its file."""

    url: str
    primary: str
    backup: str
    config: Path

    def break_(self, sandbox: str, model: str, fault: str) -> None:
        httpx.post(f"{sandbox}/control/breaks", json={"model": model, "with": fault}, timeout=10).raise_for_status()

    def mend(self) -> None:
        for sandbox in (self.primary, self.backup):
            httpx.delete(f"{sandbox}/control/breaks", timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("litellm")
    processes: list[subprocess.Popen[Any]] = []
    try:
        one, other = _sandbox(processes), _sandbox(processes)
        config = folder / "config.yaml"
        config.write_text(CONFIG.replace("PRIMARY", one).replace("BACKUP", other))
        url = _proxy(processes, folder, config)
        yield Proxy(url=url, primary=_control(one), backup=_control(other), config=config)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def proxy(started: Proxy) -> Iterator[Proxy]:
    """Whole at the start of each test, with no deployment in cooldown."""
    yield started
    started.mend()
    # Asked by its group, as a deployment that is asked by its id answers in its cooldown too.
    for group, deployment in (("chat", "chat-first"), ("chat-backup", "chat-second"), ("ordered", "ordered-first")):
        whole = partial(_answers, started.url, group, deployment)
        _until(whole, f"{deployment} is out of its cooldown", seconds=60)


def _sandbox(processes: list[subprocess.Popen[Any]]) -> str:
    """Its base URL."""
    command = [str(Path(sys.executable).parent / "fallbackd"), "sandbox", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    processes.append(process)
    assert process.stdout is not None
    found = re.search(r"http://\S+", line := process.stdout.readline())
    assert found, line
    return found[0]


def _proxy(processes: list[subprocess.Popen[Any]], folder: Path, config: Path) -> str:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    command = [str(ROOT / PROXY), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
    }  # fmt: skip
    log = (folder / "proxy.txt").open("wb")
    with log:
        process = subprocess.Popen(command, env=environ, cwd=folder, stdout=log, stderr=log)
    processes.append(process)
    url = f"http://127.0.0.1:{port}"
    _until(lambda: _lives(url, process, folder / "proxy.txt"), "the proxy listens", seconds=120)
    return url


def _lives(url: str, process: subprocess.Popen[Any], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return httpx.get(f"{url}/health/liveliness", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _answers(url: str, model: str, deployment: str) -> bool:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "disable_fallbacks": True}
    reply = httpx.post(f"{url}/chat/completions", json=body, headers={"Authorization": f"Bearer {KEY}"}, timeout=10)
    return reply.status_code == 200 and reply.headers.get("x-litellm-model-id") == deployment


def _control(base: str) -> str:
    return base.removesuffix("/api/v1")


def _until(condition: Any, what: str, *, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    pause = 0.1
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain: {what}"
        _wait(pause)


def _wait(seconds: float) -> None:
    with socket.socket() as quiet:
        quiet.settimeout(seconds)
        quiet.bind(("127.0.0.1", 0))
        quiet.listen()
        try:
            quiet.accept()
        except TimeoutError:
            return
