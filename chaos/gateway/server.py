"""The gateway as a server: traffic on one port, its control on another, what passes told as outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import Random

import structlog
from aiohttp import web

from chaos.apis import api_of
from chaos.gateway.control import Alone, Control
from chaos.gateway.door import Doors, Hall
from chaos.gateway.heads import Address
from chaos.gateway.listening import listen_for
from chaos.gateway.observer import Observer
from chaos.gateway.outcomes import Reading
from chaos.gateway.overhead import Added, watch_turns
from chaos.gateway.places import Places, read_asked
from chaos.gateway.record import Record
from chaos.gateway.relay import Relay
from chaos.gateway.reshaping import Request, reshaped
from chaos.gateway.rule import Mark
from chaos.gateway.rules import Rules, Struck
from chaos.gateway.upstream import Upstream
from chaos.gateway.watches import Watches
from monitor.clock import Clock
from monitor.config.model import ChainConfig, Config, GatewayConfig
from monitor.dialects import DIALECTS
from monitor.errors import StartError
from monitor.model import Outcome
from monitor.offering import Catalogue
from monitor.reading import parse

log = structlog.get_logger("gateway")

CHAIN, DRILL, POSITION = "X-Fallbackd-Chain", "X-Fallbackd-Drill", "X-Fallbackd-Position"
"""Request fields for the gateway: the chain that the traffic belongs to; the mark of a drill's own request, and the
position of the target that it asks, or ``chain`` where it asks for all of it."""
WHOLE = "chain"
GRACE = 10.0
"""Seconds that exchanges in flight get at a stop."""
_HEAD_LIMIT = 65536


class Gateway:
    """Passes traffic on to one endpoint, byte for byte.

    ``told`` gets an Outcome of origin live for each exchange of a chain; ``unobserved`` is called for each that there
    was no time to read, ``overhead`` with what the gateway itself adds. Neither they nor the control can stop
    traffic. ``alone``: for one in a process of its own.
    """

    def __init__(
        self,
        config: Config,
        settings: GatewayConfig,
        *,
        told: Callable[[Outcome], None],
        catalogue: Callable[[str], Catalogue],
        clock: Clock,
        unobserved: Callable[[], None] = lambda: None,
        overhead: Added | None = None,
        alone: Alone | None = None,
    ) -> None:
        self.settings = settings
        self.url = ""
        self.control_url = ""
        self._clock = clock
        self._catalogue = catalogue
        self._told = told
        self._overhead = overhead
        dialect = config.endpoints[settings.endpoint].dialect
        self.rules = Rules(_sizes(config, settings), settings.live, clock, dialect)
        self.watches = Watches(clock)
        read = _observed(config, settings, catalogue)
        self.observer = Observer(*read, told, unobserved, self.watches, clock, Random(), overhead)
        self._config = config
        self._control = Control(self.rules, self.watches, self.observer, alone)
        self._server: asyncio.Server | None = None
        self._doors: Doors | None = None
        self._careful: web.Server | None = None
        self._beside: list[asyncio.Task[None]] = []
        self._upstream: Upstream | None = None

    async def start(self) -> None:
        """Raises StartError when an address cannot be had, or a CA file not be read."""
        endpoint = self._config.endpoints[self.settings.endpoint]
        try:
            self._upstream = Upstream(endpoint.url, ca_file=endpoint.ca_file)
        except OSError as error:
            raise StartError(f"the gateway cannot read {endpoint.ca_file}: {error}") from None
        self._time = asyncio.get_running_loop().time
        limit = self.settings.max_body_mib * 1024 * 1024
        self._relay = Relay(self._upstream, max_body=limit, time=self._time, decide=self._decide)
        self._beside = [asyncio.create_task(self.observer.run(), name="gateway observer")]
        if self._overhead is not None:
            turns = watch_turns(self._clock, self._overhead)
            self._beside.append(asyncio.create_task(turns, name="gateway turns"))
        careful = self._careful = web.Server(
            self._serve, access_log=None, handler_cancellation=True, auto_decompress=False,
            max_line_size=_HEAD_LIMIT, max_field_size=_HEAD_LIMIT, max_headers=1024,
        )  # fmt: skip
        self._doors = Doors(
            Hall(
                lines=self._upstream.lines, address=Address(self._upstream.url.raw_path), host=self._upstream.host,
                now=self._clock.now, time=self._time, careful=self._is_careful, other=careful, seen=self._seen,
            )
        )  # fmt: skip
        try:
            self._server, self.url = await listen_for(self._doors, self.settings.listen, "listen")
            self.control_url = await self._control.start(self.settings.control)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Exchanges in flight end by themselves, or after the grace; what they were is told. Safe to run twice."""
        self.rules.release_all()
        await self._control.stop()
        server, self._server = self._server, None
        if server is not None:
            server.close()
        if self._doors is not None and self._careful is not None:
            self._careful.pre_shutdown()
            await asyncio.gather(self._doors.close(GRACE), self._careful.shutdown(GRACE))
        beside, self._beside = self._beside, []
        for task in beside:
            task.cancel()
        if beside:
            await asyncio.gather(*beside, return_exceptions=True)
            self.observer.drain()
        if self._upstream is not None:
            await self._upstream.close()

    def follow(self, config: Config, settings: GatewayConfig) -> bool:
        """Obey another config. False when it asks for another address or endpoint: that needs a restart, and nothing
        is changed when the endpoint that is in use has gone."""
        if self.settings.endpoint not in config.endpoints:
            return False
        same = ("listen", "control", "endpoint", "max_body_mib", "separate")
        unmoved = all(getattr(settings, name) == getattr(self.settings, name) for name in same)
        asked, wanted = (one.endpoints[self.settings.endpoint].url for one in (self._config, config))
        self.settings = self.settings.model_copy(update={"chains": settings.chains, "live": settings.live})
        self.rules.follow(_sizes(config, self.settings), self.settings.live)
        self.observer.places, self.observer.reading = _observed(config, self.settings, self._catalogue)
        return unmoved and asked == wanted

    def _is_careful(self) -> bool:
        """Whether somebody wants to break exchanges, or to know which belong together."""
        return bool(self.rules or self.watches)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        record = Record(at=self._clock.now(), started=self._time(), path=request.raw_path)
        record.chain = request.headers.get(CHAIN)
        record.marked = DRILL in request.headers
        try:
            return await self._relay.pass_on(request, record)
        finally:
            self.watches.ended(record)
            self._seen(record)

    def _seen(self, record: Record) -> None:
        if not record.marked or record.seen is not None:  # a drill's own request is an outcome of the drill already
            self.observer.take(record)

    def _decide(self, request: web.BaseRequest, record: Record) -> Struck | None:
        if not self.rules and not self.watches:
            return None
        try:
            mark = self._mark(request, record)
            struck = self.rules.strike(mark)
        except Exception:
            log.exception("a fault could not be decided on; the exchange passes")
            return None
        seen = record.seen
        if struck is not None:
            record.drill, record.met = struck.rule.drill, True
            if seen is not None:
                seen.gone = struck.gone
                seen.retry_after = struck.effect.error.retry_after if struck.effect.error else None
        elif seen is not None:
            record.drill, seen.spared = seen.call.drill, self.rules.spared(mark.chain)
        return struck

    def _mark(self, request: web.BaseRequest, record: Record) -> Mark:
        found = self.observer.places.find(read_asked(record.asked), record.chain)
        told = request.headers.get(POSITION, "")
        asked = found.target.position if found is not None and found.target is not None else None
        own = int(told) if told.isascii() and told.isdigit() and len(told) < 4 else None
        chain, header = found.chain.name if found is not None else None, request.headers.get
        if own is None and told != WHOLE:  # a drill's own request names its target, and is no application's
            record.seen = self.watches.asked(record, chain, asked, header)
        sent = Request(method=request.method, path=request.path, header=header, body=record.asked)
        return Mark(
            run=header(DRILL),
            chain=chain,
            position=asked if own is None else own,
            header=header,
            exact=found is not None and found.exact,
            call=record.seen.call if record.seen is not None else None,
            body=lambda: parse(b"".join(record.asked.head)),
            api=api_of(record.path),
            edit=lambda edits: reshaped(sent, edits),
        )


def chains_of(config: Config, settings: GatewayConfig) -> tuple[ChainConfig, ...]:
    """The chains whose traffic passes here: those that are named, else all of the endpoint."""
    return config.passing(settings)


def _sizes(config: Config, settings: GatewayConfig) -> Mapping[str, int]:
    return {chain.name: len(chain.targets) for chain in chains_of(config, settings)}


def _observed(config: Config, settings: GatewayConfig, catalogue: Callable[[str], Catalogue]) -> tuple[Places, Reading]:
    dialect = DIALECTS[config.endpoints[settings.endpoint].dialect]
    reading = Reading(dialect=dialect, catalogue=lambda: catalogue(settings.endpoint))
    return Places(chains_of(config, settings), lists_models=dialect.lists_models), reading
