"""Fault: the connection is refused."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Connect, Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(connect=Connect.REFUSE)


FAULT = Fault(name="refused", meaning="the connection is refused", effect=effect)
