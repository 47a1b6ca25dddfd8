"""Shape: the fault meets each request by chance."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Decision, Moment, Option, Shape, Unit


def decide(options: Mapping[str, float], moment: Moment, rng: Random) -> Decision:  # noqa: ARG001 - no time in it
    drawn = rng.random()
    return Decision(
        strikes=drawn < options["share"],
        because=f"drew {drawn:.0%}, and the fault meets whatever is below {options['share']:.0%}",
    )


SHAPE = Shape(
    name="probability",
    meaning="a share of the requests, by chance",
    decide=decide,
    words=lambda options: f"{options['share']:.0%} of requests",
    options={"share": Option(unit=Unit.SHARE, default=0.5, high=1.0)},
)
