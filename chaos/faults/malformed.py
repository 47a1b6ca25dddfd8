"""Fault: the answer, or an event of it, is broken JSON."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, Option, Unit


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - the place is an option
    return Effect(malformed_after=int(options["after"]))


FAULT = Fault(
    name="malformed",
    meaning="the answer, or an event of it, is broken JSON",
    effect=effect,
    options={"after": Option(unit=Unit.COUNT, default=1, high=10_000)},
)
