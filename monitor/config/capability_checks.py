"""Needs of a chain and the settings of single kinds: what is written where nothing reads it is a mistake."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.chain_checks import too_often
from monitor.config.document import Node
from monitor.errors import Problem

PRICED = "budget"
"""The need that a price ceiling belongs to."""
LONG = "long_context"
"""The kind that sizes belong to."""


def mistakes(top: Node) -> Iterator[Problem]:
    for chain in top["chains"].items():
        yield from _needs(chain)
        for probe in chain["probes"].items():
            yield from _sizes(probe)


def _needs(chain: Node) -> Iterator[Problem]:
    needs = chain["needs"].texts if "needs" in chain else ()
    yield from too_often(chain["needs_every"])
    if "needs_every" in chain and not needs:
        yield chain["needs_every"].problem("the chain has no needs; write needs: [...] or take it out")
    if "price_ceiling" in chain and PRICED not in needs:
        yield chain["price_ceiling"].problem(f"only the need {PRICED} reads it; write needs: [{PRICED}] or take it out")


def _sizes(probe: Node) -> Iterator[Problem]:
    for name in ("tokens", "depth"):
        if name in probe and probe["kind"].text not in (None, LONG):
            yield probe[name].problem(f"a {probe['kind'].text} question has none; only kind {LONG} does")
