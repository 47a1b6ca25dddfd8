"""Faults that stand in the gateway though no drill of ours is under way that put them there.

A gateway in a process of its own outlives a daemon that is killed in mid-drill, and may miss the word that ends a
fault. Its faults end by their own deadline; whatever is surely over is taken away before, and what stays is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import structlog

from chaos.injectors import Reach
from monitor.clock import Clock
from monitor.conditions import ActiveFault
from monitor.drilling import Drilling
from monitor.metrics import Metrics
from monitor.reading import mapping, number, text_of

log = structlog.get_logger("drill")

EVERY = 10.0
"""Seconds between two looks."""
BY = "gateway"


class Leftovers:
    """``faults``: what stood there at the last look that the gateway answered. Where a drill is known to have ended,
    its end is that of the fault."""

    def __init__(
        self, *, drilling: Drilling, reach: Callable[[], Reach | None], metrics: Metrics, clock: Clock
    ) -> None:
        self.faults: tuple[ActiveFault, ...] = ()
        self._drilling = drilling
        self._reach = reach
        self._metrics = metrics
        self._clock = clock
        self._ended: dict[str, float] = {}
        self._answers = True

    async def look(self) -> None:
        reach = self._reach()
        if reach is None:
            self._tell(())
            return
        rules = await self._rules(reach)
        if rules is None:
            return
        over = [rule for rule in rules if self._is_over(rule)]
        for rule in over:
            log.warning("a fault stands in the gateway though it is over; it is taken away", run=rule["run"])
            await reach.call("DELETE", f"/rules/{quote(rule['id'], safe='')}")
        if over and (left := await self._rules(reach)) is not None:
            rules = left
        runs = {rule["run"] for rule in rules}
        self._ended = {run: at for run, at in self._ended.items() if run in runs}
        self._tell(tuple(fault for rule in rules for fault in self._faults(rule)))

    async def _rules(self, reach: Reach) -> tuple[Mapping[str, Any], ...] | None:
        """Those of no drill that is under way; None where the gateway does not say."""
        found = await reach.rules()
        if (found is not None) != self._answers:
            self._answers = found is not None
            if found is None:
                log.warning("the gateway does not say which faults are in place", control=reach.control)
        running = set(self._drilling.begun)
        if found is None:
            return None
        return tuple(rule for one in found if (rule := _read(one)) and rule["run"] not in running)

    def _is_over(self, rule: Mapping[str, Any]) -> bool:
        now = self._clock.now()
        if self._drilling.has_ended(rule["run"]):
            self._ended.setdefault(rule["run"], now)
            return True
        return bool(now > rule["until"])

    def _faults(self, rule: Mapping[str, Any]) -> Iterator[ActiveFault]:
        until = min(rule["until"], self._ended.get(rule["run"], rule["until"]))
        for fault in rule["faults"]:
            yield ActiveFault(
                chain=rule["chain"], drill=rule["drill"], run=rule["run"], fault=fault, injector=BY, until=until
            )

    def _tell(self, found: tuple[ActiveFault, ...]) -> None:
        for fault in found:
            self._metrics.set_fault(fault.chain, fault.drill, fault.fault, BY, active=True)
        running = {(one.chain, one.drill, one.fault) for one in (*found, *self._drilling.faults)}
        for fault in self.faults:
            if (fault.chain, fault.drill, fault.fault) not in running:
                self._metrics.set_fault(fault.chain, fault.drill, fault.fault, BY, active=False)
        self.faults = found


def _read(rule: object) -> dict[str, Any] | None:
    """What matters of a rule as the gateway's control shows it; None for what is none."""
    body = mapping(rule)
    until, strikes = number(body.get("until")), body.get("strikes")
    texts = {name: text_of(body.get(name)) for name in ("id", "chain", "drill", "run")}
    if until is None or not isinstance(strikes, list) or not all(texts.values()):
        return None
    faults = dict.fromkeys(text_of(mapping(one).get("fault")) for one in strikes)
    return {**texts, "until": until, "faults": tuple(faults)}
