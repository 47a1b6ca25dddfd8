"""Shape: the fault meets the requests of one stretch of time."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Decision, Moment, Option, Shape, Unit
from monitor.config.quantity import format_duration


def decide(options: Mapping[str, float], moment: Moment, rng: Random) -> Decision:  # noqa: ARG001 - no chance in it
    start, end = options["start"], options["start"] + options["length"]
    return Decision(
        strikes=start <= moment.elapsed < end,
        because=f"came after {format_duration(round(moment.elapsed, 2))}, and the fault lasts {_span(options)}",
    )


def _span(options: Mapping[str, float]) -> str:
    start, end = options["start"], options["start"] + options["length"]
    return f"from {format_duration(start)} to {format_duration(end)}"


SHAPE = Shape(
    name="window",
    meaning="the requests of one stretch of time, `length` long, that begins at `start`",
    decide=decide,
    words=_span,
    options={
        "start": Option(unit=Unit.SECONDS, default=0.0),
        "length": Option(unit=Unit.SECONDS, default=30.0, low=0.1),
    },
)
