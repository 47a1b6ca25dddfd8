"""What the API takes and gives of experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from monitor.web.errors import ErrorText
from monitor.web.views import View


class _Ends(View):
    """Both ends of an edge, by label; in JSON they are called ``from`` and ``to``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    start: str = Field(alias="from")
    end: str = Field(alias="to")


class PlannedView(_Ends):
    """``entry`` is what would stand for it under ``drills:``. ``requests`` at most, ``usd`` for them where a price is
    known."""

    fault: str
    name: str
    entry: Mapping[str, Any]
    requests: int
    usd: float | None


class LeftOutView(_Ends):
    fault: str
    because: str


class MatrixView(View):
    """Every drill that could prove an edge of the chain now. ``usd`` at most and ``usd_usual`` where all goes well,
    None where no price is known; ``remaining``: of today's budget, None without one. ``seconds``: at most."""

    chain: str
    drills: tuple[PlannedView, ...]
    left_out: tuple[LeftOutView, ...]
    requests: int
    usd: float | None
    usd_usual: float | None
    remaining: float | None
    seconds: float


class ExperimentView(View):
    """The drills of a file, each as it would stand under ``drills:``. Of a Chaos Toolkit experiment also its
    ``hypothesis`` and ``steps``, for whoever performs it, and in ``notes`` what of it has no effect here."""

    drills: tuple[Mapping[str, Any], ...]
    title: str | None = None
    hypothesis: tuple[Mapping[str, Any], ...] = ()
    steps: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()


class ProblemView(View):
    file: str
    line: int | None
    path: str
    message: str


class MistakesText(ErrorText):
    """``problems``: every mistake with its place."""

    problems: tuple[ProblemView, ...]


class MistakesView(BaseModel):
    error: MistakesText


class NewExperiment(BaseModel):
    """An experiment file as it was written; ``file`` is its name, for what is said about it."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(default="experiment", max_length=255)
    text: str


class NewRun(BaseModel):
    """One drill as it would stand under ``drills:``, and who wants it."""

    model_config = ConfigDict(extra="forbid")

    drill: Any
    asked_by: str | None = Field(default=None, min_length=1, max_length=128)


class EndedView(View):
    """Whether the run was under way."""

    ended: bool
