"""The part of the JSON API that is about alerts."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitor.alerting import Silence
from monitor.config.quantity import Duration
from monitor.web.control import Control
from monitor.web.errors import ErrorView, refusal
from monitor.web.views import AlertView, IncidentView, Refused

LONGEST = 30 * 86400.0
"""Seconds: whoever wants less for longer takes the rule out of alerts.yaml."""

NAME = Annotated[str, Path(max_length=64)]


class Alerts(BaseModel):
    alerts: tuple[AlertView, ...]


class Silences(BaseModel):
    silences: tuple[Silence, ...]


class Incidents(BaseModel):
    incidents: tuple[IncidentView, ...]


class NewAcknowledgement(BaseModel):
    """Who takes an incident on."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(default="api", min_length=1, max_length=64)


class NewSilence(BaseModel):
    """Whom nobody is to hear of, for how long, and why."""

    model_config = ConfigDict(extra="forbid")

    chain: str | None = Field(default=None, max_length=64, description="A chain's name; or name an incident.")
    incident: str | None = Field(default=None, max_length=64, description="An open incident, whatever joins it.")
    alert: str | None = Field(default=None, max_length=64, description="A rule's name; unset, all alerts of the chain.")
    for_: Duration = Field(alias="for", gt=0, le=LONGEST, description="How long, as in 1h; at most 30 days.")
    why: str = Field(min_length=1, max_length=500, description="What whoever reads it later should know.")
    by: str = Field(default="api", min_length=1, max_length=64)

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.chain is None) == (self.incident is None):
            raise ValueError("takes exactly one of chain and incident")
        if self.incident is not None and self.alert is not None:
            raise ValueError("an incident is silenced whole: leave alert out")
        return self


class Tested(BaseModel):
    """The notifiers that an example was handed to."""

    notifiers: tuple[str, ...]


def add_alerts(made: APIRouter, control: Control) -> None:
    @made.get("/alerts", summary="What fires or is pending, and why people were told of it or not")
    async def alerts() -> Alerts:
        return Alerts(alerts=tuple(control.alerts()))

    @made.get("/incidents", summary="The open incidents: alerts of one cause, which are one message")
    async def incidents() -> Incidents:
        return Incidents(incidents=tuple(control.incidents()))

    @made.post(
        "/incidents/{id}/acknowledge",
        summary="Take an incident on: no repeats until it gets worse or is over",
        response_model=IncidentView,
        responses={404: {"model": ErrorView, "description": "No such incident is open."}},
    )
    async def acknowledge(id: NAME, body: NewAcknowledgement | None = None) -> Any:  # noqa: A002 - the name in the path
        taken = await control.acknowledge(id, by=(body or NewAcknowledgement()).by)
        if taken is None:
            raise HTTPException(404, f"no incident {id} is open")
        return taken

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


def add_silences(made: APIRouter, control: Control) -> None:
    @made.get("/silences", summary="The silences that hold now")
    async def silences() -> Silences:
        return Silences(silences=tuple(control.silences()))

    @made.post(
        "/silences",
        summary="Tell nobody of a chain's alerts, or of an incident, for a while",
        status_code=201,
        response_model=Silence,
        responses={404: {"model": ErrorView, "description": "There is no such chain, rule or incident."}},
    )
    async def silence(body: NewSilence) -> Any:
        if body.incident is not None:
            made = await control.silence_incident(body.incident, seconds=body.for_, why=body.why, by=body.by)
        else:
            made = await control.silence(body.chain or "", body.alert, seconds=body.for_, why=body.why, by=body.by)
        if isinstance(made, Refused):
            raise HTTPException(404, made.because)
        return made

    @made.delete("/silences/{id}", summary="End a silence: what still fires is told", status_code=204)
    async def end(id: NAME) -> None:  # noqa: A002 - the name in the path
        if not await control.end_silence(id):
            raise HTTPException(404, f"there is no silence {id}")
