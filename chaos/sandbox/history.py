"""What the sandbox remembers: the latest requests, the generations that can be read later, and the money spent."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from chaos.sandbox.answers import Said
from chaos.sandbox.listings import generation_row
from chaos.sandbox.replies import Exchange
from monitor.clock import Clock

KEPT = 1000
_SECRET = frozenset({"authorization", "x-api-key", "cookie"})


class History:
    """``delay``: seconds until a generation can be read, as the real record is not there at once."""

    def __init__(self, clock: Clock, delay: float) -> None:
        self._clock = clock
        self._delay = delay
        self._requests: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._generations: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()
        self.spent = 0.0

    def requests(self, limit: int = KEPT) -> list[Mapping[str, Any]]:
        """The latest ones, oldest first, without their keys. ``answered`` is missing while a request is under way; its
        status is None where the caller left before an answer."""
        kept: list[Mapping[str, Any]] = list(self._requests)
        return kept[-limit:] if limit > 0 else []

    def open(self, request: web.Request) -> dict[str, Any]:
        """The entry of a request; whoever answers adds to it."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _SECRET}
        entry: dict[str, Any] = {"at": self._clock.now(), "method": request.method, "path": request.path_qs}
        entry |= {"headers": headers, "body": None}
        self._requests.append(entry)
        return entry

    def note(self, exchange: Exchange, said: Said | None, *, cancelled: bool, seconds: float) -> dict[str, Any]:
        """What the entry of the request is to say of the answer."""
        row = generation_row(exchange, said, cancelled=cancelled, seconds=seconds)
        self.spent += row["usage"]
        self._generations[exchange.id] = (self._clock.now() + self._delay, row)
        while len(self._generations) > KEPT:
            self._generations.popitem(last=False)
        return {
            "model": row["model"],
            "provider": row["provider_name"],
            "attempts": [
                {"model": one.endpoint.model.id, "provider": one.endpoint.provider, "status": one.status}
                for one in exchange.tried
            ],
        }

    def generation(self, id_: str) -> Mapping[str, Any] | None:
        ready, row = self._generations.get(id_, (float("inf"), {}))
        return row if self._clock.now() >= ready else None
