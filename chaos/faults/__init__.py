"""What can go wrong, one small file per fault. A new one is a new file and one line in this list."""

from __future__ import annotations

from collections.abc import Mapping

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
from chaos.faults.options import checked
from chaos.model import Fault

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
    return checked(name, options, {one.name: one.options for one in _ALL}, "fault")
