"""Keys and prompts of applications pass through the gateway of a real daemon, and stay nowhere in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.configs import CHAINS
from tests.e2e.daemon import Daemon, until

pytestmark = pytest.mark.anyio

KEY = "sk-or-v1-feedfacefeedfacefeedfacefeedface"
PROMPT = "a-prompt-that-is-nobodys-business"
GATEWAY = """
gateway: {endpoint: openrouter, listen: "127.0.0.1:0", control: "127.0.0.1:0", max_body_mib: 1}
"""
THROUGH = CHAINS.replace("{name: impatient,", "{name: through-the-gateway, by: gateway,")
HEADERS = {"Authorization": f"Bearer {KEY}", "x-api-key": KEY, "Cookie": f"session={KEY}"}
WALKED = "mistralai/mistral-small-3.2-24b-instruct"


async def send(base: str) -> list[int]:
    """Requests of every kind, good and bad; their statuses."""
    asked: dict[str, Any] = {"model": WALKED, "messages": [{"role": "user", "content": PROMPT}], "user": KEY}
    bodies = [json.dumps({**asked, **more}) for more in ({}, {"stream": True}, {"model": KEY}, {"models": [KEY]})]
    bodies += [f'{{"{KEY}', f'{{"model":"{WALKED}","{PROMPT}"', PROMPT * 40_000]
    async with httpx.AsyncClient(trust_env=False, headers=HEADERS, timeout=30) as client:
        answers = [await client.post(f"{base}/chat/completions", content=body) for body in bodies]
        answers += [await client.get(f"{base}/{path}") for path in (f"models?key={KEY}", KEY)]
    return [answer.status_code for answer in answers]


def files_with(text: str, folder: Path) -> list[str]:
    found = [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
    return [str(path.relative_to(folder)) for path in found]


async def test_keys_and_prompts_stand_in_no_file_no_log_and_on_no_page(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(chains=THROUGH + GATEWAY)
    await daemon.start("--log-level", "debug")

    async def where() -> Any:
        return re.search(r"gateway +(http://\S+/v1)", daemon.output)

    base = (await until(where, "the daemon says where its gateway is"))[1]
    assert await send(base) == [200, 200, 400, 400, 400, 400, 413, 200, 404]
    await daemon.break_(WALKED, "unauthorized")
    assert (await send(base))[0] == 401

    async def counted() -> Any:
        return await daemon.metric("fallbackd_gateway_requests_total", chain="walked") >= 6

    await until(counted, "what passed is counted")
    await daemon.mend()

    async def begun() -> Any:
        return (await daemon.post("/api/v1/drills/through-the-gateway/runs")).status_code == 202

    await until(begun, "the drill begins, once the chain is healthy")

    async def drilled() -> Any:
        return await daemon.metric("fallbackd_drills_total", drill="through-the-gateway")

    await until(drilled, "the drill has a verdict")
    async with httpx.AsyncClient(trust_env=False) as client:
        pages = [await client.get(daemon.url + path) for path in ("/", "/metrics", "/api/v1/chains", "/chains/walked")]
    assert await daemon.stop() == 0
    for secret in (KEY, PROMPT):
        assert files_with(secret, daemon.folder) == []
        assert not any(secret in page.text for page in pages)
    assert files_with("through-the-gateway", daemon.data)  # the journal is among what was looked through
