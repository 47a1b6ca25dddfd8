"""Which requests a question to a whole chain made of its targets, and how they ended. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.metrics.labels import OTHER, Values
from monitor.model import Outcome


def attempted(outcome: Outcome, targets: Sequence[str]) -> Iterator[Values]:
    """The labels of ``fallbackd_attempts_total``, one for each attempt; ``targets`` are the chain's labels in order.

    A model that belongs to no target is ``other``. What whoever walks the chain does not report is not there.
    """
    for attempt in outcome.attempts:
        known = attempt.position is not None and attempt.position < len(targets)
        target = targets[attempt.position] if known and attempt.position is not None else OTHER
        yield outcome.chain, target, attempt.reason.value, outcome.origin.value
