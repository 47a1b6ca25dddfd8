"""A series of drills, one after the other, that Ctrl-C ends cleanly."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from chaos.reports.results import Result
from monitor.commands.drill_places import Json, Place, RefusedError, Say, Wanted
from monitor.commands.drill_progress import Progress

CTRL_C = "Ctrl-C"


class Session:
    """Runs what is wanted. The first Ctrl-C ends the drill that runs (its fault is taken away) and all that would
    follow; the second one leaves at once."""

    def __init__(self, place: Place, progress: Progress) -> None:
        self._place = place
        self._progress = progress
        self._ending = asyncio.Event()
        self._errands: set[asyncio.Task[None]] = set()

    async def run(self, wanted: Sequence[Wanted]) -> list[Result]:
        async with self.listening():
            return [await self.one(one, number, len(wanted)) for number, one in enumerate(wanted, 1)]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Ctrl-C is ours meanwhile."""
        loop, main = asyncio.get_running_loop(), asyncio.current_task()
        assert main is not None  # noqa: S101 - a coroutine runs in a task; for the type checker
        loop.add_signal_handler(signal.SIGINT, self._interrupted, main.cancel)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            self._progress.close()

    @property
    def ended(self) -> bool:
        """Somebody pressed Ctrl-C."""
        return self._ending.is_set()

    async def pause(self, length: float) -> None:
        """So many seconds, or until Ctrl-C."""
        with suppress(TimeoutError):
            async with asyncio.timeout(length):
                await self._ending.wait()

    async def one(self, wanted: Wanted, number: int = 1, of: int = 1, say: Say | None = None) -> Result:
        """``say`` hears the lines of its journal too."""
        blank = Result(name=wanted.name, chain=wanted.chain, edge=wanted.edge, fault=wanted.fault)
        if self.ended:
            return replace(blank, because=f"the series was ended before it by {CTRL_C}", cut_off=True)
        self._progress.begin(number, of, _title(wanted))
        try:
            result = replace(blank, journal=await self._place.run(wanted, self._telling(say)))
        except RefusedError as error:
            result = replace(blank, because=str(error))
        self._progress.ended(result)
        return result

    def _telling(self, say: Say | None) -> Say:
        def tell(line: str) -> None:
            self._progress.say(line)
            if say is not None:
                say(line)

        return tell

    def _interrupted(self, leave: Callable[[], object]) -> None:
        if self.ended:
            leave()
            return
        self._ending.set()
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
