"""Fault: the answer is nonsense."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="wrong_answer")


FAULT = Fault(name="wrong_answer", meaning="the answer is nonsense", effect=effect)
