"""Fault: all tokens go into reasoning, none into the answer."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="starved")


FAULT = Fault(name="starved", meaning="all tokens go into reasoning, none into the answer", effect=effect)
