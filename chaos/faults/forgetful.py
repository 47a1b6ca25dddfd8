"""Fault: what stands in a long prompt is not found."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="forgetful")


FAULT = Fault(name="forgetful", meaning="what stands in a long prompt is not found", effect=effect)
