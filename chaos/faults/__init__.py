"""What can go wrong, one small file per fault. A new one is a new file and one line in this list."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from chaos.faults import (
    bad_gateway,
    bad_request,
    blind,
    broken_json,
    broken_tool_arguments,
    context_length,
    cut,
    delay,
    dns,
    empty,
    empty_content,
    error_in_200,
    forgetful,
    html,
    malformed,
    model_gone,
    moderated,
    out_of_credit,
    overloaded,
    rate_limited,
    refused,
    reset,
    server_error,
    silent,
    slow_first_token,
    stall,
    starved,
    status,
    tls,
    tool_call_as_text,
    unauthorized,
    unavailable,
    wrong_answer,
    wrong_model,
)
from chaos.model import Fault, Option, Unit

_ALL: tuple[Fault, ...] = (
    refused.FAULT,
    dns.FAULT,
    tls.FAULT,
    reset.FAULT,
    delay.FAULT,
    silent.FAULT,
    slow_first_token.FAULT,
    unavailable.FAULT,
    status.FAULT,
    rate_limited.FAULT,
    overloaded.FAULT,
    server_error.FAULT,
    bad_gateway.FAULT,
    unauthorized.FAULT,
    out_of_credit.FAULT,
    moderated.FAULT,
    model_gone.FAULT,
    bad_request.FAULT,
    context_length.FAULT,
    stall.FAULT,
    cut.FAULT,
    malformed.FAULT,
    html.FAULT,
    empty.FAULT,
    empty_content.FAULT,
    error_in_200.FAULT,
    wrong_model.FAULT,
    wrong_answer.FAULT,
    starved.FAULT,
    tool_call_as_text.FAULT,
    broken_tool_arguments.FAULT,
    broken_json.FAULT,
    blind.FAULT,
    forgetful.FAULT,
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}


def resolve(name: str, options: Mapping[str, float]) -> Mapping[str, float]:
    """Every option of the fault, defaults filled in. Raises ValueError with a sentence that names the choices."""
    if name not in FAULTS:
        raise ValueError(f'"{name}" is not a fault; {_suggest(name, FAULTS)}')
    known = FAULTS[name].options
    for unknown in options.keys() - known.keys():
        if not known:
            raise ValueError(f'{name} has no options, so "{unknown}" cannot be set')
        raise ValueError(f'{name} has no option "{unknown}"; {_suggest(unknown, known)}')
    return {key: _checked(name, key, options.get(key, option.default), option) for key, option in known.items()}


def _suggest(name: str, choices: Mapping[str, object]) -> str:
    close = get_close_matches(name, choices, n=1)
    return f'did you mean "{close[0]}"?' if close else f"choose from {', '.join(choices)}"


def _checked(fault: str, key: str, value: float, option: Option) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} of {fault} is not a number: {value!r}")  # noqa: TRY004 - one kind of error for all bad input
    if not option.low <= value <= option.high:
        raise ValueError(f"{key} of {fault} is {value:g}, but must be from {option.low:g} to {option.high:g}")
    if option.unit is not Unit.SECONDS and value != int(value):
        raise ValueError(f"{key} of {fault} must be a whole number, not {value:g}")
    return float(value)
