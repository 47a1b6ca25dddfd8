"""The pages for people: rendered here, usable without JavaScript, asking nothing of any other host."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.clock import Clock, utc
from monitor.web import wording
from monitor.web.access import COOKIE, SESSION, SIGN_IN, Policy
from monitor.web.api import ID, NAME, Page, find_chain, find_drill, find_run, next_page
from monitor.web.control import Control
from monitor.web.reference import operations, values
from monitor.web.views import OutcomeQuery, Refused

ASKED_BY = "the status page"
TRANSITIONS = 12
RUNS = 8
OUTCOMES = 50


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
        "outcome_of": wording.outcome_of,
        "path": wording.path,
        "percent": wording.percent,
        "seconds": wording.span,
        "subject": wording.subject,
        "tone": wording.tone,
        "usd": wording.usd,
        "utc": utc,
    }
    return made


class Pages:
    """Renders templates with what every page shows."""

    def __init__(self, control: Control, policy: Policy, clock: Clock) -> None:
        self._control = control
        self._policy = policy
        self._clock = clock
        self._environment = environment()

    def show(self, template: str, request: Request, *, status: int = 200, **values: Any) -> HTMLResponse:
        daemon = self._control.status()
        page = self._environment.get_template(template).render(
            daemon=daemon,
            now=self._clock.now(),
            may_change=bool(request.scope["state"]["may_change"]),
            has_token=self._policy.token is not None,
            **values,
        )
        return HTMLResponse(page, status_code=status)

    async def status(self, request: Request, *, refused: Refused | None = None) -> HTMLResponse:
        chains, control = self._control.chains(), self._control
        return self.show(
            "status.html",
            request,
            status=200 if refused is None else 409,
            refused=refused,
            overall=wording.overall(chains),
            chains=chains,
            alerts=control.alerts(),
            drills=control.drills(),
            runs=await control.runs(limit=RUNS),
            transitions=await control.transitions(limit=TRANSITIONS),
        )

    async def chain(self, request: Request, name: str, page: Page) -> HTMLResponse:
        chain = find_chain(self._control, name)
        outcomes = await self._control.outcomes(OutcomeQuery(chain=name, before=page.cursor, limit=OUTCOMES))
        return self.show(
            "chain.html",
            request,
            chain=chain,
            is_first_page=page.before is None,
            outcomes=outcomes,
            older=next_page(outcomes, OUTCOMES),
            runs=await self._control.runs(chain=name, limit=RUNS),
            transitions=await self._control.transitions(chain=name, limit=TRANSITIONS),
        )


def router(control: Control, policy: Policy, clock: Clock) -> APIRouter:
    made = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    pages = Pages(control, policy, clock)
    _add_reading(made, pages, control)
    _add_changes(made, pages, control)
    _add_sign_in(made, pages, policy, clock)
    return made


def _add_reading(made: APIRouter, pages: Pages, control: Control) -> None:
    @made.get("/")
    async def status(request: Request) -> Response:
        return await pages.status(request)

    @made.get("/chains/{name}")
    async def chain(request: Request, name: NAME, page: Annotated[Page, Query()]) -> Response:
        return await pages.chain(request, name, page)

    @made.get("/runs/{id}")
    async def run(request: Request, id: ID) -> Response:  # noqa: A002 - the name in the path
        return pages.show("run.html", request, run=await find_run(control, id))

    @made.get("/api/docs")
    async def reference(request: Request) -> Response:
        document = request.app.openapi()
        return pages.show("reference.html", request, operations=operations(document), values=values(document))


def _add_changes(made: APIRouter, pages: Pages, control: Control) -> None:
    @made.post("/drills/{name}/run")
    async def start(request: Request, name: NAME) -> Response:
        find_drill(control, name)
        answer = await control.start_run(name, asked_by=ASKED_BY)
        if isinstance(answer, Refused):
            return await pages.status(request, refused=answer)
        return _to(f"/runs/{quote(answer.run, safe='')}")

    @made.post("/stop")
    async def stop() -> Response:
        await control.stop(asked_by=ASKED_BY)
        return _to("/#drills")

    @made.post("/release")
    async def release() -> Response:
        await control.release(asked_by=ASKED_BY)
        return _to("/#drills")


def _add_sign_in(made: APIRouter, pages: Pages, policy: Policy, clock: Clock) -> None:
    @made.get(SIGN_IN)
    async def form(request: Request, next: Annotated[str, Query(max_length=512)] = "/") -> Response:  # noqa: A002 - the name in the query
        return pages.show("signin.html", request, wrong=False, next=_own(next))

    @made.post(SIGN_IN)
    async def sign_in(request: Request) -> Response:
        fields = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=8)
        back = _own(fields.get("next", ["/"])[0])
        if not policy.accepts(fields.get("token", [""])[0]):
            return pages.show("signin.html", request, status=401, wrong=True, next=back)
        answer = _to(back)
        secure = request.url.scheme == "https"
        value = policy.session(clock.now())
        answer.set_cookie(COOKIE, value, max_age=int(SESSION), httponly=True, samesite="strict", secure=secure)
        return answer

    @made.post("/signout")
    async def sign_out() -> Response:
        answer = _to("/")
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer


def _to(place: str) -> RedirectResponse:
    return RedirectResponse(place, status_code=303)


def _own(place: str) -> str:
    """A place on this host: anything that a browser could read as another one becomes the front page."""
    own = place.startswith("/") and not place.startswith("//") and "\\" not in place and place.isprintable()
    return place if own else "/"
