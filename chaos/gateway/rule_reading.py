"""A rule as it is sent to the gateway's control, read from JSON."""

from __future__ import annotations

from collections.abc import Mapping

from chaos.edits import Edit, read_edit
from chaos.gateway.rule import Rule
from chaos.model import Strike
from chaos.strikes import FIELDS as STRIKE_FIELDS
from chaos.strikes import read_strike
from monitor.reading import number

FIELDS = (
    "id",
    "chain",
    "drill",
    "run",
    "until",
    "max_count",
    "seed",
    "live",
    "percent",
    "control",
    "waits",
    "strikes",
    "edits",
)
_ONE = frozenset(STRIKE_FIELDS)
"""In place of ``strikes`` the fields of one may stand in the rule itself."""


def read_rule(body: object) -> Rule:
    """A rule from JSON. Raises ValueError with one sentence."""
    if not isinstance(body, Mapping):
        raise ValueError(f"write a JSON object of {', '.join(FIELDS)}")  # noqa: TRY004 - answered as 422
    if unknown := sorted(map(str, body.keys() - {*FIELDS} - _ONE)):
        raise ValueError(f"unknown: {', '.join(unknown)}; known are {', '.join(FIELDS)}")
    texts = {name: body.get(name) for name in ("id", "chain", "drill", "run")}
    for name, value in texts.items():
        if not isinstance(value, str) or not 0 < len(value) <= 100:
            raise ValueError(f"{name}: a text of 1 to 100 characters is needed")
    until, count, seed = (number(body.get(name, 0)) for name in ("until", "max_count", "seed"))
    if until is None or count is None or seed is None:
        raise ValueError("until, max_count and seed are numbers")
    for name in ("live", "control", "waits"):
        if not isinstance(body.get(name, False), bool):
            raise ValueError(f"{name}: true or false")  # noqa: TRY004 - answered as 422
    share = body.get("percent")
    percent = None if share is None else number(share)
    if share is not None and (percent is None or not 0 < percent <= 1):
        raise ValueError("percent: a share above 0 and up to 1")
    edits = _edits(body.get("edits", []))
    return Rule(
        **{name: str(value) for name, value in texts.items()},
        strikes=_strikes(body, edits=bool(edits)), until=until, max_count=int(count), seed=int(seed),
        live=body.get("live", False), percent=percent, control=body.get("control", False),
        waits=body.get("waits", False), edits=edits,
    )  # fmt: skip


def _edits(listed: object) -> tuple[Edit, ...]:
    if not isinstance(listed, list):
        raise ValueError("edits: a list of objects of kind, values")  # noqa: TRY004 - answered as 422
    return tuple(map(read_edit, listed))


def _strikes(body: Mapping[str, object], *, edits: bool) -> tuple[Strike, ...]:
    if "strikes" not in body:
        return (read_strike({name: value for name, value in body.items() if name in _ONE}, edits=edits),)
    listed = body["strikes"]
    if not isinstance(listed, list) or not listed or _ONE & body.keys():
        raise ValueError("strikes: a list of one or more, or the fields of one in place of it")
    return tuple(read_strike(one, edits=edits) for one in listed)
