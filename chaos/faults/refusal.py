"""Fault: the model refuses to answer."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="refusal")


FAULT = Fault(name="refusal", meaning="the model refuses to answer", effect=effect)
