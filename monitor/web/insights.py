"""The part of the API that explains: what the catalogues show, and what happened, in sentences."""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path

from monitor.web.catalogue_views import CatalogueView, ExplanationView
from monitor.web.errors import ErrorView


class Insights(Protocol):
    """What these answers need of the daemon. The wiring implements it."""

    def catalogue(self) -> CatalogueView: ...

    async def explain_outcome(self, id_: str) -> ExplanationView | None:
        """None when there is no such outcome."""
        ...

    async def explain_chain(self, name: str) -> ExplanationView | None:
        """None when there is no such chain."""
        ...


NAME = Annotated[str, Path(max_length=64)]


def router(insights: Insights) -> APIRouter:
    made = APIRouter(prefix="/api/v1", responses={"4XX": {"model": ErrorView, "description": "What was wrong."}})

    @made.get("/catalogue", summary="What the endpoints offer, and what was found about it")
    async def catalogue() -> CatalogueView:
        return insights.catalogue()

    @made.get("/chains/{name}/explanation", summary="How a chain is, and why, in sentences")
    async def chain(name: NAME) -> ExplanationView:
        found = await insights.explain_chain(name)
        if found is None:
            raise HTTPException(404, f"there is no chain {name}")
        return found

    @made.get("/outcomes/{id}/explanation", summary="What happened, in sentences")
    async def outcome(id: NAME) -> ExplanationView:  # noqa: A002 - the name in the path
        found = await insights.explain_outcome(id)
        if found is None:
            raise HTTPException(404, f"there is no outcome {id}")
        return found

    return made
