"""One real browser for all tests of the page, and what every page of it must keep to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from monitor.serving import Server
from tests.e2e.configs import CHAINS, QUIET
from tests.e2e.daemon import Daemon

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PATIENCE = 30_000.0
"""Milliseconds that a condition may take on a busy machine."""

expect.set_options(timeout=PATIENCE)

LOUD = ("error", "warning")

Open = Callable[..., Awaitable[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In one worker, so that there is one browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.needs("chromium"))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        await running.close()


@dataclass
class Window:
    """A window of its own, and what it asked and said."""

    context: BrowserContext
    hosts: frozenset[str]
    allowed: tuple[str, ...]
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(PATIENCE)
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.context.on("console", lambda message: self.said.append(message.text) if message.type in LOUD else None)
        self.context.on("weberror", lambda error: self.said.append(str(error.error)))

    async def close(self) -> None:
        await self.context.close()
        assert {urlsplit(one).netloc for one in self.asked} <= self.hosts
        assert [text for text in self.said if not any(part in text for part in self.allowed)] == []


@pytest.fixture
async def open_page(browser: Browser) -> AsyncIterator[Open]:
    """Opens an address in a window of its own, after ``before`` was done to it. When the test ends, nothing may have
    been asked of a host that is not among ``hosts``, and nothing complained of but what ``allowed`` matches."""
    windows: list[Window] = []

    async def open_(
        url: str,
        *,
        allowed: tuple[str, ...] = (),
        hosts: Iterable[str] = (),
        before: Callable[[Page], Awaitable[Any]] | None = None,
        **settings: Any,
    ) -> Page:
        context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        ours = frozenset(urlsplit(one).netloc for one in (url, *hosts))
        windows.append(Window(context, ours, allowed))
        page = await context.new_page()
        if before is not None:
            await before(page)
        await page.goto(url)
        return page

    yield open_
    for window in windows:
        await window.close()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[FastAPI], Awaitable[str]]]:
    """Puts a site on a free port; the address."""
    servers: list[Server] = []

    async def start(site: FastAPI) -> str:
        servers.append(Server(site, "127.0.0.1", 0))
        return await servers[-1].start()

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A real daemon on the sandbox, and every chain has been asked."""
    made = Daemon(tmp_path, chains=CHAINS, alerts=QUIET)
    await made.start()
    yield made
    made.kill()
