"""The pages for people: rendered here, usable without JavaScript, asking nothing of any other host.

Each page is made of parts with an id. ``?parts=ID&parts=ID`` renders these alone, which is how a page that is open is
kept up to date.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.clock import Clock, utc
from monitor.conditions import RULES
from monitor.web import public, strip, wording
from monitor.web.access import Policy
from monitor.web.api import ID, NAME, NOT_A_PAGE, find_chain, find_run, next_page, parse_cursor
from monitor.web.control import Control
from monitor.web.coverage_views import ChainCoverageView
from monitor.web.feed import Feed
from monitor.web.gate import Reader, reader
from monitor.web.history_api import Histories
from monitor.web.history_views import Window
from monitor.web.moments import moments
from monitor.web.reference import operations, values
from monitor.web.timeline import grouped, timeline
from monitor.web.views import ChainView, OutcomeQuery, Refused, RunView

TRANSITIONS = 12
RUNS = 8
OUTCOMES = 50
TIMELINE = 30
LOOK_BACK = 30 * 86400.0
"""Seconds that the timeline of a chain goes back."""

PARTS = Annotated[list[str] | None, Query(max_length=64, description="Ids; unset, the whole page.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where pages have what they show."""

    control: Control
    histories: Histories
    feed: Feed


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which parts have to be made: of none named, all."""

    parts: Sequence[str]
    who: Reader

    def seen(self, part: str) -> bool:
        """A part that everybody is shown."""
        return not self.parts or part in self.parts

    def shown(self, part: str) -> bool:
        """A part that is shown to whoever sees all."""
        return self.who.sees_all and self.seen(part)


def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("monitor.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "ago": wording.ago,
        "consequences": wording.consequences,
        "counts": wording.chores,
        "day_time": wording.day_time,
        "lasting": wording.lasting,
        "moments": moments,
        "outcome_of": wording.outcome_of,
        "path": wording.path,
        "percent": wording.percent,
        "seconds": wording.span,
        "shapes": strip.shapes,
        "shares": strip.shares,
        "spells": strip.spells,
        "subject": wording.subject,
        "tone": wording.tone,
        "usd": wording.usd,
        "utc": utc,
    }
    return made


class Pages:
    """Renders templates with what every page shows."""

    def __init__(self, sources: Sources, policy: Policy, clock: Clock) -> None:
        self.control = sources.control
        self._histories = sources.histories
        self._feed = sources.feed
        self._policy = policy
        self._clock = clock
        self._environment = environment()

    async def show(
        self, template: str, request: Request, *, status: int = 200, parts: Sequence[str] = (), **values: Any
    ) -> HTMLResponse:
        who, daemon = reader(request), self.control.status()
        seen = {
            "daemon": daemon if who.sees_all else public.status(daemon),
            "now": self._clock.now(),
            "may_change": who.may_change,
            "sees_all": who.sees_all,
            "has_token": self._policy.token is not None,
            "last_event": self._feed.last if who.sees_all else "",
            "wanted": frozenset(parts),
        }
        # In a thread: a long page must not hold up the probes, whose answers are being timed.
        render = self._environment.get_template(template).render
        return HTMLResponse(await asyncio.to_thread(render, {**seen, **values}), status_code=status)

    async def status(
        self, request: Request, *, refused: Refused | None = None, parts: Sequence[str] = ()
    ) -> HTMLResponse:
        who, control = reader(request), self.control
        wanted = _Wanted(parts, who)
        healths = control.healths()
        chains = await self._chains([name for name in healths if wanted.seen(f"chain-{name}")], who)
        return await self.show(
            "status.html",
            request,
            status=200 if refused is None else 409,
            parts=parts,
            refused=refused,
            overall=wording.overall(healths),
            chains=chains,
            strips=await self._histories.strips() if chains else {},
            groups=grouped(control.incidents(), control.alerts()) if wanted.shown("alerts") else (),
            silences=control.silences() if wanted.shown("alerts") else (),
            drills=control.drills() if wanted.shown("drills") else (),
            runs=await control.runs(limit=RUNS) if wanted.shown("runs") else (),
            planned=wanted.shown("runs") and bool(control.drills()),
            transitions=await control.transitions(limit=TRANSITIONS) if wanted.shown("transitions") else (),
        )

    async def chain(self, request: Request, name: str, before: str | None, parts: Sequence[str]) -> HTMLResponse:
        who, control = reader(request), self.control
        wanted, chain = _Wanted(parts, who), find_chain(control, name)
        query = OutcomeQuery(chain=name, before=_cursor(before), limit=OUTCOMES)
        outcomes = await control.outcomes(query) if wanted.shown("outcomes") else ()
        return await self.show(
            "chain.html",
            request,
            parts=parts,
            chain=chain if who.sees_all else public.chain(chain),
            is_first_page=before is None,
            outcomes=outcomes,
            older=next_page(outcomes, OUTCOMES),
            strip=(await self._histories.strips()).get(name) if wanted.seen("served") else None,
            windows=[window.value for window in Window],
            timeline=await self._timeline(name, who) if wanted.seen("timeline") else (),
            groups=grouped(control.incidents(), control.alerts(), name) if wanted.shown("alerts") else (),
            silences=[one for one in control.silences() if one.chain == name] if wanted.shown("alerts") else (),
            drills=[one for one in control.drills() if one.chain == name] if wanted.shown("drills") else (),
            table=self._coverage(name) if wanted.shown("coverage") else None,
        )

    async def _chains(self, names: Sequence[str], who: Reader) -> Sequence[ChainView]:
        """One by one, so that many chains do not hold up the probes."""
        found = []
        for name in names:
            view = self.control.chain(name)
            if view is not None:
                found.append(view if who.sees_all else public.chain(view))
            await asyncio.sleep(0)
        return found

    def _coverage(self, name: str) -> ChainCoverageView | None:
        return next((one for one in self.control.coverage().chains if one.chain == name), None)

    async def _timeline(self, name: str, who: Reader) -> Sequence[Any]:
        runs: Sequence[RunView] = await self.control.runs(chain=name, limit=TIMELINE)
        found = await self._histories.troubles(name, since=self._clock.now() - LOOK_BACK)
        if not who.sees_all:
            found, runs = public.troubles(found), [public.run(one) for one in runs]
        return timeline(found, runs, TIMELINE)


def add_reading(made: APIRouter, pages: Pages) -> None:
    @made.get("/")
    async def status(request: Request, parts: PARTS = None) -> Response:
        return await pages.status(request, parts=parts or ())

    @made.get("/chains/{name}")
    async def chain(
        request: Request, name: NAME, before: Annotated[str | None, Query(max_length=128)] = None, parts: PARTS = None
    ) -> Response:
        return await pages.chain(request, name, before, parts or ())

    @made.get("/runs/{id}")
    async def run(request: Request, id: ID, parts: PARTS = None) -> Response:  # noqa: A002 - the name in the path
        return await pages.show("run.html", request, parts=parts or (), run=await find_run(pages.control, id))

    @made.get("/rules")
    async def rules(request: Request) -> Response:
        return await pages.show("rules.html", request, rules=tuple(RULES.values()))

    @made.get("/api/docs")
    async def reference(request: Request) -> Response:
        document = request.app.openapi()
        return await pages.show("reference.html", request, operations=operations(document), values=values(document))


def _cursor(before: str | None) -> tuple[float, str] | None:
    found = parse_cursor(before) if before is not None else None
    if before is not None and found is None:
        raise HTTPException(400, f"query before: {NOT_A_PAGE}")
    return found
