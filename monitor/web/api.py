"""The JSON API, ``/api/v1``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator

from monitor.model import Origin, Outcome, Status
from monitor.web.alerts_api import add_alerts, add_silences
from monitor.web.askers import AskedBy, asker
from monitor.web.control import Control
from monitor.web.coverage_views import CoverageView
from monitor.web.errors import ErrorView, refusal
from monitor.web.views import (
    ChainView,
    Cursor,
    DrillView,
    OutcomeQuery,
    Refused,
    RunDetail,
    RunView,
    StatusView,
    TargetView,
)

ID = Annotated[str, Path(max_length=64)]
NAME = Annotated[str, Path(max_length=64)]


class Chains(BaseModel):
    chains: tuple[ChainView, ...]


class Targets(BaseModel):
    targets: tuple[TargetView, ...]


class Outcomes(BaseModel):
    """``next`` is the ``before`` of the next page, None on the last one."""

    outcomes: tuple[Outcome, ...]
    next: str | None


class Drills(BaseModel):
    drills: tuple[DrillView, ...]


class Runs(BaseModel):
    runs: tuple[RunView, ...]


class Accepted(BaseModel):
    run: str


class Stopped(BaseModel):
    """How many runs were ended."""

    ended: int


class Released(BaseModel):
    released: bool = True


NOT_A_PAGE = "is not what an earlier page gave as next; leave it out for the newest"


class Page(BaseModel):
    """Where in a long list. An unknown parameter is a mistake."""

    model_config = ConfigDict(extra="forbid")

    before: str | None = Field(default=None, max_length=128, description="What the page before gave as next.")

    @field_validator("before")
    @classmethod
    def _is_of_a_page(cls, value: str | None) -> str | None:
        if value is not None and parse_cursor(value) is None:
            raise ValueError(NOT_A_PAGE)
        return value

    @property
    def cursor(self) -> Cursor | None:
        return parse_cursor(self.before) if self.before else None


class Filters(Page):
    """Which outcomes."""

    chain: str | None = Field(default=None, max_length=64)
    target: str | None = Field(default=None, max_length=64, description="A target's label.")
    origin: Origin | None = None
    status: Status | None = None
    limit: int = Field(default=100, ge=1, le=500)

    def query(self) -> OutcomeQuery:
        return OutcomeQuery(
            chain=self.chain,
            target=self.target,
            origin=self.origin,
            status=self.status,
            before=self.cursor,
            limit=self.limit,
        )


class RunFilters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    chain: str | None = Field(default=None, max_length=64)
    limit: int = Field(default=50, ge=1, le=500)


def router(control: Control) -> APIRouter:
    made = APIRouter(prefix="/api/v1", responses={"4XX": {"model": ErrorView, "description": "What was wrong."}})
    _add_watching(made, control)
    add_alerts(made, control)
    add_silences(made, control)
    _add_drills(made, control)
    _add_changes(made, control)
    return made


def _add_watching(made: APIRouter, control: Control) -> None:
    @made.get("/status", summary="The daemon itself")
    async def status() -> StatusView:
        return control.status()

    @made.get("/chains", summary="Every chain with its targets, and who serves now")
    async def chains() -> Chains:
        return Chains(chains=tuple(control.chains()))

    @made.get("/chains/{name}", summary="One chain")
    async def chain(name: NAME) -> ChainView:
        return find_chain(control, name)

    @made.get("/targets", summary="Every target of every chain")
    async def targets() -> Targets:
        return Targets(targets=tuple(target for chain in control.chains() for target in chain.targets))

    @made.get("/outcomes", summary="Outcomes, newest first")
    async def outcomes(filters: Annotated[Filters, Query()]) -> Outcomes:
        found = tuple(await control.outcomes(filters.query()))
        return Outcomes(outcomes=found, next=next_page(found, filters.limit))

    @made.get("/outcomes/{id}", summary="One outcome")
    async def outcome(id: ID) -> Outcome:  # noqa: A002 - the name in the path
        found = await control.outcome(id)
        if found is None:
            raise HTTPException(404, f"there is no outcome {id}")
        return found


def _add_drills(made: APIRouter, control: Control) -> None:
    @made.get("/drills", summary="Every drill, when it runs next, and how it ended last")
    async def drills() -> Drills:
        return Drills(drills=tuple(control.drills()))

    @made.get("/coverage", summary="Which failovers are proven: by edge and fault, when, and how long they took")
    async def coverage() -> CoverageView:
        return control.coverage()

    @made.get("/drills/runs", summary="Runs of drills, newest first")
    async def runs(filters: Annotated[RunFilters, Query()]) -> Runs:
        return Runs(runs=tuple(await control.runs(chain=filters.chain, limit=filters.limit)))

    @made.get("/drills/runs/{id}", summary="One run with its journal")
    async def run(id: ID) -> RunDetail:  # noqa: A002 - the name in the path
        return await find_run(control, id)


def _add_changes(made: APIRouter, control: Control) -> None:
    @made.post(
        "/drills/{name}/runs",
        summary="Run a drill now",
        status_code=202,
        response_model=Accepted,
        responses={409: {"model": ErrorView, "description": "It may not run now, or runs already."}},
    )
    async def start_run(name: NAME, request: Request, body: AskedBy | None = None) -> Any:
        find_drill(control, name)
        answer = await control.start_run(name, asked_by=asker(body.asked_by if body else None, request))
        if isinstance(answer, Refused):
            return refusal(409, answer.because, run=answer.run)
        where = {"location": f"/api/v1/drills/runs/{answer.run}"}
        return JSONResponse({"run": answer.run}, status_code=202, headers=where)

    @made.post("/stop", summary="End every drill at once and block new ones until they are released")
    async def stop(request: Request, body: AskedBy | None = None) -> Stopped:
        return Stopped(ended=await control.stop(asked_by=asker(body.asked_by if body else None, request)))

    @made.post("/release", summary="Allow drills again")
    async def release(request: Request, body: AskedBy | None = None) -> Released:
        await control.release(asked_by=asker(body.asked_by if body else None, request))
        return Released()


def next_page(outcomes: Sequence[Outcome], limit: int) -> str | None:
    """The ``before`` of the page after this one; None when this one is not full."""
    return f"{outcomes[-1].at!r}_{outcomes[-1].id}" if len(outcomes) == limit else None


def find_chain(control: Control, name: str) -> ChainView:
    """Raises HTTPException 404."""
    found = control.chain(name)
    if found is None:
        raise HTTPException(404, f"there is no chain {name}")
    return found


def find_drill(control: Control, name: str) -> DrillView:
    """Raises HTTPException 404."""
    for drill in control.drills():
        if drill.name == name:
            return drill
    raise HTTPException(404, f"there is no drill {name}")


async def find_run(control: Control, run: str) -> RunDetail:
    """Raises HTTPException 404."""
    found = await control.run(run)
    if found is None:
        raise HTTPException(404, f"there is no run {run}")
    return found


def parse_cursor(text: str) -> Cursor | None:
    """What ``next_page`` wrote; None for anything else."""
    at, _, id_ = text.partition("_")
    try:
        return (float(at), id_) if id_ and abs(float(at)) < 1e12 else None
    except ValueError:
        return None
