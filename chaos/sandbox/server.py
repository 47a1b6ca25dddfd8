"""The sandbox as a server: OpenRouter's API under ``/api/v1``, and ``/control`` to break it, on one port."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

from aiohttp import web

from chaos.model import Effect
from chaos.sandbox import replies, wire
from chaos.sandbox.breaks import FRONT_DOOR, Break, Breaks
from chaos.sandbox.catalogue import SandboxCatalogue, shipped
from chaos.sandbox.completions import Completions, Ended
from chaos.sandbox.control import Control
from monitor.clock import Clock, SystemClock
from monitor.errors import StartError

API = "/api/v1"
ROUTER_TIMEOUT = 60.0
GENERATION_DELAY = 0.5
"""Seconds until ``/generation`` knows a call; with the real one it is 5 to 10."""
KEPT = 1000
_BODY_LIMIT = 64 * 1024 * 1024
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Sandbox:
    """A private OpenRouter. Answers, latencies and draws repeat for the same ``seed``."""

    def __init__(
        self,
        *,
        seed: int = 0,
        catalogue: SandboxCatalogue | None = None,
        clock: Clock | None = None,
        router_timeout: float = ROUTER_TIMEOUT,
        generation_delay: float = GENERATION_DELAY,
    ) -> None:
        self._catalogue = catalogue or shipped()
        self._clock = clock or SystemClock()
        self._rng = Random(seed)
        self._breaks = Breaks(self._catalogue, self._clock.now, seed)
        self._generation_delay = generation_delay
        self._generations: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()
        self._requests: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._completions = Completions(self._catalogue, self._breaks, self._clock, seed, router_timeout, self._note)
        self._runner: web.AppRunner | None = None
        self.control_url = ""

    @property
    def breaks(self) -> tuple[Break, ...]:
        return self._breaks.all

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        """The latest requests to the API, oldest first, without their keys."""
        return list(self._requests)

    def break_(
        self,
        model: str,
        provider: str | None,
        fault: str,
        options: Mapping[str, float] | None = None,
        *,
        seconds: float | None = None,
        count: int | None = None,
    ) -> None:
        """Raises UnknownNameError or ValueError with a sentence. Model ``*`` is the sandbox's own front door."""
        self._breaks.add(model, provider, fault, options or {}, seconds=seconds, count=count)

    def mend(self, model: str | None = None, provider: str | None = None) -> int:
        return self._breaks.mend(model, provider)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """The base URL for clients. Raises StartError when the address cannot be had."""
        app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[self._front_door])
        app.add_routes([*self._routes(), *Control(self._breaks, lambda: self.requests).routes()])
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as error:
            await self.stop()
            raise StartError(
                f"the sandbox cannot listen on {host}:{port}: {error.strerror or error}; choose another address"
            ) from None
        bound = self._runner.addresses[0]
        name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.control_url = f"http://{name}:{bound[1]}"
        return f"{self.control_url}{API}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{API}/chat/completions", self._complete),
            web.get(f"{API}/models", self._models),
            web.get(f"{API}/models/user", self._models),
            web.get(f"{API}/models/{{author}}/{{slug}}/endpoints", self._endpoints),
            web.get(f"{API}/model/{{author}}/{{slug}}", self._model),
            web.get(f"{API}/providers", self._providers),
            web.get(f"{API}/generation", self._generation),
            web.get(f"{API}/key", self._key),
            web.get(f"{API}/auth/key", self._key),
            web.get(f"{API}/credits", self._credits),
        ]

    @web.middleware
    async def _front_door(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not request.path.startswith(API):
            return await handler(request)
        effect = self._breaks.strike(FRONT_DOOR, None)
        if effect is not None:
            request["front"] = effect
            broken = await wire.at_the_door(request, effect, self._clock)
            if broken is not None:
                return broken
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _problem(error.status, error.reason)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        entry = {
            "method": request.method,
            "path": request.path,
            "headers": _shown(request),
            "body": await _body(request),
        }
        self._requests.append(entry)
        if not _has_key(request):
            return _problem(401, "No auth credentials found", "authentication")
        id_ = f"gen-{int(self._clock.now())}-{self._rng.getrandbits(80):020x}"
        entry["id"] = id_
        front: Effect | None = request.get("front")
        return await self._completions.answer(request, id_=id_, front=front)

    def _note(self, ended: Ended) -> None:
        exchange = ended.exchange
        answered: dict[str, Any] = {"status": ended.status}
        if exchange is not None:
            record = replies.generation(exchange, ended.said, streamed=exchange.wanted.stream, latency=ended.seconds)
            self._generations[exchange.id] = (self._clock.now() + self._generation_delay, record)
            while len(self._generations) > KEPT:
                self._generations.popitem(last=False)
            answered |= {
                "model": record["model"], "provider": record["provider_name"],
                "attempts": [[one.endpoint.model.id, one.endpoint.provider, one.status] for one in exchange.tried],
            }  # fmt: skip
            entry = next((one for one in reversed(self._requests) if one.get("id") == exchange.id), None)
            if entry is not None:
                entry["answered"] = answered

    async def _models(self, _: web.Request) -> web.Response:
        rows = [replies.model_row(one, self._catalogue.endpoints[one.id]) for one in self._catalogue.models.values()]
        return web.json_response({"data": rows})

    async def _model(self, request: web.Request) -> web.Response:
        model = self._catalogue.find(_asked_id(request))
        if model is None:
            return _problem(404, f"Model {_asked_id(request)} not found", "not_found")
        return web.json_response({"data": replies.model_row(model, self._catalogue.endpoints[model.id])})

    async def _endpoints(self, request: web.Request) -> web.Response:
        model = self._catalogue.find(_asked_id(request))
        if model is None:
            return _problem(404, f"Model {_asked_id(request)} not found", "not_found")
        return web.json_response({"data": replies.endpoint_rows(model, self._catalogue.endpoints[model.id])})

    async def _providers(self, _: web.Request) -> web.Response:
        return web.json_response({"data": replies.provider_rows(self._catalogue)})

    async def _generation(self, request: web.Request) -> web.Response:
        if not _has_key(request):
            return _problem(401, "No auth credentials found", "authentication")
        id_ = request.query.get("id", "")
        ready, record = self._generations.get(id_, (float("inf"), {}))
        if self._clock.now() < ready:
            return _problem(404, f"Generation {id_} not found", "not_found")
        return web.json_response({"data": record})

    async def _key(self, request: web.Request) -> web.Response:
        if not _has_key(request):
            return _problem(401, "No auth credentials found", "authentication")
        return web.json_response({"data": replies.key_row()})

    async def _credits(self, request: web.Request) -> web.Response:
        if not _has_key(request):
            return _problem(401, "No auth credentials found", "authentication")
        return web.json_response({"data": {"total_credits": 100, "total_usage": 0}})


def _has_key(request: web.Request) -> bool:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(key.strip())


def _asked_id(request: web.Request) -> str:
    return f"{request.match_info['author']}/{request.match_info['slug']}"


def _shown(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name.lower() != "authorization"}


async def _body(request: web.Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError):
        return None


def _problem(status: int, message: str, error_type: str = "invalid_request") -> web.Response:
    error = {"code": status, "message": message, "metadata": {"error_type": error_type}}
    return web.json_response({"error": error}, status=status)
