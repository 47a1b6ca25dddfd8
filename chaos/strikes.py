"""Strikes as they are written: completed and checked, and as JSON on their way to a gateway of another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from chaos import faults, shapes
from chaos.model import Strike
from monitor.reading import number

FIELDS = tuple(one.name for one in fields(Strike))


def dump_strike(strike: Strike) -> dict[str, Any]:
    return {**asdict(strike), "options": dict(strike.options), "shape_options": dict(strike.shape_options)}


def read_strike(body: object, *, edits: bool = False) -> Strike:
    """Complete and checked. ``edits``: an edit of the request does it. Raises ValueError with one sentence."""
    if not isinstance(body, Mapping):
        raise ValueError(f"a strike is an object of {', '.join(FIELDS)}")  # noqa: TRY004 - answered as 422
    if unknown := sorted(map(str, body.keys() - {*FIELDS})):
        raise ValueError(f"unknown: {', '.join(unknown)}; known are {', '.join(FIELDS)}")
    positions, fault, shape = body.get("positions"), body.get("fault"), body.get("shape")
    if not isinstance(positions, list) or not all(type(position) is int for position in positions):
        raise ValueError("positions: a list of whole numbers is needed")
    for name, value in (("fault", fault), ("shape", "always" if shape is None else shape)):
        if not isinstance(value, str) or not 0 < len(value) <= 100:
            raise ValueError(f"{name}: a text of 1 to 100 characters is needed")
    return complete(
        Strike(
            positions=tuple(positions),
            fault=str(fault),
            options=_numbers(body, "options"),
            shape=shape,
            shape_options=_numbers(body, "shape_options"),
            after_requests=int(_amount(body, "after_requests")),
            after_seconds=_amount(body, "after_seconds"),
        ),
        edits=edits,
    )


def complete(strike: Strike, *, edits: bool = False) -> Strike:
    """With every option of its fault and shape, and with a shape. ``edits``: what an edit of the request does has no
    options, and need be no fault of an endpoint. Raises ValueError with one sentence."""
    options = {} if edits else faults.resolve(strike.fault, strike.options)
    shape, own = strike.shape, strike.shape_options
    if shape is None and edits:
        shape = "always"
    elif shape is None:
        fault = faults.FAULTS[strike.fault]
        shape, own = fault.shape, {**fault.shape_options, **own}
    return replace(strike, options=options, shape=shape, shape_options=shapes.resolve(shape, own))


def _numbers(body: Mapping[str, Any], name: str) -> dict[str, float]:
    options = body.get(name) or {}
    if not isinstance(options, Mapping):
        raise ValueError(f"{name}: an object of numbers")  # noqa: TRY004 - answered as 422
    return dict(options)


def _amount(body: Mapping[str, Any], name: str) -> float:
    value = number(body.get(name, 0))
    if value is None or value < 0:
        raise ValueError(f"{name}: a number from 0")
    return value
