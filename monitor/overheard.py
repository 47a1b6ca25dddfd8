"""What passed through a gateway in a process of its own: its outcomes, learnt and told as those of our own gateway are.

They are counted there, at the gateway's own metrics, and not a second time here. Where the reading has come to is
kept in the same transaction as the outcomes, so that each is learnt once, whoever is killed; what passes while the
daemon is down waits in the gateway.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from chaos.backlog import Page
from chaos.injectors import Reach
from monitor.model import Outcome
from monitor.reading import mapping, number, parse, text_of
from monitor.store import Store

log = structlog.get_logger("gateway")

EVERY = 2.0
"""Seconds between two looks."""
KIND, KEY = "gateway", "overheard"


class Take(Protocol):
    def __call__(self, outcome: Outcome, *, measured: bool) -> None: ...


class Overheard:
    """``reach``: where the other process is, None where there is none; ``chains``: those that are known here."""

    def __init__(
        self, *, reach: Callable[[], Reach | None], chains: Callable[[], Collection[str]], take: Take, store: Store
    ) -> None:
        self._reach = reach
        self._chains = chains
        self._take = take
        self._store = store
        self._place: tuple[str, int] | None = None

    async def look(self) -> None:
        """Reads all that waits."""
        reach = self._reach()
        if reach is None:
            return
        if self._place is None:
            self._place = _place((await self._store.states(KIND)).get(KEY))
        more = True
        while more:
            page = await reach.outcomes(*self._place)
            new = page is not None and self._place != (page.of, page.next)
            more = page is not None and page.more and new
            if page is not None and new:
                await self._hear(page)

    async def _hear(self, page: Page) -> None:
        if page.lost:
            log.warning("the gateway let go of outcomes that nobody had asked for in time", count=page.lost)
        known = frozenset(self._chains())
        for outcome in page.outcomes:
            if outcome.chain in known:
                self._take(outcome, measured=True)
        self._place = (page.of, page.next)
        await self._store.put_states(KIND, {KEY: json.dumps({"of": page.of, "next": page.next}).encode()})


def _place(kept: bytes | None) -> tuple[str, int]:
    found = mapping(parse(kept)) if kept is not None else {}
    return text_of(found.get("of")) or "", int(number(found.get("next")) or 0)
