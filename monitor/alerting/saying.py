"""A rule of ``alerts.yaml`` as said, or not, in PromQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.config.model import RuleConfig

MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Input series in promtool's notation, and the labels of the one alert that they give after ``at`` seconds."""

    series: Mapping[str, str]
    at: float
    labels: Mapping[str, str] | None = None
    interval: float = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A rule in PromQL. ``records``: recording rules that it needs, name -> expression. ``caveat``: what differs."""

    rule: RuleConfig
    title: str
    expr: str
    records: Mapping[str, str]
    examples: tuple[Example, ...]
    caveat: str = ""
    keep: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsaid:
    """A rule that PromQL cannot say, and why."""

    rule: RuleConfig
    because: str
