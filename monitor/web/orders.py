"""What people order on a page: forms that are asked for first, and what they do. Each works without JavaScript."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from monitor.alerting import Silence
from monitor.config.quantity import parse_duration
from monitor.web.access import own_place
from monitor.web.alerts_api import LONGEST
from monitor.web.api import NAME, find_chain, find_drill
from monitor.web.pages import PARTS, Pages
from monitor.web.views import Refused

ASKED_BY = "the status page"
PERIODS = ("15m", "1h", "4h", "12h", "1d", "7d")
PLACE = Annotated[str, Query(max_length=512)]


def add_drill_orders(made: APIRouter, pages: Pages) -> None:
    control = pages.control

    @made.get("/drills/{name}/run")
    async def ask(request: Request, name: NAME, parts: PARTS = None) -> Response:
        return await pages.show("ask_drill.html", request, parts=parts or (), drill=find_drill(control, name))

    @made.post("/drills/{name}/run")
    async def start(request: Request, name: NAME) -> Response:
        find_drill(control, name)
        answer = await control.start_run(name, asked_by=ASKED_BY)
        if isinstance(answer, Refused):
            return await pages.status(request, refused=answer)
        return to(f"/runs/{quote(answer.run, safe='')}")

    @made.post("/stop")
    async def stop() -> Response:
        await control.stop(asked_by=ASKED_BY)
        return to("/#drills")

    @made.post("/release")
    async def release() -> Response:
        await control.release(asked_by=ASKED_BY)
        return to("/#drills")


def add_alert_orders(made: APIRouter, pages: Pages) -> None:
    control = pages.control

    @made.get("/chains/{name}/silence")
    async def ask(
        request: Request,
        name: NAME,
        alert: Annotated[str, Query(max_length=64)] = "",
        back: PLACE = "/",
        parts: PARTS = None,
    ) -> Response:
        find_chain(control, name)
        asked = _of_chain(name, alert)
        return await _ask(pages, request, asked, {"alert": alert, "next": own_place(back)}, parts=parts or ())

    @made.post("/chains/{name}/silence")
    async def silence(request: Request, name: NAME) -> Response:
        find_chain(control, name)
        given = await fields(request)
        alert = given.get("alert") or None

        async def order(seconds: float, why: str) -> Silence | Refused:
            return await control.silence(name, alert, seconds=seconds, why=why, by=ASKED_BY)

        return await _silence(pages, request, _of_chain(name, alert or ""), given, order)

    @made.post("/silences/{id}/end")
    async def end(request: Request, id: NAME) -> Response:  # noqa: A002 - the name in the path
        await control.end_silence(id)  # one that is over already is what was wanted
        return to(own_place((await fields(request)).get("next", "/")))


def add_incident_orders(made: APIRouter, pages: Pages) -> None:
    control = pages.control

    @made.get("/incidents/{id}/silence")
    async def ask(request: Request, id: NAME, back: PLACE = "/", parts: PARTS = None) -> Response:  # noqa: A002 - the name in the path
        return await _ask(pages, request, _of_incident(pages, id), {"next": own_place(back)}, parts=parts or ())

    @made.post("/incidents/{id}/silence")
    async def silence(request: Request, id: NAME) -> Response:  # noqa: A002 - the name in the path
        async def order(seconds: float, why: str) -> Silence | Refused:
            return await control.silence_incident(id, seconds=seconds, why=why, by=ASKED_BY)

        return await _silence(pages, request, _of_incident(pages, id), await fields(request), order)

    @made.post("/incidents/{id}/acknowledge")
    async def acknowledge(request: Request, id: NAME) -> Response:  # noqa: A002 - the name in the path
        if await control.acknowledge(id, by=ASKED_BY) is None:
            return await pages.status(request, refused=Refused(because="that incident is over"))
        return to(own_place((await fields(request)).get("next", "/")))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is to be silenced, in words, and where the form goes."""

    what: str
    action: str


def _of_chain(name: str, alert: str) -> _Asked:
    return _Asked(what=f"{alert or 'all alerts'} of {name}", action=f"/chains/{quote(name, safe='')}/silence")


def _of_incident(pages: Pages, id_: str) -> _Asked:
    """Raises HTTPException 404."""
    found = next((one for one in pages.control.incidents() if one.id == id_), None)
    if found is None:
        raise HTTPException(404, f"no incident {id_} is open")
    return _Asked(what=f"“{found.title}”", action=f"/incidents/{quote(id_, safe='')}/silence")


async def _silence(
    pages: Pages,
    request: Request,
    asked: _Asked,
    given: dict[str, str],
    order: Callable[[float, str], Awaitable[Silence | Refused]],
) -> Response:
    why = given.get("why", "").strip()[:500]
    try:
        seconds = parse_duration(given.get("for", ""))
    except ValueError:
        seconds = 0.0
    if not why or not 0 < seconds <= LONGEST:
        wrong = "Say how long, and why: whoever reads it later needs both."
        return await _ask(pages, request, asked, given, wrong=wrong)
    made = await order(seconds, why)
    if isinstance(made, Refused):
        return await _ask(pages, request, asked, given, wrong=f"Not silenced: {made.because}.")
    return to(own_place(given.get("next", "/")))


async def _ask(
    pages: Pages,
    request: Request,
    asked: _Asked,
    given: dict[str, str],
    *,
    wrong: str = "",
    parts: Sequence[str] = (),
) -> Response:
    return await pages.show(
        "ask_silence.html",
        request,
        status=400 if wrong else 200,
        parts=parts,
        what=asked.what,
        action=asked.action,
        given={"alert": "", "for": "1h", "why": "", "next": "/", **given},
        periods=PERIODS,
        wrong=wrong,
    )


async def fields(request: Request) -> dict[str, str]:
    """The fields of a form; the first of each name."""
    found = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=8)
    return {name: given[0] for name, given in found.items()}


def to(place: str) -> RedirectResponse:
    return RedirectResponse(place, status_code=303)
