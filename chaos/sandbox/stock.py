"""Changing what the sandbox offers while it runs: ``/control/catalogue``.

A model can be retired, renamed, given a date on which it ends, or lose a parameter; a provider can leave, join, and
change its price, limits, status and uptime; the key can run out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from chaos.sandbox.catalogue import MILLION, Endpoint, Model, SandboxCatalogue
from chaos.sandbox.wanted import parse
from monitor.reading import number

_OF_MODEL = frozenset({"retire", "rename", "expires", "parameters"})
_OF_OFFER = frozenset({"drop", "add", "prompt", "completion", "context", "max_completion", "status", "uptime"})
_OF_ACCOUNT = frozenset({"key", "credits"})
_PRICES = {"prompt": "prompt_price", "completion": "completion_price"}
_COUNTS = ("context", "max_completion", "status")


class Stock:
    """``catalogue`` is what is offered now; the parts that hold it see every change. ``key`` and ``credits`` replace
    what ``/key`` and ``/credits`` say. ``renamed``: former id -> id."""

    def __init__(self, shipped: SandboxCatalogue) -> None:
        self._shipped = shipped
        self._models = dict(shipped.models)
        self._endpoints = dict(shipped.endpoints)
        self.catalogue = replace(shipped, models=self._models, endpoints=self._endpoints)
        self.renamed: dict[str, str] = {}
        self.key: dict[str, Any] = {}
        self.credits: float | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/control/catalogue", self._change),
            web.delete("/control/catalogue", self._reset),
        ]

    def change(self, wanted: Any) -> None:
        """``{"model": ..., "provider": ..., CHANGE: VALUE}``. Raises ValueError with a sentence."""
        body = wanted if isinstance(wanted, Mapping) else {}
        changes = {name: value for name, value in body.items() if name not in ("model", "provider")}
        known = _OF_OFFER if "provider" in body else _OF_MODEL if "model" in body else _OF_ACCOUNT
        if not changes or changes.keys() - known:
            raise ValueError(f"write one or more of {', '.join(sorted(known))}")
        if "model" not in body:
            self._change_account(changes)
        elif "provider" in body:
            self._change_offer(self._model(body["model"]), str(body["provider"]), changes)
        else:
            self._change_model(self._model(body["model"]), changes)

    def reset(self) -> None:
        """Offer again what is shipped."""
        for now, shipped in ((self._models, self._shipped.models), (self._endpoints, self._shipped.endpoints)):
            now.clear()
            now.update(shipped)  # type: ignore[arg-type]  # each pair is of one type
        self.key, self.credits = {}, None
        self.renamed.clear()

    def _change_account(self, changes: Mapping[str, Any]) -> None:
        key = changes.get("key", {})
        if not isinstance(key, Mapping):
            raise ValueError("key: an object")  # noqa: TRY004 - answered as 422
        self.credits = number(changes.get("credits", self.credits))
        self.key |= key

    def _change_model(self, model: Model, changes: Mapping[str, Any]) -> None:
        if changes.get("retire"):
            del self._models[model.id], self._endpoints[model.id]
            return
        if "rename" in changes:
            self._rename(model, changes["rename"])
            return
        parameters = changes.get("parameters", model.parameters)
        changed = replace(model, expires=changes.get("expires", model.expires), parameters=tuple(map(str, parameters)))
        self._models[model.id] = changed
        self._endpoints[model.id] = tuple(replace(one, model=changed) for one in self._endpoints[model.id])

    def _rename(self, model: Model, name: Any) -> None:
        """The old id is listed no more, and leads to the new one for whoever asks for the model alone."""
        if not isinstance(name, str) or name.count("/") != 1 or name in self._models:
            raise ValueError("rename: a model id (author/slug) that there is not yet")
        changed = replace(model, id=name)
        self._models[name] = changed
        self._endpoints[name] = tuple(replace(one, model=changed) for one in self._endpoints[model.id])
        del self._models[model.id], self._endpoints[model.id]
        self.renamed[model.id] = name

    def _change_offer(self, model: Model, provider: str, changes: Mapping[str, Any]) -> None:
        offered = self._endpoints[model.id]
        if changes.get("add"):
            offered = (*offered, self._joining(offered[0], provider))
        kept = tuple(one for one in offered if not (changes.get("drop") and one.provider == provider))
        if not any(one.provider == provider for one in offered):
            raise ValueError(f"{provider} does not serve {model.id}")
        if not kept:
            raise ValueError(f"{provider} is the last one to serve {model.id}; retire the model")
        self._endpoints[model.id] = tuple(_changed(one, changes) if one.provider == provider else one for one in kept)

    def _joining(self, like: Endpoint, provider: str) -> Endpoint:
        display = self._shipped.providers.get(provider)
        if display is None:
            raise ValueError(f"there is no provider {provider}")
        return replace(like, provider=provider, tag=provider, display=display)

    def _model(self, name: Any) -> Model:
        found = self._models.get(name) if isinstance(name, str) else None
        if found is None:
            raise ValueError(f"there is no model {name}")
        return found

    async def _change(self, request: web.Request) -> web.Response:
        try:
            self.change(parse(await request.read()))
        except ValueError as error:
            return web.json_response({"error": {"code": 422, "message": str(error)}}, status=422)
        return web.json_response({"changed": True})

    async def _reset(self, _: web.Request) -> web.Response:
        self.reset()
        return web.json_response({"changed": True})


def _changed(one: Endpoint, changes: Mapping[str, Any]) -> Endpoint:
    """Prices in USD per million tokens, uptime in percent (of all windows)."""
    found: dict[str, Any] = {}
    for name, field in _PRICES.items():
        if name in changes:
            found[field] = _number(changes, name) / MILLION
    for name in _COUNTS:
        if name in changes:
            found[name] = int(_number(changes, name))
    if "uptime" in changes:
        found["uptime"] = (_number(changes, "uptime"),) * 3
    return replace(one, **found)


def _number(changes: Mapping[str, Any], name: str) -> float:
    value = number(changes[name])
    if value is None:
        raise ValueError(f"{name}: a number")
    return value
