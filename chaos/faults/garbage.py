"""Fault: a 200 comes with bytes that are no text."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, Option, RawReply, Unit


def effect(options: Mapping[str, float], rng: Random) -> Effect:
    """The first byte begins no text in UTF-8."""
    return Effect(raw=RawReply(body=b"\xff" + rng.randbytes(int(options["bytes"]) - 1)))


FAULT = Fault(
    name="garbage",
    meaning="a 200 comes with bytes that are no text",
    effect=effect,
    options={"bytes": Option(unit=Unit.COUNT, default=512, low=1, high=1_000_000)},
)
