"""Fault: the answer begins in time, its first token comes late."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, Option, Unit

JITTER = 0.1


def effect(options: Mapping[str, float], rng: Random) -> Effect:
    return Effect(first_token_delay=options["seconds"] * rng.uniform(1 - JITTER, 1 + JITTER))


FAULT = Fault(
    name="slow_first_token",
    meaning="the answer begins in time, its first token comes late",
    effect=effect,
    options={"seconds": Option(unit=Unit.SECONDS, default=5.0)},
)
