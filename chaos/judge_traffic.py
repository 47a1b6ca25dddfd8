"""Did applications hold? What was seen of live traffic and of the user's own endpoint. Pure.

An application proves something only on evidence of the gateway: its request met the fault, and a fallback was asked;
where the endpoint walks the chain, the answer itself says who gave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaos.capacity import Stop
from chaos.comparison import Harm
from chaos.evidence import Evidence
from chaos.finding import Finding, deviated, inconclusive
from chaos.model import Asked, Phase
from chaos.passing import Call, Group, Passed, calls_of
from chaos.wording import join, seconds

ROUNDING = 0.05
"""Seconds by which the clocks of the drill and of the gateway's records may lie apart; both are of one machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the gateway says of one request to the application: that it ``met`` the fault, that a fallback was then
    asked, or answered where the endpoint walks (of every call that met it), and whether that is surely its own, or one
    of several calls of that moment. ``walked``: the answers that came so; ``spared``: why it could not be broken."""

    met: bool
    fell_back: bool
    certain: bool
    walked: tuple[Passed, ...] = ()
    spared: str = ""


def proof_of(asked: Asked, passed: Sequence[Passed]) -> Proof:
    """By the mark in the request where it found its way to the gateway; else by the time."""
    own, calls = calls_by_mark(asked, passed), calls_of_asked(asked, passed)
    met = [call for call in calls if call.met]
    return Proof(
        met=bool(met),
        fell_back=bool(met) and all(call.fell_back for call in met),
        certain=bool(own) or len(calls) == 1,
        walked=tuple(call.walked for call in met if call.walked is not None),
        spared=next((one.spared for call in calls for one in call.exchanges if one.spared), ""),
    )


def calls_of_asked(asked: Asked, passed: Sequence[Passed]) -> tuple[Call, ...]:
    """The calls that the application made for it, as far as can be told."""
    return calls_by_mark(asked, passed) or calls_by_time(asked, passed)


def calls_by_mark(asked: Asked, passed: Sequence[Passed]) -> tuple[Call, ...]:
    if asked.nonce is None:
        return ()
    return calls_of(one for one in passed if one.nonce == asked.nonce)


def calls_by_time(asked: Asked, passed: Sequence[Passed]) -> tuple[Call, ...]:
    begin, end = asked.at - ROUNDING, asked.ended + ROUNDING
    return calls_of(one for one in passed if begin <= one.at <= end)


def in_phase(evidence: Evidence, phase: Phase) -> tuple[Asked, ...]:
    return tuple(one for one in evidence.application if one.phase is phase)


def application_unsteady(evidence: Evidence) -> Finding | None:
    wrong = next((one.wrong for one in in_phase(evidence, Phase.BASELINE) if one.wrong), None)
    return None if wrong is None else inconclusive(f"before anything was broken, the application {wrong}")


def _application_broken(evidence: Evidence) -> Finding | None:
    for number, one in enumerate(in_phase(evidence, Phase.INJECT), 1):
        if one.wrong and proof_of(one, evidence.passed).met:
            gone = join(evidence.gone)
            return deviated(f"with {gone} broken, the application {one.wrong} (request {number}, which met the fault)")
    return None


def _application_served(evidence: Evidence) -> Finding | None:
    """Where the endpoint walks, the right target must have answered the application, and in time."""
    if evidence.drill.expect.rejected:
        return None
    for number, one in enumerate(in_phase(evidence, Phase.INJECT), 1):
        for answer in proof_of(one, evidence.passed).walked:
            if wrong := _wrong(answer, evidence):
                return deviated(f"with {join(_labels(answer.gone, evidence))} broken, request {number} of the {wrong}")
    return None


def _wrong(answer: Passed, evidence: Evidence) -> str | None:
    """What keeps an answer to the application from being that of the fallback; None also where nobody can tell."""
    if answer.served is None:
        return None
    served, wanted = evidence.labels[answer.served], evidence.expected_without(answer.gone)
    if served != wanted:
        own = " (the break did not take it away)" if answer.served in answer.gone else ""
        return f"application was answered by {served}, not by {wanted}{own}"
    within, took = evidence.drill.expect.within, answer.ended - answer.at
    if took > within:
        return f"application was answered after {seconds(took)}, later than the {seconds(within)} that the drill allows"
    return None


def _labels(positions: Sequence[int], evidence: Evidence) -> tuple[str, ...]:
    return tuple(evidence.labels[position] for position in positions)


def _application_unproven(evidence: Evidence) -> Finding | None:
    plan = evidence.drill.application
    if plan is None:
        return None
    asked = in_phase(evidence, Phase.INJECT)
    proofs = [proof_of(one, evidence.passed) for one in asked]
    met = [proof for proof in proofs if proof.met]
    if not met:
        spared = next((proof.spared for proof in proofs if proof.spared), "")
        why = f" (what it sent {spared})" if spared else ""
        return inconclusive(
            f"none of the {len(asked)} requests to the application met the fault in the gateway{why}, so nothing "
            "is proven of it; does it ask this chain through the gateway, and does gateway.live let its requests be "
            "broken?"
        )
    if len(met) < plan.requests:
        return inconclusive(f"only {len(met)} requests to the application met the fault, where {plan.requests} must")
    if not all(proof.fell_back for proof in met):
        if any(answer.served is None for proof in met for answer in proof.walked):
            return inconclusive(
                "the application answered as expected, but the answers that the gateway saw do not say who gave them, "
                "so nothing shows that it was a fallback"
            )
        return inconclusive(
            "the application answered as expected, but the gateway saw no request to a fallback after the fault, so it "
            "was not the fallback that saved it"
        )
    return None


def _application_after(evidence: Evidence) -> Finding | None:
    wrong = next((one.wrong for one in reversed(in_phase(evidence, Phase.RECOVER)) if one.wrong), None)
    return None if wrong is None else deviated(f"after the fault was taken away, the application {wrong}")


def _live(evidence: Evidence) -> Finding | None:
    if evidence.drill.live is None:
        return None
    compared = evidence.compared
    if compared is None:
        return inconclusive("live traffic was not compared: the drill ended before, or the gateway told nothing of it")
    if compared.harm in (Harm.FAILING, Harm.SLOW):
        return deviated(f"live traffic was harmed, so the drill was ended at once: {compared.because}")
    if compared.harm is Harm.UNDECIDED:
        return inconclusive(f"too little live traffic passed to compare: {compared.because}")
    return None


def live_answers(evidence: Evidence) -> tuple[Passed, ...]:
    """The answers to live calls that met the fault where the endpoint walks the chain."""
    broken = (call for call in calls_of(evidence.passed) if call.group is Group.BROKEN and call.met)
    return tuple(call.walked for call in broken if call.walked is not None)


def _live_served(evidence: Evidence) -> Finding | None:
    """Where the endpoint walks, live calls prove something only where a target answered that was not taken away."""
    if evidence.drill.live is None or evidence.drill.expect.rejected or not (answers := live_answers(evidence)):
        return None
    kept = [one for one in answers if one.served is not None and one.served in one.gone]
    if len(answers) - len(kept) < evidence.drill.hypothesis.tolerance * len(answers):
        named = join(dict.fromkeys(evidence.labels[one.served] for one in kept if one.served is not None))
        return deviated(
            f"{len(kept)} of {len(answers)} live calls that met the fault were answered by {named} all the same: the "
            "break did not take it away"
        )
    if unsaid := sum(one.served is None for one in answers):
        return inconclusive(
            f"{unsaid} of {len(answers)} answers to live calls that met the fault do not say who gave them, so nothing "
            "shows that it was a fallback"
        )
    return None


def _misconduct(evidence: Evidence) -> Finding | None:
    if not evidence.drill.client.must or not evidence.conduct:
        return None
    worst = evidence.conduct[0]
    return deviated(f"the client misbehaved ({worst.misdeed}, {worst.calls} of {worst.seen} calls): {worst.because}")


def _too_little(evidence: Evidence) -> Finding | None:
    plan, capacity = evidence.drill.capacity, evidence.capacity
    if plan is None or plan.at_least is None:
        return None
    if capacity is None:
        return inconclusive("no load was put on the fallback")
    if capacity.carried is not None and capacity.carried >= plan.at_least:
        return None
    if capacity.stop in (Stop.COST, Stop.TIME):
        return inconclusive(f"the load did not rise to {plan.at_least:g} per minute: {capacity.because}")
    return deviated(f"the fallback does not carry {plan.at_least:g} answers per minute: {capacity.because}")


TRAFFIC_RULES: tuple[Callable[[Evidence], Finding | None], ...] = (
    _application_broken, _application_served, _live, _live_served, _application_after, _misconduct, _too_little,
    _application_unproven,
)  # fmt: skip


def held_too(evidence: Evidence) -> str:
    """What also held, to stand in the sentence of a drill that passed."""
    told = []
    if evidence.drill.application is not None:
        proofs = [proof_of(one, evidence.passed) for one in in_phase(evidence, Phase.INJECT)]
        met = [proof for proof in proofs if proof.met]
        sure = "" if all(proof.certain for proof in met) else " (by time, among other traffic)"
        told.append(f"the application answered all {len(met)} that met the fault, each by a fallback{sure}")
    if evidence.compared is not None:
        told.append(f"live traffic held: {evidence.compared.because}{_by_whom(evidence)}")
    if evidence.capacity is not None:
        told.append(f"the fallback {evidence.capacity.because}")
    if evidence.conduct:
        told.append(f"clients misbehaved: {', '.join(one.misdeed for one in evidence.conduct)}")
    return "".join(f"; {one}" for one in told)


def _by_whom(evidence: Evidence) -> str:
    """Who answered the live calls that met the fault, where their answers say it."""
    if evidence.drill.live is None:
        return ""
    counts = Counter(evidence.labels[one.served] for one in live_answers(evidence) if one.served is not None)
    told = join(f"{label} answered {count} of them" for label, count in counts.items())
    return f" ({told})" if told else ""
