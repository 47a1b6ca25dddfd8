"""Makes the Outcome of a run: of a target, of a chain that the endpoint walked, of a walk of our own. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from monitor.capability import Ruling, is_capability
from monitor.config.model import ChainConfig
from monitor.exchange import Answer, Finding
from monitor.model import NO_TOKENS, Attempt, Origin, Outcome, Path, ProbeSpec, Reason, Status, Target
from monitor.pricing import cost_of
from monitor.probes.kind import FINE
from monitor.probes.run import Response, Run, total
from monitor.probes.walk import End, Walk
from monitor.served import Served, check_target, exhausted, find_slow_cascade, match, placed

_DEGRADED = frozenset({Reason.TOO_SLOW, Reason.MISSING_CAPABILITY})
_ANSWERED = frozenset({Reason.NONE, Reason.EMPTY, Reason.STARVED})
_TAKEN = frozenset({Reason.WRONG_ANSWER, Reason.WRONG_MODEL, Reason.STARVED, Reason.EMPTY, Reason.MISSING_CAPABILITY})
_LACKS = frozenset(
    {
        Reason.STARVED, Reason.EMPTY, Reason.WRONG_ANSWER, Reason.CONTEXT_LENGTH,
        Reason.BAD_REQUEST, Reason.NO_ENDPOINT,  # how a request with tools, a schema or an image is refused
    }
)  # fmt: skip
_RATE_SPAN = 0.005  # below this a rate measures how the network cuts packets


def of_target(run: Run, target: Target, response: Response) -> Outcome:
    """A target that was asked on its own."""
    answer, duration = response.answer, response.reply.duration
    finding = first_bad(
        _as_lack(run, judge_step(run, target, response)),
        _in_time(run, duration, answer.first_token),
    )
    came = answer.finding.reason in _ANSWERED  # a refusal shows what is lacking, and is nobody's answer
    served = came and status_of(finding.reason) in (Status.OK, Status.DEGRADED)
    return _measured(
        run,
        response,
        _Judged(
            finding=finding,
            served_by=target.label if served else None,
            position=target.position,
            attempts=placed(answer.attempts, run.chain, run.catalogue),
            detail=_told(finding, answer) or f"answered by {_who(answer) or target.model}",
        ),
    )


def of_chain(run: Run, response: Response) -> Outcome:
    """A chain that the endpoint walked."""
    answer, duration = response.answer, response.reply.duration
    named = answer.finding.reason is Reason.NONE or answer.model is not None
    came = answer.finding.reason in _ANSWERED and named
    served = (match if came else exhausted)(answer, run.chain, run.catalogue)
    stranger = Finding(reason=Reason.WRONG_MODEL) if served.path is Path.WRONG_MODEL else FINE
    cascade = find_slow_cascade(served.attempts, run.chain, duration)
    finding = first_bad(
        answer.finding,
        stranger,
        response.said,
        Finding(reason=Reason.TOO_SLOW) if cascade else FINE,
        _in_time(run, duration, answer.first_token),
    )
    if came:
        story = [finding.detail, served.why]
    else:
        story = [_told(finding, answer), f"tried {served.why}" if served.why else ""]
    return _measured(run, response, _chained(run, finding, served, (*story, cascade)))


def of_walk(run: Run, walk: Walk) -> Outcome:
    """A chain that we walked ourselves: the attempts are our own."""
    last, attempts = walk.last, tuple(step.attempt for step in walk.steps)
    served = _served(walk, attempts, run.chain)
    cascade = find_slow_cascade(attempts, run.chain, walk.duration)
    answer = last.response.answer
    before = walk.duration - last.response.reply.duration
    first_token = None if answer.first_token is None else before + answer.first_token
    finding = first_bad(
        Finding(reason=Reason.TIMEOUT, detail=last.finding.detail) if walk.end is End.LATE else last.finding,
        Finding(reason=Reason.TOO_SLOW) if cascade else FINE,
        _in_time(run, walk.duration, first_token),
    )
    slow = finding.detail if finding.reason is Reason.TOO_SLOW else ""
    outcome = _measured(run, last.response, _chained(run, finding, served, (slow, served.why, cascade)))
    return replace(
        outcome,
        duration=walk.duration,
        first_token=first_token,
        tokens=total(step.response.answer.tokens for step in walk.steps),
        cost=_total(_cost(run, step.response.answer) for step in walk.steps),
    )


def of_catalogue(run: Run, target: Target, ruling: Ruling) -> Outcome:
    """A target that was not asked, since the catalogue says enough. A price that is not known is nobody's fault."""
    reason = {True: Reason.NONE, False: Reason.MISSING_CAPABILITY, None: Reason.OURS}[ruling.able]
    unasked = of_our_fault(
        run.spec, run.id, run.at, origin=run.origin, drill=run.drill, detail=f"not asked: {ruling.because}"
    )
    return replace(
        unasked,
        status=status_of(reason),
        reason=reason,
        served_by=target.label if ruling.able else None,
        cost=0.0,
    )


def of_our_fault(
    spec: ProbeSpec, identity: str, at: float, *, origin: Origin, drill: str | None, detail: str
) -> Outcome:
    """Nobody can be judged: we could not ask."""
    target = spec.target
    return Outcome(
        id=identity,
        at=at,
        chain=spec.chain,
        probe=spec.key,
        kind=spec.kind,
        origin=origin,
        drill=drill,
        target=target.label if target else None,
        provider=target.provider if target else None,
        position=target.position if target else None,
        status=Status.ERROR,
        reason=Reason.OURS,
        detail=detail,
    )


def judge_step(run: Run, target: Target, response: Response) -> Finding:
    """What is wrong with a single target's answer, time apart."""
    return first_bad(response.answer.finding, check_target(response.answer, target, run.catalogue), response.said)


