"""Fault: a 200 comes whose answer has no content."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="empty_content")


FAULT = Fault(name="empty_content", meaning="a 200 comes whose answer has no content", effect=effect)
