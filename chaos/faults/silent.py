"""Fault: no answer ever comes."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault

FOR_EVER = 86400.0
"""Seconds; longer than any deadline."""


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(delay=FOR_EVER)


FAULT = Fault(name="silent", meaning="no answer ever comes", effect=effect)
