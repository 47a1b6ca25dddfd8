"""Fault: the arguments of a tool call are JSON that is never closed."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="broken_tool_arguments")


FAULT = Fault(
    name="broken_tool_arguments", meaning="the arguments of a tool call are JSON that is never closed", effect=effect
)
