"""Makes the Outcome of a live exchange from its record. Pure."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from chaos.gateway.answers import read_answer
from chaos.gateway.places import Asked, Place
from chaos.gateway.record import End, Record
from monitor.dialects import Dialect
from monitor.exchange import Answer, Fate, Finding, Reply
from monitor.model import NO_TOKENS, Attempt, Origin, Outcome, Path, Reason, Status
from monitor.offering import Catalogue
from monitor.pricing import cost_of
from monitor.reading import clean
from monitor.served import Served, check_target, exhausted, match, placed

PROBE = "live"
"""Stands where a probe's outcome has the probe's key, after the chain's name."""
NOT_THEIRS = frozenset(
    {Reason.BAD_REQUEST, Reason.CONTEXT_LENGTH, Reason.MODERATED, Reason.UNAUTHORIZED, Reason.STARVED, Reason.OURS}
)
"""What the caller's own question brings about says nothing about the chain: a prompt too long, a missing key."""
_ANSWERED = frozenset({Reason.NONE, Reason.EMPTY, Reason.STARVED})
_OF_ERROR: tuple[tuple[type[BaseException], Fate], ...] = (
    (aiohttp.ClientConnectorDNSError, Fate.DNS),
    (socket.gaierror, Fate.DNS),
    (aiohttp.ClientSSLError, Fate.TLS),
    (ssl.SSLError, Fate.TLS),
    (TimeoutError, Fate.CONNECT_TIMEOUT),
    (ConnectionRefusedError, Fate.REFUSED),
    (aiohttp.ClientConnectorError, Fate.UNREACHABLE),
    (aiohttp.ClientPayloadError, Fate.CUT),
    (aiohttp.ServerDisconnectedError, Fate.RESET),
    (OSError, Fate.RESET),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a live exchange is read by."""

    dialect: Dialect
    catalogue: Callable[[], Catalogue]


def outcome_of(record: Record, asked: Asked, place: Place, reading: Reading, *, identity: str) -> Outcome:
    """What became of an exchange that belongs to a chain."""
    answer = read_answer(record.path, _reply(record), record.answer, record.started, reading.dialect, now=record.at)
    catalogue = reading.catalogue()
    judged = _judge(record, answer, place, catalogue)
    served, position = judged.served, judged.served.position
    failed_step = place.target if served.path is None and judged.status is not Status.OK else None
    return Outcome(
        id=identity,
        at=record.at,
        chain=place.chain.name,
        probe=f"{place.chain.name}:{PROBE}",
        kind="stream" if asked.streamed else "completion",
        origin=Origin.LIVE,
        status=judged.status,
        reason=judged.finding.reason,
        drill=record.drill,
        target=failed_step.label if failed_step else None,
        served_by=None if position is None else place.chain.targets[position].label,
        position=failed_step.position if failed_step else position,
        model=answer.model,
        served_provider=answer.provider,
        path=served.path if judged.status is not Status.ERROR else None,
        attempts=served.attempts,
        status_code=record.status,
        retry_after=judged.finding.retry_after,
        duration=record.ended - record.started,
        first_token=answer.first_token,
        tokens=answer.tokens,
        output_rate=_rate(answer),
        longest_gap=answer.longest_gap,
        cost=_cost(answer, place, catalogue),
        generation=answer.generation,
        detail=clean("; ".join(part for part in (judged.finding.detail, served.why) if part)),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    status: Status
    finding: Finding
    served: Served


def _judge(record: Record, answer: Answer, place: Place, catalogue: Catalogue) -> _Judged:
    nobody = Served(position=None, path=None)
    if record.end is End.CLIENT_GONE:
        found = Finding(reason=Reason.CUT, detail="the client hung up before the end")
        return _Judged(Status.ERROR, found, nobody)
    if record.end is End.TOO_LARGE:
        found = Finding(reason=Reason.BAD_REQUEST, detail="the request was larger than the gateway passes on")
        return _Judged(Status.ERROR, found, nobody)
    finding, served = answer.finding, _served(answer, place, catalogue)
    if finding.reason in NOT_THEIRS:
        return _Judged(Status.ERROR, finding, served)
    if served.path is Path.WRONG_MODEL and finding.reason is Reason.NONE:
        finding = Finding(reason=Reason.WRONG_MODEL, detail=finding.detail)
    return _Judged(Status.OK if finding.reason is Reason.NONE else Status.FAILED, finding, served)


def _reply(record: Record) -> Reply:
    return Reply(
        fate=_fate(record),
        status=record.status,
        headers=_headers(record),
        first_byte=None if record.first_byte is None else record.first_byte - record.started,
        duration=record.ended - record.started,
    )


def _headers(record: Record) -> Mapping[str, str]:
    """By lower-case name; cookies stay out."""
    pairs = ((name.lower().decode("latin-1"), value.decode("latin-1")) for name, value in record.headers)
    return {name: value for name, value in pairs if name != "set-cookie"}


def _fate(record: Record) -> Fate:
    if record.error is None:
        return Fate.ANSWERED
    error: BaseException | None = record.error
    inner = getattr(error, "os_error", None)
    for one in (inner, error):
        for kind, fate in _OF_ERROR:
            if isinstance(one, kind):
                return fate
    return Fate.PROTOCOL


def _cost(answer: Answer, place: Place, catalogue: Catalogue) -> float | None:
    """USD: what the answer says, else what the catalogue makes of its tokens."""
    if answer.cost is not None or answer.model is None or answer.tokens == NO_TOKENS:
        return answer.cost
    asked = (place.target,) if place.target else place.chain.all_targets()
    return cost_of(answer.tokens, answer.model, answer.provider, catalogue, [one.model for one in asked])


def _rate(answer: Answer) -> float | None:
    if answer.first_token is None or answer.last_token is None or answer.tokens.completion < 2:
        return None
    span = answer.last_token - answer.first_token
    return (answer.tokens.completion - 1) / span if span >= 0.005 else None


def _served(answer: Answer, place: Place, catalogue: Catalogue) -> Served:
    """How the chain came to its answer.

    Where the caller walks, each exchange is one step: an answer of a fallback is the chain's answer, a failure of
    the last target is its end, and a failure before it is nothing yet.
    """
    came = answer.finding.reason in _ANSWERED and (answer.model is not None or answer.finding.reason is Reason.NONE)
    if place.target is None:
        return (match if came else exhausted)(answer, place.chain, catalogue)
    position, last = place.target.position, len(place.chain.targets) - 1
    attempts = placed(answer.attempts, place.chain, catalogue) or (_step(answer, place),)
    if came and answer.finding.reason is Reason.NONE:
        impostor = check_target(answer, place.target, catalogue)
        if impostor.reason is not Reason.NONE:
            return Served(position=None, path=Path.WRONG_MODEL, attempts=attempts, why=impostor.detail)
    if came:
        path = Path.FELL_BACK if position else Path.PRIMARY
        why = f"answered by {answer.model or place.target.model}"
        return Served(position=position, path=path, attempts=attempts, why=why)
    return Served(position=None, path=Path.EXHAUSTED if position == last else None, attempts=attempts)


def _step(answer: Answer, place: Place) -> Attempt:
    target = place.target
    return Attempt(
        model=target.model if target else "",
        provider=answer.provider,
        position=target.position if target else None,
        reason=answer.finding.reason,
    )
