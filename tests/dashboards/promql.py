"""Reads PromQL: which metrics and labels a query names, and which series it touches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import promql_parser as parser

Labels = Mapping[str, str]

OPERATORS = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "=~": lambda value, wanted: re.fullmatch(wanted, value) is not None,
    "!~": lambda value, wanted: re.fullmatch(wanted, value) is None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    """(label, operator, value)."""

    def fits(self, labels: Labels) -> bool:
        """An absent label is an empty one."""
        return all(OPERATORS[op](labels.get(name, ""), value) for name, op, value in self.matchers)


def selectors(expr: str) -> set[Selector]:
    """Every selector of a query. ValueError when it is no PromQL."""
    found: set[Selector] = set()

    def visit(node: parser.Expr) -> bool:
        if isinstance(node, parser.VectorSelector):
            matchers = tuple((one.name, _operator(one), one.value) for one in node.matchers.matchers)
            found.add(Selector(metric=node.name, matchers=matchers))
        return True

    parser.walk(parser.parse(expr), visit)
    return found


def _operator(matcher: parser.Matcher) -> str:
    kinds = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    return kinds[str(matcher.op).removeprefix("MatchOp.")]


def grouped_by(expr: str) -> set[str]:
    """Every label that an aggregation of a query keeps."""
    found: set[str] = set()

    def visit(node: parser.Expr) -> bool:
        if isinstance(node, parser.AggregateExpr) and node.modifier is not None:
            found.update(node.modifier.labels)
        return True

    parser.walk(parser.parse(expr), visit)
    return found


def touched(expr: str, series: Mapping[str, Iterable[Labels]]) -> int:
    """How many of ``series``, by their metric's name, Prometheus reads to answer the query."""
    return sum(sum(selector.fits(labels) for labels in series.get(selector.metric, ())) for selector in selectors(expr))
