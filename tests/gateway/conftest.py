"""Gateways on free ports, before a sandbox or before an endpoint whose every byte the test writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings

from chaos.gateway import Gateway, Rule
from chaos.model import Strike
from chaos.sandbox import Sandbox
from chaos.strikes import FIELDS as STRIKE
from monitor.clock import SystemClock
from monitor.config.alert_sections import AlertsFile
from monitor.config.model import ChainConfig, Config, EndpointConfig, GatewayConfig
from monitor.model import Outcome, Overhead
from monitor.offering import Catalogue

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

SONNET = "anthropic/claude-sonnet-4.5"
MINI = "openai/gpt-5-mini"
KEY = "sk-or-v1-0123456789abcdef0123456789abcdef"


def chain(name: str = "chat", mode: str = "client", *models: str) -> ChainConfig:
    labels = ("primary", "secondary", "last-resort")
    targets = [{"label": label, "model": model} for label, model in zip(labels, models or (SONNET, MINI), strict=False)]
    probes = [{"kind": "completion", "every": "60s"}]
    return ChainConfig.model_validate(
        {"name": name, "endpoint": "there", "mode": mode, "targets": targets, "probes": probes}
    )


def config(
    url: str, *chains: ChainConfig, dialect: str = "openrouter", ca_file: str | None = None, **gateway: Any
) -> Config:
    section = {"endpoint": "there", "listen": "127.0.0.1:0", "control": "127.0.0.1:0", **gateway}
    return Config(
        endpoints={"there": EndpointConfig(dialect=dialect, url=url, ca_file=ca_file)},
        chains=chains or (chain(),),
        drills=(),
        alerts=AlertsFile.model_construct(),
        gateway=GatewayConfig.model_validate(section),
    )


def rule(fault: str, *, run: str = "run-1", live: bool = False, **more: Any) -> Rule:
    """A fault of the chain's first target for the next minute."""
    strike = {name: more.pop(name) for name in STRIKE if name in more}
    strikes = (Strike(**{"positions": (0,), "fault": fault, **strike}),)
    given = {"until": SystemClock().now() + 60, "max_count": 1000, **more}
    return Rule(id=f"{run}-{fault}", chain="chat", drill="gone", run=run, strikes=strikes, live=live, **given)


@dataclass
class Passing:
    """A gateway that runs, and what it told."""

    gateway: Gateway = field(init=False)
    outcomes: list[Outcome] = field(default_factory=list)
    added: list[tuple[Overhead, float]] = field(default_factory=list)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return self.gateway.url

    @property
    def base(self) -> str:
        return f"{self.gateway.url}/v1"

    def tell(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._told.set()

    async def told(self, count: int = 1) -> list[Outcome]:
        """Once so many outcomes were told."""
        async with asyncio.timeout(10):
            while len(self.outcomes) < count:
                self._told.clear()
                await self._told.wait()
        return self.outcomes

    def arm(self, fault: str, *, run: str = "run-1", live: bool = False, **more: Any) -> None:
        self.gateway.rules.arm(rule(fault, run=run, live=live, **more))


Start = Callable[..., Awaitable[Passing]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts gateways before a URL: ``start(url, *chains, **settings of the section gateway)``."""
    begun: list[Gateway] = []

    async def begin(url: str, *chains: ChainConfig, told: Any = None, **settings: Any) -> Passing:
        made = config(url, *chains, **settings)
        assert made.gateway is not None
        passing = Passing()
        passing.gateway = gateway = Gateway(
            made,
            made.gateway,
            told=told or passing.tell,
            catalogue=lambda _: Catalogue(),
            clock=SystemClock(),
            overhead=lambda part, seconds: passing.added.append((part, seconds)),
        )
        await gateway.start()
        begun.append(gateway)
        return passing

    yield begin
    for gateway in begun:
        await gateway.stop()


@pytest.fixture
async def sandbox() -> AsyncIterator[tuple[Sandbox, str]]:
    made = Sandbox()
    url = await made.start()
    yield made, url
    await made.stop()


@dataclass
class Endpoint:
    """Takes whole requests as bytes, and answers with the pieces that ``answer`` gives, one write each.

    A piece that is None ends the connection. ``requests`` are as they came.
    """

    answer: list[bytes | None] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    url: str = ""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.closed.set()
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.requests.append(await read_message(reader))
        for index, piece in enumerate(self.answer):
            if piece is None:
                return False
            writer.write(piece)
            await writer.drain()
            if self.hold is not None and index == 0:
                await self.hold.wait()
            await asyncio.sleep(0)
        return True


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """One HTTP message, head and body, with its framing as it came."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = {
        name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    }
    if b"content-length" in fields:
        return head + await reader.readexactly(int(fields[b"content-length"]))
    if fields.get(b"transfer-encoding") == b"chunked":
        body = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            piece = await reader.readexactly(int(line, 16) + 2)
            body += line + piece
            if line.strip() == b"0":
                return head + body
    if head.startswith(b"HTTP/") and fields.get(b"connection") == b"close":
        return head + await reader.read()
    return head


def unframed(chunked: bytes) -> bytes:
    """The content of a chunked body."""
    content = b""
    while chunked:
        size, _, rest = chunked.partition(b"\r\n")
        content, chunked = content + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return content


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"
    yield made
    server.close()
