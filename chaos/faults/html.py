"""Fault: an HTML page comes with a 200."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.model import Effect, Fault, RawReply

PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad gateway</h1></body></html>"


def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - nothing to choose
    return Effect(raw=RawReply(content_type="text/html; charset=utf-8", body=PAGE))


FAULT = Fault(name="html", meaning="an HTML page comes with a 200", effect=effect)
