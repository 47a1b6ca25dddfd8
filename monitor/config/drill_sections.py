"""The section ``drills`` of ``chains.yaml``: what is broken, how, when, and what must be seen meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from monitor.config.quantity import Duration, Percent
from monitor.config.section import Name, Section
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
    ``{name: {option: value}}``. ``by``: the injector; unset, ``transport`` for client chains, else ``request``.

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
        default=None, description="The injector; unset, transport for client chains and request for the others."
    )
    expect: ExpectConfig = Field(default=ExpectConfig(), description="What must be seen while the chain is broken.")
    hypothesis: HypothesisConfig = Field(
        default=HypothesisConfig(), description="The steady state that is checked before, during and after."
    )
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