def first_bad(*findings: Finding) -> Finding:
    return next((finding for finding in findings if finding.reason is not Reason.NONE), FINE)


def status_of(reason: Reason) -> Status:
    if reason is Reason.NONE:
        return Status.OK
    if reason is Reason.OURS:
        return Status.ERROR
    return Status.DEGRADED if reason in _DEGRADED else Status.FAILED


def _as_lack(run: Run, finding: Finding) -> Finding:
    """A target that gives nothing usable to a question for its capability answers, and lacks that capability."""
    if is_capability(run.spec.kind) and finding.reason in _LACKS:
        return Finding(reason=Reason.MISSING_CAPABILITY, detail=finding.detail)
    return finding


@dataclass(slots=True, kw_only=True)
class _Judged:
    """The part of an Outcome that is judged."""

    finding: Finding
    served_by: str | None
    position: int | None
    path: Path | None = None
    attempts: tuple[Attempt, ...]
    detail: str


def _chained(run: Run, finding: Finding, served: Served, parts: Iterable[str | None]) -> _Judged:
    return _Judged(
        finding=finding,
        served_by=None if served.position is None else run.chain.targets[served.position].label,
        position=served.position,
        path=None if finding.reason is Reason.OURS else served.path,
        attempts=served.attempts,
        detail="; ".join(part for part in parts if part),
    )


def _measured(run: Run, response: Response, judged: _Judged) -> Outcome:
    """What can be said of every exchange, and how it was judged."""
    spec, answer, reply = run.spec, response.answer, response.reply
    finding = judged.finding
    return Outcome(
        id=run.id,
        at=run.at,
        chain=spec.chain,
        probe=spec.key,
        kind=spec.kind,
        origin=run.origin,
        drill=run.drill,
        target=spec.target.label if spec.target else None,
        provider=spec.target.provider if spec.target else None,
        status=status_of(finding.reason),
        reason=finding.reason,
        retry_after=finding.retry_after,
        served_by=judged.served_by,
        position=judged.position,
        path=judged.path,
        attempts=judged.attempts,
        detail=judged.detail,
        model=answer.model,
        served_provider=answer.provider,
        status_code=reply.status,
        duration=reply.duration,
        first_token=answer.first_token,
        tokens=answer.tokens,
        output_rate=_rate(answer),
        longest_gap=answer.longest_gap,
        cost=_cost(run, answer),
        generation=answer.generation,
    )


def _served(walk: Walk, attempts: tuple[Attempt, ...], chain: ChainConfig) -> Served:
    reason, position = walk.last.finding.reason, walk.last.target.position
    taken = walk.end is End.STOPPED and reason in _TAKEN and walk.last.response.answer.model is not None
    if walk.end is End.ANSWERED or taken:
        path = Path.FAILED_OVER if position else Path.PRIMARY
        known = reason is not Reason.WRONG_MODEL
        return Served(
            position=position if known else None,
            path=path if known else Path.WRONG_MODEL,
            attempts=attempts,
            why=_story(walk, chain),
        )
    return Served(position=None, path=Path.EXHAUSTED, attempts=attempts, why=_story(walk, chain))


def _story(walk: Walk, chain: ChainConfig) -> str:
    """The walk in one sentence, as it is read at night."""
    failed = "; ".join(
        f"{step.target.label}: {step.finding.detail or step.finding.reason}"
        for step in walk.steps
        if step.finding.reason is not Reason.NONE
    )
    if walk.end is End.ANSWERED:
        who = _who(walk.last.response.answer) or walk.last.target.model
        return f"{failed}; moved on to {who} ({walk.last.response.reply.status})" if failed else f"answered by {who}"
    if walk.end is End.LATE:
        return f"no answer within the {chain.deadline:g} s for the whole walk: {failed}"
    if walk.end is End.EXHAUSTED:
        return f"every target failed: {failed}"
    return f"{failed} ({walk.last.finding.reason} does not move on)"


def _in_time(run: Run, duration: float, first_token: float | None) -> Finding:
    promise = run.chain.objective
    if promise.latency is not None and duration > promise.latency:
        detail = f"answered in {duration:.1f} s, promised within {promise.latency:g} s"
        return Finding(reason=Reason.TOO_SLOW, detail=detail)
    if promise.first_token is not None and first_token is not None and first_token > promise.first_token:
        detail = f"first token after {first_token:.1f} s, promised within {promise.first_token:g} s"
        return Finding(reason=Reason.TOO_SLOW, detail=detail)
    return FINE


def _told(finding: Finding, answer: Answer) -> str:
    """What is wrong, and with whose answer, where somebody had begun to give one."""
    if not finding.detail or answer.model is None or (answer.provider or answer.model) in finding.detail:
        return finding.detail
    return f"{finding.detail}; it came from {_who(answer)}"


def _who(answer: Answer) -> str:
    return " at ".join(part for part in (answer.model, answer.provider) if part)


def _rate(answer: Answer) -> float | None:
    """Tokens per second between the first token and the last."""
    if answer.first_token is None or answer.last_token is None or answer.streamed_tokens < 2:
        return None
    span = answer.last_token - answer.first_token
    return (answer.streamed_tokens - 1) / span if span >= _RATE_SPAN else None


def _cost(run: Run, answer: Answer) -> float | None:
    """USD: what the answer says, else what the catalogue makes of its tokens."""
    if answer.cost is not None or answer.model is None or answer.tokens == NO_TOKENS:
        return answer.cost
    asked = (run.spec.target,) if run.spec.target else run.chain.all_targets()
    return cost_of(answer.tokens, answer.model, answer.provider, run.catalogue, [one.model for one in asked])


def _total(costs: Iterable[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
