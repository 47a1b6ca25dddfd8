"""Did the chain hold? Pure: the record of a run in, a Verdict with its reason out.

A drill passes only on evidence: the fault met every request, the attempts show that the fallback received them, the
answers were right and in time, and the primary serves again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from chaos.edges import edge_of
from chaos.evidence import Evidence
from chaos.finding import Finding, deviated, inconclusive, passed
from chaos.hypothesis import check, is_steady, why_not
from chaos.judge_traffic import TRAFFIC_RULES, application_unsteady, held_too
from chaos.model import Phase
from chaos.wording import described, join, requests, seconds, way
from monitor.model import Outcome, Path, Reason, Status, Verdict, VerdictKind

REJECTIONS = frozenset({Reason.BAD_REQUEST, Reason.MODEL_GONE, Reason.NO_ENDPOINT})
"""How an endpoint that knows the id of no such model refuses the whole request: 400, and 404 for a deprecated one."""


def judge(evidence: Evidence, now: float) -> Verdict:
    finding = next(found for rule in RULES if (found := rule(evidence)) is not None)
    drill, served = evidence.drill, _served(evidence)
    return Verdict(
        at=now,
        run=evidence.run,
        drill=drill.name,
        chain=drill.chain,
        kind=finding.kind,
        because=finding.because,
        fault=drill.fault,
        edge=_edge(evidence),
        path=_path(evidence),
        failover=max((outcome.duration for outcome in served), default=None),
        served_by=next((outcome.served_by for outcome in reversed(served)), None),
        tested=edge_of(drill, evidence.labels),
    )


def _ended_early(evidence: Evidence) -> Finding | None:
    if evidence.refused is not None:
        return inconclusive(f"the drill was refused: {evidence.refused}")
    if evidence.crash is not None:
        return inconclusive(f"fallbackd itself failed during the drill ({evidence.crash}); the fault was taken away")
    if evidence.aborted is not None:
        left = evidence.recovered and not is_steady(evidence.recovered[-1], evidence.drill)
        after = "; and the steady state did not come back" if left else ""
        return Finding(VerdictKind.ABORTED, f"{evidence.aborted}{after}")
    return None


def _unsteady(evidence: Evidence) -> Finding | None:
    state = evidence.drill.hypothesis.whole
    if check(state, evidence.baseline, phase=Phase.BASELINE, now=0.0).holds:
        return None
    wrong = next((found for outcome in evidence.baseline if (found := why_not(outcome, state))), None)
    seen = f"the request {wrong}" if wrong else "nothing was asked"
    return inconclusive(f"the chain was not in its steady state before anything was broken: {seen}")


def _never_hit(evidence: Evidence) -> Finding | None:
    if evidence.injected == 0 or not evidence.broken:
        return inconclusive(f"the fault {evidence.drill.fault} never met a request, so nothing was broken")
    return None


def _rejected(evidence: Evidence) -> Finding | None:
    """For drills that expect the endpoint to refuse the whole request."""
    if not evidence.drill.expect.rejected:
        return None
    for number, outcome in enumerate(evidence.broken, 1):
        told = f"request {number} of {len(evidence.broken)} {described(outcome)}"
        if outcome.status in (Status.OK, Status.DEGRADED):
            news = "The endpoint's behaviour has changed: it used to reject such a request whole"
            return deviated(f"{told}{_how(number, outcome, evidence)}. {news}")
        if not _is_rejection(outcome):
            return inconclusive(f"request {number} was neither rejected whole nor answered: it {described(outcome)}")
    return None


def _is_rejection(outcome: Outcome) -> bool:
    return outcome.status is Status.FAILED and outcome.reason in REJECTIONS and not outcome.attempts


def _not_held(evidence: Evidence) -> Finding | None:
    """What was seen and should not have been, the first of it, where more went wrong than the hypothesis tolerates."""
    if evidence.drill.expect.rejected:
        return None
    count, wrongs = len(evidence.broken), _wrongs(evidence)
    tolerance = evidence.drill.hypothesis.tolerance
    if not wrongs or count - len(wrongs) >= tolerance * count:
        return None
    share = f"; {count - len(wrongs)} of {count} held, where {tolerance:.0%} must" if tolerance < 1 else ""
    number, wrong = wrongs[0]
    return deviated(f"with {join(evidence.gone)} broken, request {number} of {count} {wrong}{share}")


def _wrongs(evidence: Evidence) -> list[tuple[int, str]]:
    """What went wrong, each with the number of its request."""
    found = ((number, _wrong(number, outcome, evidence)) for number, outcome in enumerate(evidence.broken, 1))
    return [(number, wrong) for number, wrong in found if wrong is not None]


def _wrong(number: int, outcome: Outcome, evidence: Evidence) -> str | None:
    expect, how = evidence.drill.expect, _how(number, outcome, evidence)
    broken, expected = evidence.broken_for(number), evidence.expected(number)
    if outcome.status is Status.FAILED:
        return f"{described(outcome)}{how}"
    if outcome.status is Status.ERROR or (outcome.served_by is None and outcome.path is None):
        return None  # nobody can tell; no proof either way
    if outcome.served_by != expected:
        own = " (the break did not take it away)" if outcome.position in broken else ""
        return f"{described(outcome)}, not by {expected}{own}{how}"
    # Time is judged by what this drill allows; the chain's own objective does not expect a broken primary.
    if outcome.status is Status.DEGRADED and outcome.reason is not Reason.TOO_SLOW:
        return f"{described(outcome)}{how}"
    if outcome.duration > expect.within:
        return f"{described(outcome)}, later than the {seconds(expect.within)} that the drill allows{how}"
    if expect.path is not None and broken and outcome.path not in (expect.path, Path.FELL_BACK):
        return f"{described(outcome)} by the path {outcome.path}, not {expect.path}{how}"
    return None


def _not_back(evidence: Evidence) -> Finding | None:
    if evidence.recovered and is_steady(evidence.recovered[-1], evidence.drill):
        return None
    if evidence.recovered and evidence.recovered[-1].status is Status.ERROR:
        return inconclusive(f"after the rollback, the request {described(evidence.recovered[-1])}")
    seen = f"the last try {described(evidence.recovered[-1])}" if evidence.recovered else "nothing was asked"
    return deviated(f"the steady state did not come back after the fault was taken away: {seen}")


def _unjudged(evidence: Evidence) -> Finding | None:
    for number, outcome in enumerate(evidence.broken, 1):
        if outcome.status is Status.ERROR:
            return inconclusive(f"request {number} of {len(evidence.broken)} {described(outcome)}")
    if evidence.drill.varies:
        return _untouched(evidence)
    if evidence.injected < len(evidence.broken):
        return inconclusive(
            f"the fault met only {evidence.injected} of {len(evidence.broken)} requests, so not every answer is a proof"
        )
    return None


def _untouched(evidence: Evidence) -> Finding | None:
    """Faults that come and go need not meet every request, but each target that is to break must have broken once."""
    met = {position for positions in evidence.met for position in positions}
    whole = [evidence.labels[position] for position in evidence.drill.breaks if position not in met]
    if not whole:
        return None
    return inconclusive(f"no request for {join(whole)} met a fault, so what happens without it was not seen")


def _unproven(evidence: Evidence) -> Finding | None:
    tolerated = {number for number, _ in _wrongs(evidence)}
    proofs = [outcome for number, outcome in enumerate(evidence.broken, 1) if number not in tolerated]
    if evidence.drill.expect.rejected or (proofs and all(_has_evidence(outcome) for outcome in proofs)):
        return None
    return inconclusive(
        "the chain answered, but the endpoint did not report its attempts, so nothing shows that "
        f"{evidence.drill.expect.served_by} received the request because the chain moved on; use an endpoint or "
        "dialect that reports them (OpenRouter does when asked with X-OpenRouter-Metadata) or walk the chain in "
        "client mode"
    )


def _has_evidence(outcome: Outcome) -> bool:
    if outcome.position is None:
        return False
    reported = any(attempt.position == outcome.position for attempt in outcome.attempts)
    return reported or outcome.path in (Path.FILTERED, Path.FAILED_OVER, Path.PRIMARY)


def _held(evidence: Evidence) -> Finding:
    count = len(evidence.broken)
    back = f"; after the rollback {evidence.labels[0]} served again"
    if evidence.drill.expect.rejected:
        told = f"the endpoint rejected {_all_of(count)} whole, as expected ({_reason(evidence)})"
        return passed(f"{told}{held_too(evidence)}{back}")
    tolerated = _wrongs(evidence)
    slowest = max((outcome.duration for outcome in _served(evidence)), default=0.0)
    late = next((outcome for outcome in evidence.broken if outcome.reason is Reason.TOO_SLOW), None)
    slow = f", slower than the chain promises{f' ({late.detail})' if late.detail else ''}" if late else ""
    told = f"{count - len(tolerated)} of {count} requests" if tolerated else _all_of(count)
    spared = f" ({evidence.drill.hypothesis.tolerance:.0%} must hold)" if tolerated else ""
    if evidence.drill.varies:
        return passed(f"{_each(evidence)}, within {seconds(slowest)}{spared}{slow}{held_too(evidence)}{back}")
    return passed(
        f"{evidence.drill.expect.served_by} answered {told} within {seconds(slowest)}{spared}{slow}: "
        f"{_ways(evidence)}{held_too(evidence)}{back}"
    )


RULES: tuple[Callable[[Evidence], Finding | None], ...] = (
    _ended_early, _unsteady, application_unsteady, _never_hit, _rejected, _not_held, *TRAFFIC_RULES, _not_back,
    _unjudged, _unproven, _held,
)  # fmt: skip
"""In order of weight: the first that has something to say is the verdict."""


def _all_of(count: int) -> str:
    return "the one request" if count == 1 else f"all {count} requests"


def _reason(evidence: Evidence) -> str:
    last = evidence.broken[-1]
    return f"{last.reason}{f', HTTP {last.status_code}' if last.status_code else ''}"


def _how(number: int, outcome: Outcome, evidence: Evidence) -> str:
    told = way(outcome.path, evidence.gone_for(number))
    return f"; {told}" if told else ""


def _each(evidence: Evidence) -> str:
    """Who answered how many requests with what broken, where faults come and go."""
    counts = Counter((outcome.served_by, evidence.gone_for(number)) for number, outcome in _answered(evidence))
    told = (
        f"{label} answered {requests(count)} with {join(gone) if gone else 'nothing'} broken"
        for (label, gone), count in counts.items()
    )
    return ", ".join(told)


def _ways(evidence: Evidence) -> str:
    """The sentence that says whether the broken targets were filtered or failed over, for all of the requests."""
    counts = Counter(outcome.path for outcome in evidence.broken)
    told = [way(path, evidence.gone) for path in counts]
    if len(told) == 1:
        return told[0] or f"{join(evidence.gone)} was not needed"
    times = ("once" if number == 1 else f"{number} times" for number in counts.values())
    return "; ".join(f"{often} {text or 'the primary answered'}" for often, text in zip(times, told, strict=True))


def _answered(evidence: Evidence) -> tuple[tuple[int, Outcome], ...]:
    """The requests that were answered by whomever of the chain, each with its number."""
    good = (Status.OK, Status.DEGRADED)
    return tuple(
        (number, outcome)
        for number, outcome in enumerate(evidence.broken, 1)
        if outcome.status in good and outcome.position is not None
    )


def _served(evidence: Evidence) -> tuple[Outcome, ...]:
    """Those of them for which something was broken."""
    return tuple(outcome for number, outcome in _answered(evidence) if evidence.broken_for(number))


def _edge(evidence: Evidence) -> tuple[int, int] | None:
    """From the last target that was broken before the one that answered."""
    proofs = [(evidence.broken_for(number), outcome.position) for number, outcome in _answered(evidence)]
    broken, position = next((proof for proof in reversed(proofs) if proof[0]), ((), None))
    if position is None or position in broken:
        return None
    return max((at for at in broken if at < position), default=broken[0]), position


def _path(evidence: Evidence) -> Path | None:
    """The most frequent one of the requests for which something was broken, the earliest of equals."""
    paths = Counter(
        outcome.path
        for number, outcome in enumerate(evidence.broken, 1)
        if outcome.path is not None and evidence.broken_for(number)
    )
    return paths.most_common(1)[0][0] if paths else None
