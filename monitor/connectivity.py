"""One check of our own network when a question fails in a way that could be its fault."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import structlog

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.model import Outcome, Status
from monitor.reach import Address, addresses, is_ours, is_suspicious, suspended

log = structlog.get_logger("network")

FRESH = 5.0
"""Seconds for which a check holds: a burst of failures is one check."""

Connect = Callable[[Address, float], Awaitable[bool]]


class Connectivity:
    """``down_since``: since when our own network is down, None while it is up. It recovers by the first answer of
    anybody, or by a check. ``changed`` is called when that changes."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        *,
        changed: Callable[[bool], None] = lambda _: None,
        connect: Connect | None = None,
    ) -> None:
        self._clock = clock
        self._changed = changed
        self._connect = connect or reach
        self._checking = asyncio.Lock()
        self._checked = float("-inf")
        self._reached: dict[Address, bool] = {}
        self.down_since: float | None = None
        self.follow(config)

    def follow(self, config: Config) -> None:
        used = {target.endpoint for chain in config.chains for target in chain.all_targets()}
        endpoints = {
            endpoint.url: endpoint.ca_file is None for name, endpoint in config.endpoints.items() if name in used
        }
        self._addresses = addresses(endpoints, config.network.check)
        self._timeout = config.network.timeout
        self._checked = float("-inf")

    async def verify(self, outcome: Outcome) -> Outcome:
        """The outcome as it is, or as one that says nothing since our own network is down."""
        if not is_suspicious(outcome):
            if outcome.status is not Status.ERROR:
                self._note(down=False)
            return outcome
        await self._check()
        return suspended(outcome, self._reached) if self.down_since is not None else outcome

    async def _check(self) -> None:
        async with self._checking:
            if self._clock.monotonic() - self._checked < FRESH or len(self._addresses) < 2:
                return
            answers = await asyncio.gather(*(self._connect(one, self._timeout) for one in self._addresses))
            self._reached = dict(zip(self._addresses, answers, strict=True))
            self._checked = self._clock.monotonic()
            self._note(down=is_ours(self._reached))

    def _note(self, *, down: bool) -> None:
        if down == (self.down_since is not None):
            return
        self.down_since = self._clock.now() if down else None
        if down:
            tried = ", ".join(map(str, self._addresses))
            log.error("our own network is down: verdicts are suspended", tried=tried)
        else:
            self._checked = float("-inf")
            log.info("our own network is up again: verdicts count")
        self._changed(not down)


async def reach(address: Address, timeout: float) -> bool:  # noqa: ASYNC109 - the caller's setting, in seconds
    """Whether somebody answers there; nothing is sent."""
    context = ssl.create_default_context() if address.tls else None
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
