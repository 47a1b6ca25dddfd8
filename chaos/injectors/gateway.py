"""Breaks targets in the gateway, where applications' own traffic passes: the drill's requests take that way too.

Where the caller walks the chain, each request is for one target and can meet any fault on its way. Where the endpoint
walks it, one request is for all of them: it is changed there as the ``request`` injector (or ``proxy``) changes ours.
The fault stands in the gateway's own table with its deadline and count, so it ends there whatever becomes of us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

import httpx

from chaos.edits import dump_edit
from chaos.faults import FAULTS
from chaos.injectors import proxy, request
from chaos.injectors.injector import NO_ROUTER, ROUTED, Refused, told
from chaos.injectors.plans import Change
from chaos.injectors.reach import Reach
from chaos.injectors.watching import Watching
from chaos.model import Drill, Injection, Option
from chaos.strikes import dump_strike
from chaos.wording import join
from monitor.clock import Clock
from monitor.config.model import ChainConfig
from monitor.config.strike_checks import default_injector
from monitor.model import Mode
from monitor.offering import Catalogue
from monitor.reading import mapping, text_of

UNTOLD = frozenset({"dns", "tls", "slow_connect"})
_REACHED = "whoever asks the gateway has reached it already"


class GatewayInjector:
    """For chains whose traffic passes a gateway. ``reach`` is asked anew for each drill.

    ``faults`` are those of client chains; on others it does what the injector does that is theirs by default.
    """

    name = "gateway"

    def __init__(self, reach: Callable[[], Reach | None] = lambda: None) -> None:
        self._reach = reach

    @property
    def faults(self) -> Mapping[str, Mapping[str, Option]]:
        return {name: fault.options for name, fault in FAULTS.items() if name not in UNTOLD}

    @property
    def limits(self) -> Mapping[str, str]:
        return {**dict.fromkeys(sorted(UNTOLD), _REACHED), **dict.fromkeys(ROUTED, NO_ROUTER)}

    def check(self, drill: Drill, chain: ChainConfig, catalogue: Catalogue) -> Refused | None:
        reach = self._found(chain, drill)
        found = reach if isinstance(reach, Refused) else changes(drill, chain, catalogue, reach.dialect)
        return found if isinstance(found, Refused) else None

    def watching(self, run: str, drill: Drill, until: float) -> Watching | None:
        """What the gateway sees of applications, until so many seconds since the epoch; None without a gateway."""
        reach = self._reach()
        if reach is None:
            return None
        return Watching(reach, run=run, chain=drill.chain, until=until, seeks=drill.application is not None)

    def arm(
        self,
        injection: Injection,
        drill: Drill,
        chain: ChainConfig,
        catalogue: Catalogue,
        clock: Clock,  # noqa: ARG002 - the gateway has its own
        rng: Random,
    ) -> Armed | Refused:
        reach = self._found(chain, drill)
        if isinstance(reach, Refused):
            return reach
        found = changes(drill, chain, catalogue, reach.dialect)
        if isinstance(found, Refused):
            return found
        return Armed(injection, reach, _says(injection, chain, found), rng, aim_of(drill), found)

    def _found(self, chain: ChainConfig, drill: Drill) -> Reach | Refused:
        reach = self._reach()
        if reach is None:
            return Refused("no gateway runs: the config has no section gateway, or it could not be started")
        if chain.name not in reach.chains:
            return Refused(f"no traffic of {chain.name} passes the gateway; its endpoint is another one")
        if aim_of(drill).live and chain.name not in reach.live:
            return Refused(f"{chain.name} is not opted in to live traffic: gateway.live has no section for it")
        return reach


def changes(drill: Drill, chain: ChainConfig, catalogue: Catalogue, dialect: str) -> tuple[Change, ...] | Refused:
    """What is changed in requests, one for each strike; empty where the caller walks the chain. Pure."""
    if chain.mode is Mode.CLIENT:
        return ()
    if default_injector(chain.mode, dialect) == proxy.ProxyInjector.name:
        return proxy.plan(drill, chain)
    return request.plan(drill, chain, catalogue)


def _says(injection: Injection, chain: ChainConfig, changes: tuple[Change, ...]) -> str:
    if changes:
        return f"in the gateway {join(change.says for change in changes)}"
    return join(f"requests through the gateway for {told(strike, chain)}" for strike in injection.strikes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Which requests of others a rule may meet, beside those with its mark: as the fields of the rule."""

    live: bool = False
    percent: float | None = None
    control: bool = False


