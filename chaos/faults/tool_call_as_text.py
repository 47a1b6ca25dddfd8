"""Fault: a tool call comes as text in the answer."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(rewrite="tool_call_as_text")


FAULT = Fault(name="tool_call_as_text", meaning="a tool call comes as text in the answer", effect=effect)
