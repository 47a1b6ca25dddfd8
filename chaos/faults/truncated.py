"""Fault: the answer ends in its middle as if it were whole: a stream without finish and [DONE]."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, Option, Unit


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - the place is an option
    return Effect(end_after=int(options["after"]))


FAULT = Fault(
    name="truncated",
    meaning="the answer ends in its middle as if it were whole: a stream without finish and [DONE]",
    effect=effect,
    options={"after": Option(unit=Unit.COUNT, default=1, high=10_000)},
)
