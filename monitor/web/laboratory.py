"""The part of the API for experiments: reports of runs, one-off drills, and the matrix of a chain."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from monitor.errors import ConfigError
from monitor.web.askers import AskedBy, asker
from monitor.web.errors import ErrorView, refusal
from monitor.web.laboratory_views import (
    EndedView,
    ExperimentView,
    MatrixView,
    MistakesText,
    MistakesView,
    NewExperiment,
    NewRun,
    ProblemView,
)
from monitor.web.views import Refused, Started

ID = Annotated[str, Path(max_length=64)]
_MISTAKES: dict[int | str, dict[str, Any]] = {422: {"model": MistakesView, "description": "Every mistake."}}


class Laboratory(Protocol):
    """What these answers need of the daemon. The wiring implements it."""

    async def report_html(self, run: str) -> tuple[str, str] | None:
        """The page of a finished run, and the source of its style for the Content-Security-Policy; None where there is
        no such run, or it is still going on."""
        ...

    async def report_markdown(self, run: str) -> str | None: ...

    def matrix(self, chain: str) -> MatrixView | None:
        """None when there is no such chain."""
        ...

    def read(self, file: str, text: bytes) -> ExperimentView:
        """Raises ConfigError with every mistake of an experiment file."""
        ...

    async def start(self, entry: Any, *, asked_by: str) -> Started | Refused:
        """Begin a drill that is not in the config. Raises ConfigError with every mistake of it."""
        ...

    def end(self, run: str, *, asked_by: str) -> bool:
        """End one run at once, with its rollback. False when it is not going on."""
        ...


def router(laboratory: Laboratory) -> APIRouter:
    made = APIRouter(prefix="/api/v1", responses={"4XX": {"model": ErrorView, "description": "What was wrong."}})
    _add_reports(made, laboratory)
    _add_experiments(made, laboratory)
    _add_runs(made, laboratory)
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


def _add_experiments(made: APIRouter, laboratory: Laboratory) -> None:
    @made.get("/chains/{name}/matrix", summary="Every drill that could prove an edge of the chain now, and the others")
    async def matrix(name: ID) -> MatrixView:
        found = laboratory.matrix(name)
        if found is None:
            raise HTTPException(404, f"there is no chain {name}")
        return found

    @made.post(
        "/experiments",
        summary="Check an experiment file against the config, without running anything",
        response_model=ExperimentView,
        responses=_MISTAKES,
    )
    async def read(body: NewExperiment) -> Any:
        try:
            return laboratory.read(body.file, body.text.encode("utf-8", "replace"))
        except ConfigError as error:
            return mistakes(error)


def _add_runs(made: APIRouter, laboratory: Laboratory) -> None:
    @made.post(
        "/experiments/runs",
        summary="Run a drill that is not in the config, now",
        status_code=202,
        response_model=Started,
        responses={**_MISTAKES, 409: {"model": ErrorView, "description": "It may not run now."}},
    )
    async def start(body: NewRun, request: Request) -> Any:
        try:
            answer = await laboratory.start(body.drill, asked_by=asker(body.asked_by, request))
        except ConfigError as error:
            return mistakes(error)
        if isinstance(answer, Refused):
            return refusal(409, answer.because, run=answer.run)
        return JSONResponse(
            {"run": answer.run}, status_code=202, headers={"location": f"/api/v1/drills/runs/{answer.run}"}
        )

    @made.post("/drills/runs/{id}/end", summary="End one run at once; the fault is taken away")
    async def end(id: ID, request: Request, body: AskedBy | None = None) -> EndedView:  # noqa: A002 - the name in the path
        return EndedView(ended=laboratory.end(id, asked_by=asker(body.asked_by if body else None, request)))


def mistakes(error: ConfigError) -> JSONResponse:
    problems = tuple(
        ProblemView(file=one.file, line=one.line, path=one.path, message=one.message) for one in error.problems
    )
    found = MistakesView(error=MistakesText(message=str(error), problems=problems))
    return JSONResponse(found.model_dump(mode="json", exclude={"error": {"run"}}), status_code=422)
