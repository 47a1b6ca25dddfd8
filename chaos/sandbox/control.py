"""Breaking and mending the sandbox while it runs: ``/control`` on the same port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from chaos.faults import FAULTS
from chaos.model import Fault, Shape
from chaos.sandbox.breaks import Breaks, UnknownNameError
from chaos.sandbox.history import History
from chaos.sandbox.wanted import parse
from chaos.shapes import SHAPES
from monitor.reading import number

_SETTINGS = ("model", "provider", "with", "options", "seconds", "count", "shape", "shape_options")
_MOST = 1000


class Control:
    def __init__(self, breaks: Breaks, history: History) -> None:
        self._breaks = breaks
        self._history = history

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control/breaks", self._list),
            web.post("/control/breaks", self._add),
            web.delete("/control/breaks", self._mend),
            web.get("/control/requests", self._requests),
            web.get("/control/faults", self._faults),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"breaks": [asdict(one) for one in self._breaks.all]})

    async def _add(self, request: web.Request) -> web.Response:
        try:
            made = self._breaks.add(**_settings(parse(await request.read())))
        except UnknownNameError as error:
            return problem(404, str(error))
        except ValueError as error:
            return problem(422, str(error))
        return web.json_response(asdict(made), status=201)

    async def _mend(self, request: web.Request) -> web.Response:
        try:
            mended = self._breaks.mend(request.query.get("model"), request.query.get("provider"))
        except UnknownNameError as error:
            return problem(404, str(error))
        return web.json_response({"mended": mended})

    async def _requests(self, request: web.Request) -> web.Response:
        limit = request.query.get("limit", "100")
        if not (limit.isascii() and limit.isdigit() and len(limit) < 5 and int(limit) <= _MOST):
            return problem(422, f"limit: a number from 0 to {_MOST}")
        return web.json_response({"requests": self._history.requests(int(limit))})

    async def _faults(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"faults": list(map(_described, FAULTS.values())), "shapes": list(map(_described, SHAPES.values()))}
        )


def _described(one: Fault | Shape) -> dict[str, Any]:
    options = {name: asdict(option) for name, option in one.options.items()}
    return {"name": one.name, "meaning": one.meaning, "options": options}


def problem(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"code": status, "message": message}}, status=status)


def _settings(body: Any) -> dict[str, Any]:
    """Raises ValueError with a sentence for a body that is not one."""
    if not isinstance(body, Mapping):
        raise ValueError(f"write a JSON object of {', '.join(_SETTINGS)}")  # noqa: TRY004 - answered as 422
    if unknown := sorted(body.keys() - {*_SETTINGS}):
        raise ValueError(f"unknown: {', '.join(unknown)}; known are {', '.join(_SETTINGS)}")
    provider, options = body.get("provider"), body.get("options") or {}
    if not isinstance(body.get("model"), str) or not isinstance(body.get("with"), str):
        raise ValueError('"model" and "with" are needed, as text')  # noqa: TRY004 - answered as 422
    if provider is not None and not isinstance(provider, str):
        raise ValueError("provider: a slug, as text")
    shape, shape_options = body.get("shape"), body.get("shape_options") or {}
    if shape is not None and not isinstance(shape, str):
        raise ValueError("shape: a name, as text")
    for name, value in (("options", options), ("shape_options", shape_options)):
        if not isinstance(value, Mapping):
            raise ValueError(f"{name}: an object of numbers")  # noqa: TRY004 - answered as 422
    count = _positive(body, "count")
    if count is not None and count != int(count):
        raise ValueError("count: a whole number")
    return {
        "model": body["model"],
        "provider": provider,
        "fault": body["with"],
        "options": options,
        "seconds": _positive(body, "seconds"),
        "count": None if count is None else int(count),
        "shape": shape,
        "shape_options": shape_options,
    }


def _positive(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    found = None if isinstance(value, str) else number(value)
    if found is None or found <= 0:
        raise ValueError(f"{name}: a number above 0")
    return found
