"""Fault: an answer in JSON is never closed."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="broken_json")


FAULT = Fault(name="broken_json", meaning="an answer in JSON is never closed", effect=effect)
