"""The section ``drills`` of ``chains.yaml``: what is broken, how, when, and what must be seen meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from monitor.config.quantity import Duration, Percent
from monitor.config.section import Name, Section, Text
from monitor.model import Path


class ExpectConfig(Section):
    """``served_by`` is a label; unset, the first target that is not broken. ``rejected``: refused as a whole."""

    served_by: str | None = Field(
        default=None, description="Label of the target that must answer; unset, the first that is not broken."
    )
    within: Duration = Field(default=10.0, gt=0, description="Longest time the chain may take to answer while broken.")
    rejected: bool = Field(default=False, description="The request is expected to be refused as a whole.")
    path: Path | None = Field(
        default=None, description="How the fallback must come to answer (failed_over, filtered, fell_back); unset, any."
    )


class HypothesisConfig(Section):
    """The steady state that a drill relies on: checked before the fault, while it is in, and after it."""

    served_by: tuple[str, ...] = Field(
        default=(), description="Labels that may answer while nothing is broken; empty, the primary alone."
    )
    within: Duration | None = Field(
        default=None,
        gt=0,
        description="Longest time an answer may take while nothing is broken; unset, the chain's objective decides.",
    )
    tolerance: Percent = Field(
        default=1.0, gt=0, description="Least share of the answers that must be as expected while the fault is in."
    )
    requests: int = Field(default=1, ge=1, le=20, description="How many questions are asked before the fault.")


class LiveDrillConfig(Section):
    """Breaks a share of applications' own calls, within what gateway.live allows, beside an equal control group."""

    percent: Percent = Field(
        default=0.05, gt=0, le=0.5, description="Share of the calls that is broken; as much again is the control group."
    )
    lasts: Duration = Field(
        default=60.0, gt=0, alias="for", description="How long traffic is watched; it ends once enough was seen."
    )
    samples: int = Field(default=20, ge=5, le=1000, description="How many calls each group must have to be compared.")
    failures: Percent = Field(
        default=0.05, description="Surely more failures than in the control group by this share end the drill at once."
    )
    slower: Duration = Field(
        default=10.0, gt=0, description="Calls that take surely longer than the control group's by this end it too."
    )
    patience: Duration = Field(
        default=10.0, gt=0, description="A call has failed when nothing follows its last failure for so long."
    )
    most: int = Field(default=500, ge=1, le=100_000, description="At most so many exchanges are broken in one run.")


class AnswerExpectedConfig(Section):
    """What the application must answer."""

    status: int = Field(default=200, ge=100, le=599, description="The HTTP status.")
    contains: Text | None = Field(default=None, description="A text that must stand in the answer.")
    json_: Mapping[str, Any] = Field(
        default_factory=dict,
        alias="json",
        description="Values by dotted path that its JSON must have: answer.ok: true.",
    )


class ApplicationConfig(Section):
    """The user's own endpoint, asked before, while the chain is broken in the gateway, and after."""

    url: str = Field(pattern=r"^https?://[^\s]+$", description="What is asked; http or https.")
    method: Literal["DELETE", "GET", "PATCH", "POST", "PUT"] = Field(default="POST", description="How it is asked.")
    headers: Mapping[str, str] = Field(
        default_factory=dict, description="Headers of the request. No credentials: the file is not secret."
    )
    credential_env: str | None = Field(
        default=None, description="Environment variable that holds the application's key."
    )
    credential_file: str | None = Field(
        default=None, description="File that holds the key; a relative path starts at this file's folder."
    )
    credential_header: Text = Field(
        default="Authorization", description="The header that carries the key; Authorization carries it as Bearer."
    )
    body: Any = Field(
        default=None,
        description="Text, or what is sent as JSON. {nonce} in it is replaced by a mark, best inside the prompt.",
    )
    expect: AnswerExpectedConfig = Field(default=AnswerExpectedConfig(), description="What it must answer each time.")
    within: Duration = Field(default=30.0, gt=0, description="Longest time that an answer may take.")
    every: Duration = Field(default=1.0, gt=0, description="Time between two requests while the chain is broken.")
    requests: int = Field(default=3, ge=1, le=100, description="How many requests must have met the fault.")
    forwards_mark: bool = Field(
        default=False,
        description="The application passes the header X-Fallbackd-Drill on to the gateway, so that no other traffic "
        "is broken; otherwise gateway.live must opt the chain in.",
    )


class ClientConfig(Section):
    """What a client may do while its calls are broken; judged from what passes the gateway."""

    attempts: int = Field(default=4, ge=1, le=100, description="How many requests one call may make.")
    backoff: Duration = Field(default=0.1, description="Least time between a failure and the retry of the same target.")
    amplification: float = Field(
        default=3.0,
        ge=1,
        le=1000,
        description="So many times the requests of a whole call are a retry storm beyond this.",
    )
    must: bool = Field(default=False, description="true: a misdeed fails the drill; otherwise it is told.")


