"""Fault: the provider answers 429 to the first requests, and then works again."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.faults.replies import reply, with_retry_after
from chaos.model import Effect, Fault, Option, Unit


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - the wait is an option
    return Effect(error=with_retry_after(reply(429), options["retry_after"]))


FAULT = Fault(
    name="rate_limited_burst",
    meaning="the provider answers 429 to the first requests, and then works again",
    effect=effect,
    options={"retry_after": Option(unit=Unit.SECONDS, default=1.0)},
    shape="first_n",
    shape_options={"n": 2.0},
)
