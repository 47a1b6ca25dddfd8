"""Fault: the connection is reset after the headers of the answer, or after some of it."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, Option, Unit


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - the place is an option
    return Effect(reset_after=int(options["after"]))


FAULT = Fault(
    name="reset_after_headers",
    meaning="the connection is reset after the headers of the answer, or after some events of it",
    effect=effect,
    options={"after": Option(unit=Unit.COUNT, default=0, high=10_000)},
)
