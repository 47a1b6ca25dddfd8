"""Shape: the fault comes and goes."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Decision, Moment, Option, Shape, Unit
from monitor.config.quantity import format_duration


def decide(options: Mapping[str, float], moment: Moment, rng: Random) -> Decision:  # noqa: ARG001 - no chance in it
    """Broken first."""
    down, up = options["down"], options["up"]
    strikes = moment.elapsed % (down + up) < down
    return Decision(
        strikes=strikes,
        because=f"came after {format_duration(round(moment.elapsed, 2))}, while it is {'down' if strikes else 'up'}",
    )


SHAPE = Shape(
    name="flapping",
    meaning="`down` broken, `up` whole, over and over",
    decide=decide,
    words=lambda options: f"{format_duration(options['down'])} down, {format_duration(options['up'])} up, in turns",
    options={
        "down": Option(unit=Unit.SECONDS, default=10.0, low=0.1),
        "up": Option(unit=Unit.SECONDS, default=10.0, low=0.1),
    },
)
