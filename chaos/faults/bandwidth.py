"""Fault: the body of the answer comes slowly, so many bytes a second."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, Option, Unit


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - the rate is an option
    return Effect(bytes_per_second=options["rate"])


FAULT = Fault(
    name="bandwidth",
    meaning="the body of the answer comes slowly, `rate` bytes a second",
    effect=effect,
    options={"rate": Option(unit=Unit.COUNT, default=256, low=1, high=1_000_000_000)},
)
