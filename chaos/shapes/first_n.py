"""Shape: the fault meets the first requests and no later one, as a burst that clears."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Decision, Moment, Option, Shape, Unit


def decide(options: Mapping[str, float], moment: Moment, rng: Random) -> Decision:  # noqa: ARG001 - no chance in it
    n = int(options["n"])
    strikes = moment.number < n
    return Decision(
        strikes=strikes,
        because=f"is number {moment.number + 1}, and the fault meets the first {n}",
    )


SHAPE = Shape(
    name="first_n",
    meaning="the first n requests, none later",
    decide=decide,
    words=lambda options: f"the first {options['n']:g} requests",
    options={"n": Option(unit=Unit.COUNT, default=2, low=1, high=10_000)},
)
