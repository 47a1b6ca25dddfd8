"""Chains over time, out of the store, as the pages and the API show them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.model import Path
from monitor.store import Store
from monitor.web.history_views import HistoryView, StripView, TroubleView, Window, fill, starts
from monitor.web.strip import serve
from monitor.web.timeline import troubles
from monitor.web.views import RunState, RunView

FRESH = 4.0
"""Seconds for which strips are good enough: one of their buckets is a quarter of an hour."""
SHARE = 0.02
"""Of the time, at most, goes into reading them anew, however much there is to read."""
CHANGES = 1000
"""Changes of health that are looked at for the troubles of a chain."""
RUNS = 200


class InForce(Protocol):
    @property
    def config(self) -> Config: ...


class Histories:
    """Implements ``monitor.web.history_api.Histories``."""

    def __init__(self, in_force: InForce, *, store: Store, clock: Clock) -> None:
        self._in_force = in_force
        self._store = store
        self._clock = clock
        self._strips: Mapping[str, StripView] = {}
        self._digest = ""
        self._until = 0.0
        self._reading = asyncio.Lock()

    async def strips(self) -> Mapping[str, StripView]:
        """Read once for all pages that ask within some seconds."""
        async with self._reading:
            config, now = self._in_force.config, self._clock.now()
            if now >= self._until or config.digest != self._digest:
                self._strips, began = await self._read_strips(config, now), now
                now = self._clock.now()
                self._until, self._digest = now + max(FRESH, (now - began) / SHARE), config.digest
            return self._strips

    async def history(self, chain: str, window: Window | None) -> HistoryView | None:
        config, now = self._in_force.config, self._clock.now()
        if chain not in {one.name for one in config.chains}:
            return None
        window = window or await self._fitting(chain, now)
        at, step = starts(now, window), window.step
        labels = [target.label for target in config.chain(chain).targets]
        lines = [
            fill(await self._store.quantiles(chain, labels, column, since=at[0], width=step), labels, at, step)
            for column in ("duration", "first_token")
        ]
        return HistoryView(
            chain=chain,
            window=window,
            start=at[0],
            end=now,
            step=step,
            at=at,
            latency=lines[0],
            first_token=lines[1],
            troubles=await self.troubles(chain, since=at[0]),
            runs=tuple([
                RunView(
                    run=one.run, drill=one.drill, chain=one.chain, state=RunState.FINISHED, at=one.at, verdict=one
                )
                for one, _ in await self._store.journals(chain=chain, limit=RUNS)
                if one.at >= at[0]
            ]),
        )  # fmt: skip

    async def troubles(self, chain: str, *, since: float) -> tuple[TroubleView, ...]:
        changes = await self._store.transitions(chain=chain, limit=CHANGES)
        return tuple(one for one in troubles(changes) if one.end is None or one.end >= since)

    async def _read_strips(self, config: Config, now: float) -> Mapping[str, StripView]:
        at, step = starts(now, Window.DAY), Window.DAY.step
        found: dict[str, list[tuple[int, int | None, Path, int]]] = {chain.name: [] for chain in config.chains}
        for name, bucket, position, path, count in await self._store.served(list(found), since=at[0], width=step):
            found[name].append((bucket, position, path, count))
        return {
            chain.name: serve(found[chain.name], [target.label for target in chain.targets], at, step)
            for chain in config.chains
        }

    async def _fitting(self, chain: str, now: float) -> Window:
        """The shortest window that shows all there is."""
        first = await self._store.first_outcome(chain)
        age = 0.0 if first is None else now - first
        return next((one for one in (Window.SHORT, Window.HOUR, Window.QUARTER) if age <= one.seconds), Window.DAY)
