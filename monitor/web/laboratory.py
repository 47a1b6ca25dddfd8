"""The part of the API for experiments: reports of runs, one-off drills, and the matrix of a chain."""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from monitor.web.errors import ErrorView

ID = Annotated[str, Path(max_length=64)]


class Laboratory(Protocol):
    """What these answers need of the daemon. The wiring implements it."""

    async def report_html(self, run: str) -> tuple[str, str] | None:
        """The page of a finished run, and the source of its style for the Content-Security-Policy; None where there is
        no such run, or it is still going on."""
        ...

    async def report_markdown(self, run: str) -> str | None: ...


def router(laboratory: Laboratory) -> APIRouter:
    made = APIRouter(prefix="/api/v1", responses={"4XX": {"model": ErrorView, "description": "What was wrong."}})
    _add_reports(made, laboratory)
    return made


def _add_reports(made: APIRouter, laboratory: Laboratory) -> None:
    @made.get("/drills/runs/{id}/report.html", summary="A finished run as a page", response_class=HTMLResponse)
    async def report_html(id: ID) -> Response:  # noqa: A002 - the name in the path
        found = await laboratory.report_html(id)
        if found is None:
            raise HTTPException(404, f"there is no finished run {id}")
        page, style = found
        policy = f"default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        return HTMLResponse(page, headers={"content-security-policy": policy})

    @made.get("/drills/runs/{id}/report.md", summary="A finished run as Markdown", response_class=PlainTextResponse)
    async def report_markdown(id: ID) -> Response:  # noqa: A002 - the name in the path
        found = await laboratory.report_markdown(id)
        if found is None:
            raise HTTPException(404, f"there is no finished run {id}")
        return PlainTextResponse(found, media_type="text/markdown; charset=utf-8")
