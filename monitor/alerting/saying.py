"""A rule of ``alerts.yaml`` as said, or not, in PromQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.alerting.promql import quoted
from monitor.config.model import ChainConfig, RuleConfig
from monitor.model import ProbeSpec

MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the rules are about: the chains of the config that a rule is for, and their questions."""

    chains: tuple[ChainConfig, ...]
    specs: tuple[ProbeSpec, ...]
    all_of_them: bool

    @property
    def selector(self) -> str:
        """The matcher for the chains, empty for all of them."""
        names = "|".join(re.escape(chain.name) for chain in self.chains)
        return "" if self.all_of_them else f"chain=~{quoted(names)}"

    @property
    def sample(self) -> str:
        return self.chains[0].name


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
