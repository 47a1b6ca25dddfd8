"""Fault: the connection is reset before an answer."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(reset=True)


FAULT = Fault(name="reset", meaning="the connection is reset before an answer", effect=effect)
