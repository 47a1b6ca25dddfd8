"""The read endpoints: models, endpoints, providers, generations, and the account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from chaos.sandbox import listings, replies
from chaos.sandbox.catalogue import Model
from chaos.sandbox.history import History
from chaos.sandbox.stock import Stock

CREDITS = 100.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Lookups:
    def __init__(self, stock: Stock, history: History) -> None:
        self._stock = stock
        self._catalogue = stock.catalogue
        self._history = history

    def routes(self, base: str) -> list[web.RouteDef]:
        return [
            web.get(f"{base}/models", self._models),
            web.get(f"{base}/models/user", with_key(self._models)),
            web.get(f"{base}/models/count", self._count),
            web.get(f"{base}/models/{{author}}/{{slug}}/endpoints", self._endpoints),
            web.get(f"{base}/model/{{author}}/{{slug}}", self._model),
            web.get(f"{base}/endpoints/zdr", self._zdr),
            web.get(f"{base}/providers", self._providers),
            web.get(f"{base}/generation", with_key(self._generation)),
            web.get(f"{base}/key", with_key(self._key)),
            web.get(f"{base}/auth/key", with_key(self._key)),
            web.get(f"{base}/credits", with_key(self._credits)),
        ]

    async def _models(self, request: web.Request) -> web.Response:
        """Narrowed by ``supported_parameters``, ``providers`` and ``q``, as the real list can be."""
        needed = set(filter(None, request.query.get("supported_parameters", "").split(",")))
        serving = set(filter(None, request.query.get("providers", "").split(",")))
        words = request.query.get("q", "").lower()
        found = [
            model
            for model in self._catalogue.models.values()
            if needed <= {*model.parameters}
            and words in f"{model.id} {model.name}".lower()
            and (not serving or serving & {one.provider for one in self._catalogue.endpoints[model.id]})
        ]
        rows = [self._row(model) for model in found]
        return web.json_response({"data": rows, "total_count": len(rows), "links": {"next": None}})

    async def _count(self, _: web.Request) -> web.Response:
        return web.json_response({"data": {"count": len(self._catalogue.models)}})

    async def _model(self, request: web.Request) -> web.Response:
        """A former id leads to the model too, here alone."""
        id_ = _asked_id(request)
        model = self._catalogue.find(self._stock.renamed.get(id_, id_))
        return _gone(request) if model is None else web.json_response({"data": self._row(model)})

    async def _endpoints(self, request: web.Request) -> web.Response:
        model = self._asked(request)
        if model is None:
            return _gone(request)
        rows = listings.endpoint_rows(model, self._catalogue.endpoints[model.id], with_latency=has_key(request))
        return web.json_response({"data": rows})

    async def _zdr(self, request: web.Request) -> web.Response:
        found = [one for offered in self._catalogue.endpoints.values() for one in offered if one.zdr]
        return web.json_response({"data": [listings.endpoint_row(one, with_latency=has_key(request)) for one in found]})

    async def _providers(self, _: web.Request) -> web.Response:
        return web.json_response({"data": listings.provider_rows(self._catalogue)})

    async def _generation(self, request: web.Request) -> web.Response:
        id_ = request.query.get("id", "")
        found = self._history.generation(id_)
        return (
            problem(404, "not_found", f"Generation {id_} not found")
            if found is None
            else web.json_response({"data": found})
        )

    async def _key(self, _: web.Request) -> web.Response:
        return web.json_response({"data": {**listings.key_row(self._history.spent), **self._stock.key}})

    async def _credits(self, _: web.Request) -> web.Response:
        total = CREDITS if self._stock.credits is None else self._stock.credits
        return web.json_response({"data": {"total_credits": total, "total_usage": self._history.spent}})

    def _asked(self, request: web.Request) -> Model | None:
        return self._catalogue.find(_asked_id(request))

    def _row(self, model: Model) -> dict[str, object]:
        return listings.model_row(model, self._catalogue.endpoints[model.id])


def problem(status: int, error_type: str, message: str) -> web.Response:
    return web.json_response(replies.envelope(status, error_type, message), status=status)


def has_key(request: web.Request) -> bool:
    """Any key will do."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(key.strip())


def with_key(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        if not has_key(request):
            return problem(401, "authentication", "No auth credentials found")
        return await handler(request)

    return guarded


def _asked_id(request: web.Request) -> str:
    return f"{request.match_info['author']}/{request.match_info['slug']}"


def _gone(request: web.Request) -> web.Response:
    return problem(404, "not_found", f"Model {_asked_id(request)} not found")
