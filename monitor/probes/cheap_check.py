"""The cheap check: what the catalogue settles about a target's capability, so that nobody has to be asked. Pure."""

from __future__ import annotations

from monitor.capability import MILLION, Capability, Demand, Ruling, is_capability, rule
from monitor.config.model import ChainConfig
from monitor.model import ProbeSpec
from monitor.offering import Catalogue, Price


def check(spec: ProbeSpec, chain: ChainConfig, catalogue: Catalogue) -> Ruling | None:
    """What the catalogue says of what a question asks; None for a question that is no target's capability."""
    if spec.target is None or not is_capability(spec.kind):
        return None
    ceiling = chain.price_ceiling
    demand = Demand(
        capability=Capability(spec.kind),
        tokens=spec.tokens,
        ceiling=Price(prompt=ceiling.prompt / MILLION, completion=ceiling.completion / MILLION),
    )
    return rule(demand, spec.target, catalogue)


def deny(spec: ProbeSpec, chain: ChainConfig, catalogue: Catalogue) -> str | None:
    """Why the catalogue says that a target cannot; None where it does not say so."""
    ruling = check(spec, chain, catalogue)
    return ruling.because if ruling is not None and ruling.able is False else None
