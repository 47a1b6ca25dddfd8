"""The part of the JSON API that is about alerts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel

from monitor.web.control import Control
from monitor.web.errors import ErrorView, refusal
from monitor.web.views import AlertView, Refused

NAME = Annotated[str, Path(max_length=64)]


class Alerts(BaseModel):
    alerts: tuple[AlertView, ...]


class Tested(BaseModel):
    """The notifiers that an example was handed to."""

    notifiers: tuple[str, ...]


def add_alerts(made: APIRouter, control: Control) -> None:
    @made.get("/alerts", summary="What fires or is pending, and why people were told of it or not")
    async def alerts() -> Alerts:
        return Alerts(alerts=tuple(control.alerts()))

    @made.post(
        "/alerts/{rule}/test",
        summary="Send a marked example of an alert to whoever would be told of a real one",
        status_code=202,
        response_model=Tested,
        responses={409: {"model": ErrorView, "description": "Nobody would be told."}},
    )
    async def test(rule: NAME) -> Any:
        told = await control.test_alert(rule)
        if told is None:
            raise HTTPException(404, f"there is no rule {rule}")
        return refusal(409, told.because) if isinstance(told, Refused) else Tested(notifiers=told)
