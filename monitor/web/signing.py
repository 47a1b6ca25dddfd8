"""Signing in and out with the access token; the session is a sealed cookie."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from monitor.clock import Clock
from monitor.web.access import COOKIE, SESSION, SIGN_IN, Policy, own_place
from monitor.web.orders import fields, to
from monitor.web.pages import Pages


def add_sign_in(made: APIRouter, pages: Pages, policy: Policy, clock: Clock) -> None:
    @made.get(SIGN_IN)
    async def form(request: Request, next: Annotated[str, Query(max_length=512)] = "/") -> Response:  # noqa: A002 - the name in the query
        return await pages.show("signin.html", request, wrong=False, next=own_place(next))

    @made.post(SIGN_IN)
    async def sign_in(request: Request) -> Response:
        given = await fields(request)
        back = own_place(given.get("next", "/"))
        if not policy.accepts(given.get("token", "")):
            return await pages.show("signin.html", request, status=401, wrong=True, next=back)
        answer = to(back)
        secure = request.url.scheme == "https"
        value = policy.session(clock.now())
        answer.set_cookie(COOKIE, value, max_age=int(SESSION), httponly=True, samesite="strict", secure=secure)
        return answer

    @made.post("/signout")
    async def sign_out() -> Response:
        answer = to("/")
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer
