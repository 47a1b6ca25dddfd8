"""Where people and programs reach the daemon: the page with its API, Slack, and the file that says where."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random

import structlog
from fastapi import FastAPI

from monitor import addresses
from monitor.clock import Clock
from monitor.control import DaemonControl
from monitor.in_force import InForce
from monitor.serving import Server
from monitor.settings import Settings
from monitor.slack import SlackOrders
from monitor.web import Feed

log = structlog.get_logger("app")


class Front:
    """``url``: where the page is, once it was started. ``heard(notifier, whether)``: whether its orders are heard."""

    def __init__(
        self, page: FastAPI, control: DaemonControl, *, in_force: InForce, settings: Settings, feed: Feed, clock: Clock,
        rng: Random, heard: Callable[[str, bool], None],
    ) -> None:  # fmt: skip
        self.url = ""
        self._in_force = in_force
        self._settings = settings
        self._feed = feed
        self._server = Server(page, *settings.listen)
        self._orders = SlackOrders(control, clock=clock, rng=rng, heard=heard)
        self._stack = AsyncExitStack()

    async def start(self, sandbox: str | None) -> None:
        """Raises StartError. ``sandbox``: where the embedded one is controlled."""
        self.url = await self._server.start()
        self._stack.push_async_callback(self._server.stop)
        self._stack.callback(self._feed.close)
        self._doubt_the_page()
        data = self._settings.data
        addresses.write(data, addresses.Addresses(pid=os.getpid(), url=self.url, sandbox=sandbox))
        self._stack.callback(addresses.forget, data)
        await self._orders.follow(self._in_force.config)
        self._stack.push_async_callback(self._orders.close)

    async def follow(self) -> None:
        """Obey what is in force now."""
        await self._orders.follow(self._in_force.config)
        self._doubt_the_page()

    async def stop(self) -> None:
        await self._stack.aclose()

    def _doubt_the_page(self) -> None:
        if self._in_force.config.page.public and self._settings.token is None:
            log.warning(
                "page: public: true is not in force: set FALLBACKD_TOKEN or --token-file, for those who see all"
            )
