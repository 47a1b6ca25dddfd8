"""What fallbackd itself does right now, gathered for the rules about it."""

from __future__ import annotations

from monitor.clock import Clock
from monitor.conditions import Itself
from monitor.connectivity import Connectivity
from monitor.drilling import Drilling
from monitor.leftovers import Leftovers
from monitor.notify import Outbox
from monitor.store import Store
from monitor.wellbeing import Diary, Wellbeing


class SelfView:
    """Asked at every look at the rules."""

    def __init__(
        self,
        *,
        drilling: Drilling,
        leftovers: Leftovers,
        outbox: Outbox,
        store: Store,
        connectivity: Connectivity,
        diary: Diary,
        clock: Clock,
    ) -> None:
        self._drilling = drilling
        self._leftovers = leftovers
        self._outbox = outbox
        self._store = store
        self._connectivity = connectivity
        self._diary = diary
        self._clock = clock

    def __call__(self) -> Itself:
        now = self._clock.now()
        waiting = {name: self._store.waiting(name) for name, count in self._outbox.waiting().items() if count}
        return Itself(
            drills=self._drilling.under_way,
            faults=(*self._drilling.faults, *self._leftovers.faults),
            wellbeing=Wellbeing(
                late=self._diary.late(now),
                lost=self._diary.lost(now),
                outbox={name: min(notice.at for notice in found) for name, found in waiting.items() if found},
                unwritten=self._store.lag(),
                reload_failed=self._diary.reload_failed,
                network_down=self._connectivity.down_since,
            ),
        )
