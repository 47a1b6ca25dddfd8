"""The values of one run of a probe."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.config.model import ChainConfig
from monitor.exchange import Answer, Finding, Reply
from monitor.model import Catalogue, Origin, ProbeSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a probe, and what it is judged by."""

    id: str
    at: float
    spec: ProbeSpec
    chain: ChainConfig
    catalogue: Catalogue
    origin: Origin
    drill: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back. ``said``: what the kind finds wrong with the answer's content, where it came whole."""

    reply: Reply
    answer: Answer
    said: Finding
