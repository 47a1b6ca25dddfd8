"""The values of one run of a probe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from monitor.config.model import ChainConfig
from monitor.exchange import Answer, Finding, Reply
from monitor.model import Origin, ProbeSpec, Tokens
from monitor.model.quick import quick
from monitor.offering import Catalogue


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a probe, and what it is judged by."""

    id: str
    at: float
    spec: ProbeSpec
    chain: ChainConfig
    catalogue: Catalogue
    origin: Origin
    drill: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back. ``said``: what the kind finds wrong with the answer's content, where it came whole."""

    reply: Reply
    answer: Answer
    said: Finding


def joined(first: Response, second: Response) -> Response:
    """Two turns as one: their sums, and otherwise the second, whose attempts and finding decide.

    A cost that one of them does not tell is not half known: it is left to be reckoned from all tokens.
    """
    one, other = first.answer, second.answer
    known = one.cost is not None and other.cost is not None
    trouble = other.finding.detail
    return Response(
        reply=replace(
            second.reply,
            duration=first.reply.duration + second.reply.duration,
            first_byte=first.reply.first_byte,
        ),
        answer=replace(
            other,
            model=other.model or one.model,
            provider=other.provider or one.provider,
            tokens=total((one.tokens, other.tokens)),
            cost=(one.cost or 0.0) + (other.cost or 0.0) if known else None,
            first_token=one.first_token,
            finding=replace(other.finding, detail=f"in the second turn: {trouble}" if trouble else ""),
        ),
        said=second.said,
    )


def total(tokens: Iterable[Tokens]) -> Tokens:
    counted = list(tokens)
    return Tokens(
        prompt=sum(one.prompt for one in counted),
        completion=sum(one.completion for one in counted),
        reasoning=sum(one.reasoning for one in counted),
    )
