"""Faults that are a wait: its length, with jitter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from chaos.model import Effect, Fault, Option, Unit


def wait_fault(name: str, meaning: str, made: Callable[[float], Effect], *, seconds: float) -> Fault:
    """``made``: the effect of a wait of so many seconds. Each exchange draws its own within the jitter."""

    def effect(options: Mapping[str, float], rng: Random) -> Effect:
        jitter = options["jitter"]
        return made(options["seconds"] * rng.uniform(1 - jitter, 1 + jitter))

    options = {
        "seconds": Option(unit=Unit.SECONDS, default=seconds),
        "jitter": Option(unit=Unit.SHARE, default=0.1, high=1.0),
    }
    return Fault(name=name, meaning=meaning, effect=effect, options=options)
