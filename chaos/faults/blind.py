"""Fault: pictures are not seen."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="blind")


FAULT = Fault(name="blind", meaning="pictures are not seen", effect=effect)
