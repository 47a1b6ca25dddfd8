"""Fault: an error object comes inside a 200."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, Option, Unit


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - the place is an option
    return Effect(error_after=int(options["after"]))


FAULT = Fault(
    name="error_in_200",
    meaning="an error object comes inside a 200",
    effect=effect,
    options={"after": Option(unit=Unit.COUNT, default=1, high=10_000)},
)