def aim_of(drill: Drill) -> Aim:
    """An application that does not pass the mark on is met among live traffic, by what the config allows."""
    if drill.live is not None:
        return Aim(live=True, percent=drill.live.percent, control=True)
    return Aim(live=drill.application is not None and not drill.application.forwards_mark)


class Armed:
    """A rule in a gateway, put there by the first request that needs it. ``count`` is the gateway's own record."""

    reshape = None

    def __init__(
        self, injection: Injection, reach: Reach, says: str, rng: Random, aim: Aim, changes: tuple[Change, ...]
    ) -> None:
        self.says = says
        self.count = 0
        self.met: Mapping[int, int] = {}
        self.because = ""
        self.released = False
        self._injection = injection
        self._aim = aim
        self._edits = [dump_edit(change.reshape) for change in changes]
        self._reach = reach
        self._seed = rng.getrandbits(32)
        self._put: asyncio.Task[bool] | None = None
        self._errands: set[asyncio.Task[Any]] = set()

    def wrap(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return _Through(inner, self)

    def release(self) -> None:
        if self.released:
            return
        self.released = True
        self.errand(self._take_away())

    async def open(self) -> None:
        if self._aim.live and await self.in_place():
            await self._reach.call("POST", f"/rules/{self._injection.run}/open")

    async def gone(self) -> None:
        if self._errands:
            await asyncio.wait(self._errands)

    def mark(self, request: httpx.Request) -> httpx.Request:
        """The request as it goes through the gateway: the same, elsewhere, with the mark of this run."""
        there = httpx.URL(self._reach.url)
        position = (request.extensions.get("fallbackd") or {}).get("position")
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"host"]
        headers += [(b"Host", there.netloc), (b"X-Fallbackd-Drill", self._injection.run.encode())]
        headers.append((b"X-Fallbackd-Chain", self._injection.chain.encode()))
        headers.append((b"X-Fallbackd-Position", b"chain" if position is None else b"%d" % position))
        url = request.url.copy_with(scheme=there.scheme, host=there.host, port=there.port)
        return httpx.Request(
            request.method, url, headers=headers, stream=request.stream, extensions=dict(request.extensions)
        )

    async def in_place(self) -> bool:
        """Whether the gateway has the rule; the first caller puts it there. Without it requests go the usual way."""
        if self._put is None:
            self._put = asyncio.create_task(self._arm())
        if placed := await asyncio.shield(self._put):
            return placed
        self.because = f"found no gateway under {self._reach.control} that would break it (fallbackd gateway runs one)"
        return False

    async def look(self) -> None:
        """Take over how many exchanges the gateway says that the fault has met."""
        listed = await self._reach.call("GET", "/rules")
        for rule in mapping(listed).get("rules") or ():
            if mapping(rule).get("id") == self._injection.run:
                self.count = max(self.count, int(rule["count"]))
                self.met = {int(position): int(count) for position, count in mapping(rule["met"]).items()}
                self.because = text_of(rule["because"])

    def errand(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _arm(self) -> bool:
        one = self._injection
        rule = {
            "id": one.run, "chain": one.chain, "drill": one.drill, "run": one.run, "until": one.until,
            "max_count": one.max_count, "seed": self._seed,
            "strikes": [dump_strike(strike) for strike in one.strikes], **asdict(self._aim),
            **({"edits": self._edits} if self._edits else {}),
            **({"waits": True} if self._aim.live else {}),
        }  # fmt: skip
        return mapping(await self._reach.call("POST", "/rules", rule)).get("id") == one.run

    async def _take_away(self) -> None:
        if self._put is not None and await self.in_place():
            await self._reach.call("DELETE", f"/rules/{self._injection.run}")


class _Through(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, armed: Armed) -> None:
        self._inner = inner
        self._armed = armed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._armed.released or not await self._armed.in_place():
            return await self._inner.handle_async_request(request)
        try:
            return await self._inner.handle_async_request(self._armed.mark(request))
        except asyncio.CancelledError:
            self._armed.errand(self._armed.look())
            raise
        finally:
            await self._armed.look()
