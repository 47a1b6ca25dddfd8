"""Fault: the answer comes late."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, Option, Unit

JITTER = 0.1


def effect(options: Mapping[str, float], rng: Random) -> Effect:
    return Effect(delay=options["seconds"] * rng.uniform(1 - JITTER, 1 + JITTER))


FAULT = Fault(
    name="delay",
    meaning="the answer comes late",
    effect=effect,
    options={"seconds": Option(unit=Unit.SECONDS, default=5.0)},
)
