"""Shape: the fault meets every request."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Decision, Moment, Shape


def decide(options: Mapping[str, float], moment: Moment, rng: Random) -> Decision:  # noqa: ARG001 - the same for all
    return Decision(strikes=True, because="met the fault, as every one does")


SHAPE = Shape(name="always", meaning="every request", decide=decide, words=lambda _: "")
