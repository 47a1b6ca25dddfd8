"""``/api/v1/chains/{name}/history``: a chain over time, bucketed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path, Query, Request

from monitor.web import public
from monitor.web.errors import ErrorView
from monitor.web.gate import reader
from monitor.web.history_views import HistoryView, StripView, TroubleView, Window


class Histories(Protocol):
    """What pictures of the past need of the daemon. The wiring implements it. Raises FallbackdError when the store
    cannot be read."""

    async def strips(self) -> Mapping[str, StripView]:
        """Who served over the last day, of every chain; some seconds old."""
        ...

    async def history(self, chain: str, window: Window | None) -> HistoryView | None:
        """None when there is no such chain. ``window`` None: as far back as there is something, a day at most."""
        ...

    async def troubles(self, chain: str, *, since: float) -> tuple[TroubleView, ...]:
        """Newest first."""
        ...


NAME = Annotated[str, Path(max_length=64)]
WINDOW = Annotated[Window | None, Query(description="Unset: as far back as there is something, a day at most.")]


def router(histories: Histories) -> APIRouter:
    made = APIRouter(prefix="/api/v1", responses={"4XX": {"model": ErrorView, "description": "What was wrong."}})

    @made.get("/chains/{name}/history", summary="Latency, first token, incidents and drills of a chain over time")
    async def history(request: Request, name: NAME, window: WINDOW = None) -> HistoryView:
        found = await histories.history(name, window)
        if found is None:
            raise HTTPException(404, f"there is no chain {name}")
        return found if reader(request).sees_all else public.history(found)

    return made
