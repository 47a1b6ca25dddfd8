"""Breaking and mending the sandbox while it runs: ``/control`` on the same port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from chaos.faults import FAULTS
from chaos.sandbox.breaks import Breaks, UnknownNameError


class Control:
    """``requests`` gives the latest requests, newest last."""

    def __init__(self, breaks: Breaks, requests: Callable[[], list[Mapping[str, Any]]]) -> None:
        self._breaks = breaks
        self._requests = requests

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control/breaks", self._list),
            web.post("/control/breaks", self._add),
            web.delete("/control/breaks", self._mend),
            web.get("/control/requests", self._seen),
            web.get("/control/faults", self._faults),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"breaks": [asdict(one) for one in self._breaks.all]})

    async def _add(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
            made = self._breaks.add(**_settings(body))
        except UnknownNameError as error:
            return _problem(404, str(error))
        except ValueError as error:
            return _problem(422, str(error))
        return web.json_response(asdict(made), status=201)

    async def _mend(self, request: web.Request) -> web.Response:
        try:
            mended = self._breaks.mend(request.query.get("model"), request.query.get("provider"))
        except UnknownNameError as error:
            return _problem(404, str(error))
        return web.json_response({"mended": mended})

    async def _seen(self, request: web.Request) -> web.Response:
        limit = request.query.get("limit", "100")
        if not limit.isdigit():
            return _problem(422, f'limit: "{limit}" is no number')
        return web.json_response({"requests": self._requests()[-int(limit) :] if int(limit) else []})

    async def _faults(self, _: web.Request) -> web.Response:
        found = [
            {
                "name": fault.name,
                "meaning": fault.meaning,
                "options": {name: {"unit": one.unit, "default": one.default} for name, one in fault.options.items()},
            }
            for fault in FAULTS.values()
        ]
        return web.json_response({"faults": found})


def _settings(body: Any) -> dict[str, Any]:
    """Raises ValueError with a sentence for a body that is not one."""
    if not isinstance(body, dict):
        text = "write a JSON object: model, with, and perhaps provider, options, seconds, count"
        raise ValueError(text)  # noqa: TRY004 - answered as 422 like any other
    known = {"model", "provider", "with", "options", "seconds", "count"}
    if unknown := body.keys() - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
    if not isinstance(body.get("model"), str) or not isinstance(body.get("with"), str):
        raise ValueError('"model" and "with" are needed, as text')
    options = body.get("options") or {}
    if not isinstance(options, dict) or not all(isinstance(value, (int, float)) for value in options.values()):
        raise ValueError("options: an object of numbers")
    for name in ("seconds", "count"):
        value = body.get(name)
        if value is not None and (not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0):
            raise ValueError(f"{name}: a number above 0")
    return {
        "model": body["model"], "provider": body.get("provider"), "fault": body["with"], "options": options,
        "seconds": body.get("seconds"), "count": None if body.get("count") is None else int(body["count"]),
    }  # fmt: skip


def _problem(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"code": status, "message": message}}, status=status)
