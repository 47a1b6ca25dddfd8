"""A sandbox on a free port, and a client that says what it sees."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from chaos.sandbox import Sandbox

SONNET = "anthropic/claude-sonnet-4.5"
MINI = "openai/gpt-5-mini"
FLASH = "google/gemini-2.5-flash"
LLAMA = "meta-llama/llama-3.3-70b-instruct"


@dataclass(frozen=True)
class Seen:
    """One reply, read to its end. ``events`` are a stream's data lines, ``comments`` its other ones."""

    status: int
    headers: dict[str, str]
    body: Any
    events: list[Any] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def attempts(self) -> list[tuple[str, str, int]]:
        holder = self.events[-2] if self.events else self.body
        return [(one["model"], one["provider"], one["status"]) for one in holder["openrouter_metadata"]["attempts"]]

    @property
    def text(self) -> str:
        if not self.events:
            return str(self.body["choices"][0]["message"]["content"])
        choices = [choice for event in self.events if isinstance(event, dict) for choice in event["choices"]]
        return "".join(choice["delta"].get("content") or "" for choice in choices)


class Caller:
    """Asks like an application does, with the metadata header on."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    async def complete(self, prompt: str = "Reply with exactly: PONG", *, key: str | None = "k", **body: Any) -> Seen:
        body = {"messages": [{"role": "user", "content": prompt}], "max_tokens": 64, **body}
        headers = {"X-OpenRouter-Metadata": "enabled"} | ({"Authorization": f"Bearer {key}"} if key else {})
        async with self.session.post(f"{self.base}/chat/completions", json=body, headers=headers) as reply:
            return await _read(reply)

    async def get(self, path: str, *, key: str | None = "k") -> Seen:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.session.get(f"{self.base}{path}", headers=headers) as reply:
            return await _read(reply)

    async def control(self, method: str, path: str, body: Any = None) -> Seen:
        url = self.base.removesuffix("/api/v1") + "/control" + path
        async with self.session.request(method, url, json=body) as reply:
            return await _read(reply)


async def _read(reply: aiohttp.ClientResponse) -> Seen:
    headers = {name.lower(): value for name, value in reply.headers.items()}
    text = await reply.text()
    if reply.content_type != "text/event-stream":
        return Seen(reply.status, headers, json.loads(text))
    blocks = [block for block in text.split("\n\n") if block]
    data = [block.removeprefix("data: ") for block in blocks if block.startswith("data: ")]
    events = [one if one == "[DONE]" else json.loads(one) for one in data]
    return Seen(reply.status, headers, None, events, [block for block in blocks if block.startswith(":")])


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(seed=1)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def caller(sandbox: Sandbox) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(session, f"{sandbox.control_url}/api/v1")
