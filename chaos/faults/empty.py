"""Fault: a 200 comes with an empty body."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, RawReply


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(raw=RawReply())


FAULT = Fault(name="empty", meaning="a 200 comes with an empty body", effect=effect)
