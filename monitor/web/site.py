"""Puts the pages, the API and the small endpoints for machines together."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from monitor.clock import Clock, SystemClock
from monitor.version import VERSION
from monitor.web import api, errors, pages
from monitor.web import insights as explained
from monitor.web import laboratory as experiments
from monitor.web.access import Policy
from monitor.web.control import Control
from monitor.web.gate import Gate
from monitor.web.insights import Insights
from monitor.web.laboratory import Laboratory

ABOUT = "What fallbackd watches and what it has seen; runs drills and stops them. Errors are JSON with a message."


def build(
    control: Control,
    *,
    token: str | None,
    loopback: bool = True,
    clock: Clock | None = None,
    insights: Insights | None = None,
    laboratory: Laboratory | None = None,
) -> FastAPI:
    """The whole site. ``loopback``: it listens where only this machine can reach it; without, a token is a must
    (ValueError)."""
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
    app.include_router(pages.router(control, policy, time))
    app.mount("/static", StaticFiles(packages=[("monitor.web", "static")]), name="static")
    app.add_middleware(Gate, policy=policy, clock=time)
    return app


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
