"""Shape: the fault meets every n-th request: with n = 3 the third, the sixth, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Decision, Moment, Option, Shape, Unit


def decide(options: Mapping[str, float], moment: Moment, rng: Random) -> Decision:  # noqa: ARG001 - no chance in it
    n, number = int(options["n"]), moment.number + 1
    return Decision(
        strikes=number % n == 0,
        because=f"is number {number}, and the fault meets one in {n}",
    )


SHAPE = Shape(
    name="every_nth",
    meaning="every n-th request",
    decide=decide,
    words=lambda options: f"one request in {options['n']:g}",
    options={"n": Option(unit=Unit.COUNT, default=2, low=1, high=10_000)},
)
