"""Fault: the answer stops coming after some events, or before its body."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, Option, Unit


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - the place is an option
    return Effect(stall_after=int(options["after"]))


FAULT = Fault(
    name="stall",
    meaning="the answer stops coming after some events, or before its body",
    effect=effect,
    options={"after": Option(unit=Unit.COUNT, default=1, high=10_000)},
)
