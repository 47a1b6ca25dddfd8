"""Fault: the provider answers 429 and asks to wait for a time that nobody can obey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from chaos.faults.replies import reply
from chaos.model import Effect, Fault

ABSURD = ("315360000", "-1", "soon", "1e99", "Thu, 01 Jan 1970 00:00:00 GMT", "0x10", "NaN")
"""Ten years, before now, a word, infinity for most parsers, a date long past, and what is no number."""


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - what is asked for is drawn
    return Effect(error=replace(reply(429), retry_after_text=rng.choice(ABSURD)))


FAULT = Fault(
    name="rate_limited_absurd",
    meaning="the provider answers 429 and asks to wait for a time that nobody can obey",
    effect=effect,
)
