"""Fault: the provider answers with any error status."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.faults.replies import reply
from chaos.model import Effect, Fault, Option, Unit


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - the status is an option
    return Effect(error=reply(int(options["code"])))


FAULT = Fault(
    name="status",
    meaning="the provider answers with any error status",
    effect=effect,
    options={"code": Option(unit=Unit.STATUS, default=503, low=400, high=599)},
)