class CapacityConfig(Section):
    """Raises the load on the broken chain step by step, until it is refused, or at a bound."""

    up_to: int = Field(default=20, ge=1, le=500, description="The most requests at a time.")
    step: int = Field(default=5, ge=1, le=500, description="So many more at a time with each step.")
    hold: Duration = Field(default=10.0, ge=1, description="How long each step lasts.")
    usd: float = Field(default=0.05, gt=0, description="What all of it may cost, in US dollars; it ends there.")
    at_least: float | None = Field(
        default=None, gt=0, description="Answers per minute that must be carried; unset, the drill only tells how many."
    )


_PARTS = "What is broken: primary, a target's label, or a list of labels."
_FAULT = "The fault: its name, or {name: {option: value}}."
_SHAPE = "When it strikes: a shape's name, or {name: {option: value}}; unset, always."
_AFTER = "It begins after so many requests for its targets, or after a duration; unset, at once."

Choice = str | Mapping[str, Mapping[str, Any] | None]
"""A word, or the word with settings of its own."""


class StrikeConfig(Section):
    """One fault of a drill that has several."""

    break_: str | tuple[str, ...] = Field(default="primary", alias="break", description=_PARTS)
    with_: Choice = Field(alias="with", description=_FAULT)
    shape: Choice | None = Field(default=None, description=_SHAPE)
    after: int | str | None = Field(default=None, description=_AFTER)


class DrillConfig(Section):
    """A planned experiment. ``break``: ``primary``, a label, or a list of labels. ``with``: a fault's name, or
    ``{name: {option: value}}``. ``by``: the injector; unset, ``transport`` for client chains, ``proxy`` for what a
    LiteLLM proxy walks, else ``request``; ``gateway`` where it looks at applications.

    ``faults`` is for several at once or one after the other; ``break``, ``with``, ``shape`` and ``after`` are the short
    form of a list of one.
    """

    name: Name = Field(description="Short name of the drill in metrics, alerts and commands; unique.")
    chain: str = Field(description="Name of the chain that is broken.")
    every: Duration | None = Field(
        default=None, gt=0, description="Time between two runs. Without every and cron it runs on demand only."
    )
    cron: str | None = Field(
        default=None,
        description="In place of every: minute hour day month weekday, in UTC; weekdays by name, as in mon-fri.",
    )
    first_after: Duration | None = Field(default=None, description="Time from the start of the daemon to a first run.")
    break_: str | tuple[str, ...] = Field(default="primary", alias="break", description=_PARTS)
    with_: Choice | None = Field(
        default=None, alias="with", description=f"{_FAULT} Needed where there is no list of faults."
    )
    shape: Choice | None = Field(default=None, description=_SHAPE)
    after: int | str | None = Field(default=None, description=_AFTER)
    faults: tuple[StrikeConfig, ...] = Field(
        default=(), description="In place of break, with, shape and after: several of them, at once or in a cascade."
    )
    by: str | None = Field(
        default=None,
        description="The injector; unset, transport for client chains, proxy for those that a LiteLLM proxy walks, "
        "request for the others; with live or application, gateway.",
    )
    expect: ExpectConfig = Field(default=ExpectConfig(), description="What must be seen while the chain is broken.")
    hypothesis: HypothesisConfig = Field(
        default=HypothesisConfig(), description="The steady state that is checked before, during and after."
    )
    live: LiveDrillConfig | None = Field(
        default=None, description="Break live traffic too, in the gateway; unset, the drill's own requests alone."
    )
    application: ApplicationConfig | None = Field(
        default=None, description="An application behind the gateway that is asked as well; unset, none."
    )
    capacity: CapacityConfig | None = Field(
        default=None,
        description="Raise the load while the chain is broken, to see what the fallback carries; unset, no.",
    )
    client: ClientConfig = Field(default=ClientConfig(), description="What clients of the gateway may do meanwhile.")
    kind: str = Field(default="completion", description="The kind of question that is asked during the drill.")
    requests: int = Field(default=3, ge=1, le=100, description="How many questions are asked while the fault is in.")
    max_duration: Duration = Field(default=120.0, gt=0, description="The fault ends after this time, whatever happens.")

    @property
    def strikes(self) -> tuple[StrikeConfig, ...]:
        """Its faults, whichever form they were written in."""
        if self.faults or self.with_ is None:
            return self.faults
        one = {"break": self.break_, "with": self.with_, "shape": self.shape, "after": self.after}
        return (StrikeConfig.model_validate(one),)
