"""What one live exchange adds to which series: application traffic is kept apart from our own questions. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.metrics.labels import DIRECTIONS, Labels, Values
from monitor.model import Outcome, Reason, Status

Amount = tuple[str, Values, float]
"""A metric's name, the values of its labels, and what is counted or observed."""


def counted(outcome: Outcome, labels: Labels) -> Iterator[Amount]:
    """The target is the one that served, else the one that was asked."""
    chain, target = _place(outcome, labels)
    code = "none" if outcome.status_code is None else f"{outcome.status_code // 100}xx"
    injected = "false" if outcome.drill is None else "true"
    yield "fallbackd_gateway_requests_total", (chain, target, code, injected), 1
    if outcome.cost:
        yield "fallbackd_gateway_cost_usd_total", (chain, target), outcome.cost
    spent = (outcome.tokens.prompt, outcome.tokens.completion, outcome.tokens.reasoning)
    for direction, count in zip(DIRECTIONS, spent, strict=True):
        if count:
            yield "fallbackd_gateway_tokens_total", (chain, target, direction), count


def timed(outcome: Outcome, labels: Labels) -> Iterator[Amount]:
    """Of answered exchanges only, and of none that was broken on purpose."""
    if outcome.status is not Status.OK or outcome.reason is not Reason.NONE or outcome.drill is not None:
        return
    place = _place(outcome, labels)
    yield "fallbackd_gateway_duration_seconds", place, outcome.duration
    if outcome.first_token is not None:
        yield "fallbackd_gateway_first_token_seconds", place, outcome.first_token


def _place(outcome: Outcome, labels: Labels) -> tuple[str, str]:
    chain, target, _ = labels.subject(outcome.chain, outcome.served_by or outcome.target, None)
    return chain, target
