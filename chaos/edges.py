"""Which edge of its chain a drill is to prove. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chaos.model import Drill
from monitor.config.model import Config
from monitor.coverage import Edge, Pair


def edge_of(drill: Drill, labels: Sequence[str]) -> Edge | None:
    """From the last broken target before the one that must answer to that one; None where no fallback is to answer.

    With the targets 0 and 1 broken together it is the step from 1 to 2 that is put to the test. ``labels``: of the
    chain's targets, in order.
    """
    if drill.expect.served_by not in labels:
        return None
    end = labels.index(drill.expect.served_by)
    start = max((position for position in drill.breaks if position < end), default=None)
    return None if start is None else (labels[start], labels[end])


def aims(drills: Iterable[Drill], config: Config) -> tuple[Pair, ...]:
    """What the configured drills are to prove, in their order."""
    found = []
    for drill in drills:
        labels = [target.label for target in config.chain(drill.chain).targets]
        if (edge := edge_of(drill, labels)) is not None:
            found.append(Pair(chain=drill.chain, edge=edge, fault=drill.fault))
    return tuple(found)
