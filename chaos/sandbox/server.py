"""The sandbox as a server: OpenRouter's API under ``/api/v1``, and ``/control`` to break it, on one port."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from http import HTTPStatus
from random import Random
from typing import Any

from aiohttp import web

from chaos.faults.replies import reply
from chaos.model import Effect
from chaos.sandbox import control, wire
from chaos.sandbox.breaks import FRONT_DOOR, Break, Breaks
from chaos.sandbox.catalogue import SandboxCatalogue, shipped
from chaos.sandbox.completions import Call, Completions
from chaos.sandbox.control import Control
from chaos.sandbox.history import KEPT, History
from chaos.sandbox.lookups import Handler, Lookups, problem, with_key
from chaos.sandbox.router import Router
from chaos.sandbox.stock import Stock
from monitor.clock import Clock, SystemClock
from monitor.errors import StartError

API = "/api/v1"
ROUTER_TIMEOUT = 60.0
GENERATION_DELAY = 0.5
_BODY_LIMIT = 64 * 1024 * 1024
_GRACE = 0.1
_CALL: ContextVar[Call] = ContextVar("call")
"""The request that the running task is answering."""


class Sandbox:
    """A private OpenRouter. Answers, latencies and draws repeat for the same ``seed``.

    ``router_timeout``: how long an endpoint may take to its first token before the next one is tried.
    ``generation_delay``: until ``/generation`` knows a call; with the real one it is 5 to 10 s. Both in seconds.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        catalogue: SandboxCatalogue | None = None,
        clock: Clock | None = None,
        router_timeout: float = ROUTER_TIMEOUT,
        generation_delay: float = GENERATION_DELAY,
    ) -> None:
        self._stock = Stock(catalogue or shipped())
        catalogue = self._stock.catalogue
        self._clock = clock or SystemClock()
        self._rng = Random(seed)
        self._breaks = Breaks(catalogue, self._clock.now, seed)
        self._history = History(self._clock, generation_delay)
        router = Router(self._breaks, self._clock, self._rng, router_timeout)
        self._completions = Completions(catalogue, router, self._history, self._clock, self._rng, seed)
        self._lookups = Lookups(self._stock, self._history)
        self._runner: web.AppRunner | None = None
        self.control_url = ""

    @property
    def breaks(self) -> tuple[Break, ...]:
        return self._breaks.all

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        """The latest requests to the API, oldest first, without their keys."""
        return self._history.requests(KEPT)

    def break_(
        self,
        model: str,
        provider: str | None,
        fault: str,
        options: Mapping[str, float] | None = None,
        *,
        seconds: float | None = None,
        count: int | None = None,
        shape: str | None = None,
        shape_options: Mapping[str, float] | None = None,
    ) -> None:
        """Raises UnknownNameError or ValueError with a sentence. Model ``*`` is the sandbox's own front door.

        Ends after so many ``seconds``, or once so many requests (``count``) have met it; without either by ``mend``.
        ``shape``: which requests it meets; None, the fault's own.
        """
        self._breaks.add(
            model,
            provider,
            fault,
            options or {},
            seconds=seconds,
            count=count,
            shape=shape,
            shape_options=shape_options,
        )

    def mend(self, model: str | None = None, provider: str | None = None) -> int:
        """How many breaks were ended; without a model all."""
        return self._breaks.mend(model, provider)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """The base URL for clients. Raises StartError when the address cannot be had."""
        app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[self._meet])
        complete = web.post(f"{API}/chat/completions", with_key(self._complete))
        controls = [*Control(self._breaks, self._history).routes(), *self._stock.routes()]
        app.add_routes([complete, *self._lookups.routes(API), *controls])
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_GRACE)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except (OSError, OverflowError) as error:
            await self.stop()
            why = getattr(error, "strerror", None) or error
            raise StartError(f"the sandbox cannot listen on {host}:{port}: {why}; choose another address") from None
        bound = self._runner.addresses[0]
        name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.control_url = f"http://{name}:{bound[1]}"
        return f"{self.control_url}{API}"

    async def stop(self) -> None:
        """Prompt, also with requests in flight; safe to run twice."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @web.middleware
    async def _meet(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Everything that comes in: the API's requests are remembered, and may meet a broken front door."""
        if not request.path.startswith(API):
            return await _handled(request, handler)
        effect = self._breaks.visit().strike(FRONT_DOOR, None) or Effect()
        id_ = f"gen-{int(self._clock.now())}-{self._rng.getrandbits(80):020x}"
        entry = self._history.open(request)
        _CALL.set(Call(id=id_, front=effect, entry=entry))
        try:
            answer = await self._answered(request, handler, effect)
        except asyncio.CancelledError:
            entry.setdefault("answered", {"status": None})  # the caller has left
            raise
        entry["answered"] = {"status": answer.status, **entry.get("answered", {})}
        if not answer.prepared:
            answer.headers["X-Generation-Id"] = id_
        return answer

    async def _answered(self, request: web.Request, handler: Handler, effect: Effect) -> web.StreamResponse:
        answer = await wire.at_the_door(request, effect, self._clock)
        if answer is None:
            answer = await _handled(request, handler)
            if isinstance(answer, web.Response):
                answer = await wire.bend(request, answer, effect, self._clock)
        return answer

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        return await self._completions.answer(_CALL.get(), request)


async def _handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is no route, no method or too large is answered as JSON too."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if not request.path.startswith(API):
            return control.problem(error.status, HTTPStatus(error.status).phrase)
        usual = reply(error.status)
        return problem(error.status, usual.error_type, HTTPStatus(error.status).phrase)
