"""When an answer of the whole chain tells something else about a target than what is known of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.model import Health, Outcome, Reason

_FINE = (Health.HEALTHY, Health.UNKNOWN)


def contradicted(outcome: Outcome, known: Mapping[int, Health]) -> tuple[int, ...]:
    """The positions that are worth asking on their own at once, in order.

    A target that is thought to be fine and failed on the way, or that is thought to be in trouble and gave the answer.
    Its own question may be minutes away, and until then a page would say that all is well. ``known``: by position.
    """
    if not outcome.is_chain or not outcome.origin.counts:
        return ()
    bad = [attempt.position for attempt in outcome.attempts if attempt.reason is not Reason.NONE]
    failed = {position for position in bad if position is not None and position != outcome.position}
    surprises = {position for position in failed if known.get(position) in _FINE}
    if outcome.position is not None and known.get(outcome.position, Health.UNKNOWN) not in _FINE:
        surprises.add(outcome.position)
    return tuple(sorted(surprises))
