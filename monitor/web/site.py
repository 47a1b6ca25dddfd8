"""Puts the pages, the API and the small endpoints for machines together."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from monitor.clock import Clock, SystemClock
from monitor.version import VERSION
from monitor.web import api, badges, errors, events_api, history_api
from monitor.web import insights as explained
from monitor.web import laboratory as experiments
from monitor.web.access import Policy
from monitor.web.control import Control
from monitor.web.feed import Feed
from monitor.web.gate import Gate
from monitor.web.history_api import Histories
from monitor.web.insights import Insights
from monitor.web.laboratory import Laboratory
from monitor.web.orders import add_alert_orders, add_drill_orders, add_incident_orders
from monitor.web.pages import Pages, Sources, add_reading
from monitor.web.signing import add_sign_in

ABOUT = "What fallbackd watches and what it has seen; runs drills and stops them. Errors are JSON with a message."


def build(  # noqa: PLR0913 - the wiring hands the parts to one another by name
    control: Control,
    *,
    histories: Histories,
    feed: Feed,
    token: str | None,
    loopback: bool = True,
    public: Callable[[], bool] = lambda: False,
    clock: Clock | None = None,
    insights: Insights | None = None,
    laboratory: Laboratory | None = None,
) -> FastAPI:
    """The whole site. ``loopback``: it listens where only this machine can reach it; without, a token is a must
    (ValueError). ``public``: whether the page is shown, without its details, to whoever has no token."""
    policy = Policy(token=token, loopback=loopback)
    time = clock or SystemClock()
    app = FastAPI(
        title="fallbackd",
        description=ABOUT,
        version=VERSION,
        openapi_url="/api/openapi.json",
        docs_url=None,  # the built-in pages load their code from another host
        redoc_url=None,
        redirect_slashes=False,
    )
    errors.register(app)
    _add_machines(app, control)
    app.include_router(api.router(control))
    if insights is not None:
        app.include_router(explained.router(insights))
    if laboratory is not None:
        app.include_router(experiments.router(laboratory))
    app.include_router(history_api.router(histories))
    app.include_router(events_api.router(feed))
    app.include_router(badges.router(control))
    app.include_router(_pages(Sources(control=control, histories=histories, feed=feed), policy, time))
    app.mount("/static", StaticFiles(packages=[("monitor.web", "static")]), name="static")
    app.add_middleware(Gate, policy=policy, public=public, clock=time)
    return app


def _pages(sources: Sources, policy: Policy, clock: Clock) -> APIRouter:
    made = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    pages = Pages(sources, policy, clock)
    add_reading(made, pages)
    add_drill_orders(made, pages)
    add_alert_orders(made, pages)
    add_incident_orders(made, pages)
    add_sign_in(made, pages, policy, clock)
    return made


def _add_machines(app: FastAPI, control: Control) -> None:
    # Plain routes: they answer HEAD as well, which is what some health checks send.
    async def healthy(_: Request) -> Response:
        return PlainTextResponse("fallbackd is running\n")

    async def ready(_: Request) -> Response:
        is_ready, why = control.ready()
        return PlainTextResponse(f"{why}\n", status_code=200 if is_ready else 503)

    async def metrics(request: Request) -> Response:
        page, content_type = await control.exposition(request.headers.get("accept", ""))
        return Response(page, headers={"content-type": content_type})

    app.add_route("/-/healthy", healthy)
    app.add_route("/-/ready", ready)
    app.add_route("/metrics", metrics)
