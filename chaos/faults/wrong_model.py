"""Fault: another model than the one asked for answers."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="wrong_model")


FAULT = Fault(name="wrong_model", meaning="another model than the one asked for answers", effect=effect)
