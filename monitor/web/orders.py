"""What people order on a page: forms that are asked for first, and what they do. Each works without JavaScript."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

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
        return await _ask(request, name, {"alert": alert, "next": own_place(back)}, parts=parts or ())

    @made.post("/chains/{name}/silence")
    async def silence(request: Request, name: NAME) -> Response:
        given = await fields(request)
        find_chain(control, name)
        why, alert = given.get("why", "").strip()[:500], given.get("alert") or None
        try:
            seconds = parse_duration(given.get("for", ""))
        except ValueError:
            seconds = 0.0
        if not why or not 0 < seconds <= LONGEST:
            return await _ask(request, name, given, wrong="Say how long, and why: whoever reads it later needs both.")
        made = await control.silence(name, alert, seconds=seconds, why=why, by=ASKED_BY)
        if isinstance(made, Refused):
            return await _ask(request, name, given, wrong=f"Not silenced: {made.because}.")
        return to(own_place(given.get("next", "/")))

    @made.post("/silences/{id}/end")
    async def end(request: Request, id: NAME) -> Response:  # noqa: A002 - the name in the path
        await control.end_silence(id)  # one that is over already is what was wanted
        return to(own_place((await fields(request)).get("next", "/")))

    async def _ask(
        request: Request, name: str, given: dict[str, str], *, wrong: str = "", parts: list[str] | tuple[str, ...] = ()
    ) -> Response:
        return await pages.show(
            "ask_silence.html",
            request,
            status=400 if wrong else 200,
            parts=parts,
            chain=find_chain(control, name),
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
