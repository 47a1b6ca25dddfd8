"""The PromQL of the panels. Selectors name Grafana's variables; what several panels ask is written once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dashboards.look import HEALTH, NEVER

COUNTS = 'origin=~"scheduled|live"'
"""Drills and questions by hand do not count towards shares."""

WHOLE = 'target=""'
"""Prometheus keeps no empty label: these are the questions that were put to a chain end to end."""


class Shape(StrEnum):
    """``range`` over time, ``instant`` a table of now, ``buckets`` a histogram over time."""

    RANGE = "range"
    INSTANT = "instant"
    BUCKETS = "buckets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    expr: str
    legend: str = ""
    shape: Shape = Shape.RANGE


def over_time(expr: str, legend: str) -> Query:
    return Query(expr=expr, legend=legend)


def now(expr: str, legend: str = "") -> Query:
    return Query(expr=expr, legend=legend, shape=Shape.INSTANT)


def buckets(expr: str) -> Query:
    return Query(expr=expr, legend="{{le}}", shape=Shape.BUCKETS)


def health(metric: str, by: str, selector: str) -> str:
    """One number for each ``by``: that of its state in ``HEALTH``."""
    parts = [f'{metric}{{{selector}, state="{state}"}} * {number}' for state, number in HEALTH.items()]
    return f"max by ({by}) ({' or '.join(parts)})"


def grown(metric: str, selector: str, window: str = "$window") -> str:
    """How much each counter rose within the window.

    ``increase`` alone misses what a counter held when Prometheus first saw it: the whole of a daemon just started, and
    the first failure for a new reason. A counter that was not there a window ago began within it, at zero.
    """
    counter = f"{metric}{{{selector}}}"
    return f"({counter} unless {counter} offset {window}) or increase({counter}[{window}])"


def counted(metric: str, by: str, selector: str, window: str = "$window") -> str:
    return f"sum by ({by}) ({grown(metric, selector, window)})"


def answered(by: str, selector: str, window: str = "$window") -> str:
    """Share of the judged questions that were answered; NaN without a question."""
    probes = "fallbackd_probes_total"
    good = counted(probes, by, f'{selector}, {COUNTS}, status=~"ok|degraded"', window)
    judged = counted(probes, by, f'{selector}, {COUNTS}, status!="error"', window)
    return f"{good} / {judged}"


def kept(by: str, selector: str, window: str = "$window") -> str:
    """Share of the questions to whole chains that count for the objective and were answered; NaN without one."""
    counts = "fallbackd_chain_objective_total"
    good = counted(counts, by, f'{selector}, result="good"', window)
    return f"{good} / {counted(counts, by, selector, window)}"


def burn(selector: str, window: str) -> str:
    """By chain, as the daemon counts it: 1 uses the objective up exactly, and what is above misses it."""
    return f'max by (chain) (fallbackd_chain_burn_rate{{{selector}, window="{window}"}})'


def or_else(expr: str, **labels: str) -> str:
    """One series with these labels that says ``NEVER``, where there is nothing at all."""
    nothing = f"vector({NEVER})"
    for label, value in labels.items():
        nothing = f'label_replace({nothing}, "{label}", "{value}", "", "")'
    return f"{expr} or on () {nothing}"


def quantile(metric: str, share: float, by: str, selector: str, window: str = "$window") -> str:
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, {counted(f'{metric}_bucket', labels, selector, window)})"


def serving(selector: str) -> str:
    """One series for each chain with the position that gave most of its latest answers, as the label ``position``."""
    looks = []
    for window in ("2m", "10m", "1h"):  # the first in which the chain was asked at all
        answers = counted("fallbackd_chain_answers_total", "chain, position", f"{selector}, {COUNTS}", window)
        looks.append(f"topk by (chain) (1, {answers} > 0)")
    return " or on (chain) ".join(looks)


def age(metric: str, by: str, selector: str) -> str:
    """Seconds since a time; ``NEVER`` where it has not come yet."""
    time = f"max by ({by}) ({metric}{{{selector}}})"
    return f"(time() - ({time} > 0)) or ({time} == 0) - {-NEVER}"


def named(expr: str, label: str, empty: str) -> str:
    """Give an empty label a word that can be shown."""
    return f'label_replace({expr}, "{label}", "{empty}", "{label}", "")'


def position_names(expr: str) -> str:
    """The label ``position`` in words: primary, fallback 1, ..., nobody."""
    fallbacks = f'label_replace({expr}, "position", "fallback $1", "position", "(.+)")'
    primary = f'label_replace({fallbacks}, "position", "primary", "position", "fallback 0")'
    return named(primary, "position", "nobody")
