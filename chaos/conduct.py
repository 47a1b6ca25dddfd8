"""What an application did when its requests failed: judged from what the gateway saw of its calls. Pure.

Sources: RFC 9110 section 10.2.3 (Retry-After); OpenAI docs: Error codes; AWS Builders' Library: Timeouts, retries and
backoff with jitter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chaos.passing import Call, Group, Passed
from chaos.plans import ClientPlan
from chaos.wording import seconds
from monitor.model import Misdeed

FINAL = frozenset({400, 401, 403, 404, 422})
"""Answers that the same request to the same target gets again."""
SLACK = 0.9
"""Share of a Retry-After after which a retry is no fault of the client: clocks differ, and it is in whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """One thing that the client did wrong, in ``calls`` of the ``seen`` calls that met the fault."""

    misdeed: Misdeed
    calls: int
    seen: int
    because: str


Rule = Callable[[Call, ClientPlan], str | None]


def conduct(calls: Iterable[Call], plan: ClientPlan) -> tuple[Conduct, ...]:
    """Everything that was wrong, each with its first example. ``calls``: all that were seen, those that are over."""
    everyone = tuple(calls)
    broken = [call for call in everyone if call.met]
    found = []
    for misdeed, rule in RULES.items():
        examples = [told for call in broken if (told := rule(call, plan)) is not None]
        if examples:
            found.append(Conduct(misdeed=misdeed, calls=len(examples), seen=len(broken), because=examples[0]))
    storm = _storm(broken, [call for call in everyone if not call.met and call.group is not Group.BROKEN], plan)
    return (*found, storm) if storm else tuple(found)


def amplification(broken: Sequence[Call], whole: Sequence[Call]) -> float | None:
    """How many times more requests a call makes while it is broken; None without a call to tell by."""
    if not broken:
        return None
    before = sum(len(call.exchanges) for call in whole) / len(whole) if whole else 1.0
    return sum(len(call.exchanges) for call in broken) / len(broken) / before


def _storm(broken: Sequence[Call], whole: Sequence[Call], plan: ClientPlan) -> Conduct | None:
    factor = amplification(broken, whole)
    if factor is None or factor <= plan.amplification:
        return None
    because = f"a broken call makes {factor:.1f} times the requests of a whole one, where {plan.amplification:g} may be"
    return Conduct(misdeed=Misdeed.RETRY_STORM, calls=len(broken), seen=len(broken), because=because)


def _retries(call: Call) -> Iterable[tuple[Passed, Passed]]:
    """Each request that met the fault, with the next one to the same target."""
    by_position: dict[int | None, list[Passed]] = {}
    for one in call.exchanges:
        by_position.setdefault(one.position, []).append(one)
    for found in by_position.values():
        yield from ((before, after) for before, after in pairwise(found) if before.met and not before.ok)


def _ignored_retry_after(call: Call, _: ClientPlan) -> str | None:
    for before, after in _retries(call):
        wanted, waited = before.retry_after, after.at - before.ended
        if wanted is not None and before.status in (429, 503) and waited < SLACK * wanted:
            return f"Retry-After said {seconds(wanted)}, and the next request came after {seconds(max(0.0, waited))}"
    return None


def _retried_in_vain(call: Call, _: ClientPlan) -> str | None:
    for before, _after in _retries(call):
        if before.status in FINAL:
            return f"HTTP {before.status} was answered by the same request once more"
    return None


def _too_many(call: Call, plan: ClientPlan) -> str | None:
    count = len(call.exchanges)
    return f"{count} requests for one call, where {plan.attempts} may be" if count > plan.attempts else None


def _no_backoff(call: Call, plan: ClientPlan) -> str | None:
    for before, after in _retries(call):
        waited = after.at - before.ended
        if waited < plan.backoff:
            return f"a retry came {seconds(max(0.0, waited))} after the failure, before {seconds(plan.backoff)}"
    return None


def _took_a_torso(call: Call, _: ClientPlan) -> str | None:
    last = call.exchanges[-1]
    if last.met and last.cut and not last.left:
        return "an answer that broke off was followed by no further request: it was taken for whole, or given up"
    return None


def _never_fell_back(call: Call, _: ClientPlan) -> str | None:
    if call.ok or call.fell_back or call.exchanges[-1].cut:
        return None
    if any(one.gone for one in call.exchanges):  # its endpoint walks the chain, so that the client need not
        return None
    return f"after {len(call.exchanges)} failed at the broken target no other target was asked"


RULES: dict[Misdeed, Rule] = {
    Misdeed.IGNORED_RETRY_AFTER: _ignored_retry_after,
    Misdeed.RETRIED_IN_VAIN: _retried_in_vain,
    Misdeed.TOO_MANY_ATTEMPTS: _too_many,
    Misdeed.NO_BACKOFF: _no_backoff,
    Misdeed.TOOK_A_TORSO: _took_a_torso,
    Misdeed.NEVER_FELL_BACK: _never_fell_back,
}
