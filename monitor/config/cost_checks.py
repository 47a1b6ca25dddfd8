"""Settings that save money: a pace must have room to move, and live traffic must be able to show what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.config.chain_checks import too_often
from monitor.config.document import Node
from monitor.config.model import Vocabulary
from monitor.config.names import seconds
from monitor.config.showing import quote
from monitor.errors import Problem

SHOWN_BY_TRAFFIC = ("completion", "stream")
"""Kinds that an answered request of an application stands in for."""


def mistakes(top: Node) -> Iterator[Problem]:
    for chain in top["chains"].items():
        probes = chain["probes"].items()
        yield from _pace(chain["pace"], [every for probe in probes if (every := seconds(probe["every"]))])
        for probe in probes:
            every = seconds(probe["every"])
            yield from _pace(probe["pace"], [every] if every else [])
            yield from _passive(probe)


def doubts(top: Node, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Money that no budget stops, since nobody knows what is spent."""
    endpoints = dict(top["endpoints"].entries())
    told: set[tuple[str, str]] = set()
    for name, model, target in _paid(top):
        traits = vocabulary.traits.get(endpoints[name]["dialect"].text or "") if name in endpoints else None
        is_known = traits is None or traits.priced or model in endpoints[name]["prices"]
        if not is_known and (name, model) not in told:
            told.add((name, model))
            yield target.problem(
                f"nobody tells what {model} costs at {name}, so no budget is used up by it; write "
                f"endpoints.{name}.prices: {{{quote(model)}: {{prompt: 1, completion: 5}}}}, USD for a million tokens"
            )


def _paid(top: Node) -> Iterator[tuple[str, str, Node]]:
    """Endpoint, model and target of whatever a budget is to pay for."""
    budgets = top["budgets"]
    for chain in top["chains"].items():
        for target in chain["targets"].items():
            name = target["endpoint"].text or chain["endpoint"].text or ""
            model = target["model"].text or chain["model"].text or ""
            if model and ("budget" in chain or "usd_per_day" in budgets or name in budgets["providers"]):
                yield name, model, target


def _passive(probe: Node) -> Iterator[Problem]:
    kind = probe["kind"].text
    if probe["passive"].value is True and kind is not None and kind not in SHOWN_BY_TRAFFIC:
        yield probe["passive"].problem(
            f"live traffic shows nothing of {kind}; only {' and '.join(SHOWN_BY_TRAFFIC)} can be passive"
        )


def _pace(pace: Node, intervals: Sequence[float]) -> Iterator[Problem]:
    """``intervals``: of the probes that follow the pace, in seconds."""
    if not isinstance(pace.value, dict):
        return
    if "slowest" not in pace and "fastest" not in pace:
        yield pace.problem("it moves no interval; set slowest, fastest or both")
    yield from too_often(pace["fastest"])
    slowest, fastest = seconds(pace["slowest"]), seconds(pace["fastest"])
    if slowest is not None and intervals and slowest < min(intervals):
        yield pace["slowest"].problem(f"{pace['slowest'].text} is shorter than the interval itself (every)")
    if fastest is not None and intervals and fastest > max(intervals):
        yield pace["fastest"].problem(f"{pace['fastest'].text} is longer than the interval itself (every)")
