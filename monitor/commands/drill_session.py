"""A series of drills, one after the other, that Ctrl-C ends cleanly."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace

from chaos.reports.results import Result
from monitor.commands.drill_places import Json, Place, RefusedError, Wanted
from monitor.commands.drill_progress import Progress

CTRL_C = "Ctrl-C"


class Session:
    """Runs what is wanted. The first Ctrl-C ends the drill that runs (its fault is taken away) and all that would
    follow; the second one leaves at once."""

    def __init__(self, place: Place, progress: Progress) -> None:
        self._place = place
        self._progress = progress
        self._ended = False
        self._errands: set[asyncio.Task[None]] = set()

    async def run(self, wanted: Sequence[Wanted]) -> list[Result]:
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        assert main is not None  # noqa: S101 - a coroutine runs in a task; for the type checker
        loop.add_signal_handler(signal.SIGINT, self._interrupted, main.cancel)
        try:
            return [await self._one(number, len(wanted), one) for number, one in enumerate(wanted, 1)]
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            self._progress.close()

    async def _one(self, number: int, of: int, wanted: Wanted) -> Result:
        blank = Result(name=wanted.name, chain=wanted.chain, edge=wanted.edge, fault=wanted.fault)
        if self._ended:
            return replace(blank, because=f"the series was ended before it by {CTRL_C}", cut_off=True)
        self._progress.begin(number, of, _title(wanted))
        try:
            result = replace(blank, journal=await self._place.run(wanted, self._progress.say))
        except RefusedError as error:
            result = replace(blank, because=str(error))
        self._progress.ended(result)
        return result

    def _interrupted(self, leave: Callable[[], object]) -> None:
        if self._ended:
            leave()
            return
        self._ended = True
        self._progress.note("Ctrl-C: the drill is ended and its fault taken away; once more leaves without waiting.")
        errand = asyncio.ensure_future(self._place.end(CTRL_C))
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)


def of_matrix(found: Json) -> tuple[list[Wanted], list[Result]]:
    """The drills of a matrix, and the others as results that count neither way."""
    wanted = [
        Wanted(
            name=one["name"],
            chain=found["chain"],
            entry=one["entry"],
            edge=(one["from"], one["to"]),
            fault=one["fault"],
        )
        for one in found["drills"]
    ]
    left_out = [
        Result(
            name=f"{one['fault']} left out",
            chain=found["chain"],
            edge=(one["from"], one["to"]),
            fault=one["fault"],
            because=one["because"],
            left_out=True,
        )
        for one in found["left_out"]
    ]
    return wanted, left_out


def of_file(found: Json) -> list[Wanted]:
    return [Wanted(name=one["name"], chain=one["chain"], entry=one) for one in found["drills"]]


def _title(wanted: Wanted) -> str:
    return f"{wanted.edge[0]} -> {wanted.edge[1]}  {wanted.fault}" if wanted.edge else wanted.name
