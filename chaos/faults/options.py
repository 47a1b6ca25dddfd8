"""Settings of faults and shapes as numbers in base units: which there are, and what they may be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from chaos.model import Option, Unit

_WHOLE = frozenset({Unit.COUNT, Unit.STATUS})


def checked(
    name: str, given: Mapping[str, float], known: Mapping[str, Mapping[str, Option]], what: str
) -> Mapping[str, float]:
    """Every option of the ``what`` of that name, defaults filled in. Raises ValueError with a sentence."""
    if name not in known:
        raise ValueError(f'"{name}" is not a {what}; {_suggest(name, known)}')
    options = known[name]
    for unknown in given.keys() - options.keys():
        if not options:
            raise ValueError(f'{name} has no options, so "{unknown}" cannot be set')
        raise ValueError(f'{name} has no option "{unknown}"; {_suggest(unknown, options)}')
    return {key: _number(name, key, given.get(key, option.default), option) for key, option in options.items()}


def _suggest(name: str, choices: Mapping[str, object]) -> str:
    close = get_close_matches(name, choices, n=1)
    return f'did you mean "{close[0]}"?' if close else f"choose from {', '.join(choices)}"


def _number(name: str, key: str, value: float, option: Option) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} of {name} is not a number: {value!r}")  # noqa: TRY004 - one kind of error for all bad input
    if not option.low <= value <= option.high:
        raise ValueError(f"{key} of {name} is {value:g}, but must be from {option.low:g} to {option.high:g}")
    if option.unit in _WHOLE and value != int(value):
        raise ValueError(f"{key} of {name} must be a whole number, not {value:g}")
    return float(value)
