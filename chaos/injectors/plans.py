"""How a request is changed so that a router leaves targets out, or refuses it: one plan for each such fault. Pure.

What a plan finds is an edit, a value that can be sent to where a request passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

from chaos.edits import UNKNOWN_ID, Edit
from chaos.injectors.injector import Refused
from chaos.model import Drill, Strike
from chaos.serving import offers, serving
from chaos.slugs import covers, overlap
from monitor.config.model import ChainConfig
from monitor.offering import Catalogue, Price

PRICE_MARGIN = 1.1
"""How many times dearer the broken targets must be: listed prices and those that the router compares can differ."""
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the request, and the sentence that says what it does."""

    reshape: Edit
    says: str


Plan = Callable[[Strike, Drill, ChainConfig, Catalogue], "Change | Refused"]


def _plan_ignore(strike: Strike, drill: Drill, chain: ChainConfig, catalogue: Catalogue) -> Change | Refused:
    left_out = _slugs_of(strike.positions, chain, catalogue)
    if isinstance(left_out, Refused):
        return left_out
    if (expected := _expected(drill, chain)) is not None:
        known = serving(chain, expected, catalogue)
        if not known.slugs:
            return _unknown(chain, expected)
        if not any(_outside(slug, left_out) for slug in known.slugs):
            return Refused(
                f"{_label(chain, expected)} is served only by {_join(known.slugs)}, who serve "
                f"{_labels(chain, strike.positions)} too: leaving them out would take both away"
            )
    return Change(
        Edit(kind="ignore", values=tuple(sorted(left_out))),
        f"requests tell the router to leave out {_join(left_out)}, which is everyone who serves "
        f"{_labels(chain, strike.positions)}",
    )


def _plan_only(strike: Strike, drill: Drill, chain: ChainConfig, catalogue: Catalogue) -> Change | Refused:
    broken = _slugs_of(strike.positions, chain, catalogue)
    if isinstance(broken, Refused):
        return broken
    expected = _expected(drill, chain)
    if expected is None:
        return Refused("no target would remain, so there is no provider to name in `only`")
    known = serving(chain, expected, catalogue)
    if not known.slugs:
        return _unknown(chain, expected)
    if not _apart(known.slugs, broken):
        return Refused(
            f"{_label(chain, expected)} has no provider of its own: {_join(known.slugs)} would serve "
            f"{_labels(chain, strike.positions)} as well"
        )
    remaining = (position for position in range(len(chain.targets)) if position not in drill.breaks)
    keep = _apart((slug for at in remaining for slug in serving(chain, at, catalogue).slugs), broken)
    return Change(
        Edit(kind="only", values=tuple(sorted(keep))),
        f"requests allow only {_join(keep)}, none of whom serves {_labels(chain, strike.positions)}",
    )


def _plan_max_price(strike: Strike, drill: Drill, chain: ChainConfig, catalogue: Catalogue) -> Change | Refused:
    expected = _expected(drill, chain)
    if expected is None:
        return Refused("no target would remain below any price")
    for position in (*strike.positions, expected):
        if not offers(chain, position, catalogue):
            return _unknown(chain, position)
    found = _cap(
        [offer.price for position in strike.positions for offer in offers(chain, position, catalogue)],
        [offer.price for offer in offers(chain, expected, catalogue)],
    )
    if found is None:
        return Refused(
            f"{_label(chain, expected)} is not cheaper than {_labels(chain, strike.positions)} by a safe margin, "
            "so no highest price lies between the two"
        )
    dimension, text = found
    return Change(
        Edit(kind="max_price", values=(dimension, text)),
        f"requests cap the {dimension} price at {text} USD per million tokens: enough for {_label(chain, expected)}, "
        f"not for {_labels(chain, strike.positions)}",
    )


def _plan_unknown_id(
    strike: Strike,
    drill: Drill,  # noqa: ARG001 - the shape of all plans
    chain: ChainConfig,
    catalogue: Catalogue,  # noqa: ARG001 - the shape of all plans
) -> Change | Refused:
    broken = {chain.target(position).model for position in strike.positions}
    edit = Edit(kind="unknown_id", values=tuple(sorted(broken)))
    return Change(edit, f"requests name {UNKNOWN_ID}, which no endpoint knows, instead of {_join(broken)}")


PLANS: Mapping[str, Plan] = {
    "ignore": _plan_ignore,
    "unavailable": _plan_ignore,
    "only": _plan_only,
    "max_price": _plan_max_price,
    "unknown_id": _plan_unknown_id,
}


def _expected(drill: Drill, chain: ChainConfig) -> int | None:
    """The position that must be left able to answer; None where none is."""
    labels = [target.label for target in chain.targets]
    if drill.expect.served_by in labels:
        return labels.index(drill.expect.served_by)
    return next((position for position in range(len(labels)) if position not in drill.breaks), None)


def _slugs_of(positions: tuple[int, ...], chain: ChainConfig, catalogue: Catalogue) -> frozenset[str] | Refused:
    """Everyone who serves the targets; refused unless that is known to be everyone."""
    found: set[str] = set()
    for position in positions:
        known = serving(chain, position, catalogue)
        if not known.complete:
            return _unknown(chain, position)
        found |= known.slugs
    return frozenset(found)


def _cap(broken: list[Price], expected: list[Price]) -> tuple[str, str] | None:
    """The (dimension, USD per million tokens) with the widest gap between the two sides; None without a safe gap."""
    gaps = []
    for dimension in ("prompt", "completion"):
        low = min(getattr(price, dimension) for price in expected)
        high = min(getattr(price, dimension) for price in broken)
        if high > 0 and high >= low * PRICE_MARGIN:
            between = sqrt(low * high) if low > 0 else high / 2
            gaps.append((high / low if low > 0 else float("inf"), dimension, between))
    if not gaps:
        return None
    _, dimension, cap = max(gaps)
    return dimension, _usd(cap * _MILLION)


def _usd(amount: float) -> str:
    return f"{Decimal(f'{amount:.6g}'):f}"


def _outside(slug: str, left_out: Iterable[str]) -> bool:
    return not any(covers(gone, slug) for gone in left_out)


def _apart(slugs: Iterable[str], broken: Iterable[str]) -> frozenset[str]:
    """The slugs that share no provider with the broken targets."""
    gone = tuple(broken)
    return frozenset(slug for slug in slugs if not any(overlap(slug, other) for other in gone))


def _unknown(chain: ChainConfig, position: int) -> Refused:
    target = chain.target(position)
    return Refused(
        f"it is not known which providers serve {target.label} ({target.model}) and at what price: the catalogue of "
        f"{chain.endpoint} does not tell, or could not be read"
    )


def _label(chain: ChainConfig, position: int) -> str:
    return chain.targets[position].label


def _labels(chain: ChainConfig, positions: Iterable[int]) -> str:
    return " and ".join(_label(chain, position) for position in positions)


def _join(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
