"""Shape: the fault meets 10 % of requests at first, then 25 %, then 50 %, then all."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Decision, Moment, Option, Shape, Unit

STEPS = (0.1, 0.25, 0.5, 1.0)


def decide(options: Mapping[str, float], moment: Moment, rng: Random) -> Decision:
    """A step lasts so many requests where they are given, else so long."""
    requests = int(options["requests"])
    passed = moment.number // requests if requests else int(moment.elapsed // options["step"])
    share, drawn = STEPS[min(passed, len(STEPS) - 1)], rng.random()
    return Decision(
        strikes=drawn < share,
        because=f"drew {drawn:.0%}, and the fault meets whatever is below {share:.0%} by now",
    )


SHAPE = Shape(
    name="ramp",
    meaning="10, 25, 50, then 100 % of the requests, by chance; a step lasts `step`, or so many `requests`",
    decide=decide,
    words=lambda _: "10, 25, 50, then 100% of requests",
    options={
        "step": Option(unit=Unit.SECONDS, default=15.0, low=0.1),
        "requests": Option(unit=Unit.COUNT, default=0, high=10_000),
    },
)
