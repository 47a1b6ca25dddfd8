"""What is seen of drills while they run: live in a terminal, one line per event elsewhere, nothing for programs."""

from __future__ import annotations

import time
from typing import Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from chaos.model import Phase
from chaos.reports.results import Result
from chaos.wording import seconds

PHASES = tuple(phase.value for phase in Phase if phase is not Phase.JUDGE)
TONES = {"passed": "green", "deviated": "bold red"}
MARKS = {"passed": "✓", "deviated": "✗"}


class Progress(Protocol):
    def begin(self, number: int, of: int, name: str) -> None:
        """The drill ``number`` (from 1) of so many."""
        ...

    def say(self, line: str) -> None:
        """A line of the journal of the drill that runs."""
        ...

    def ended(self, result: Result) -> None: ...

    def note(self, text: str) -> None: ...

    def close(self) -> None: ...


class Quiet:
    """Programs want the result alone."""

    def begin(self, number: int, of: int, name: str) -> None: ...

    def say(self, line: str) -> None: ...

    def ended(self, result: Result) -> None: ...

    def note(self, text: str) -> None: ...

    def close(self) -> None: ...


class Lines:
    """One line per event; of several drills one line each, with the place in the series."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._place = ""

    def begin(self, number: int, of: int, name: str) -> None:
        self._place = f"[{number}/{of}] " if of > 1 else ""
        if self._place:
            self._print(f"{self._place}{name}")

    def say(self, line: str) -> None:
        if not self._place:
            self._print(line)

    def ended(self, result: Result) -> None:
        if self._place:
            why = "" if result.word == "passed" else f": {result.why}"
            self._print(f"{self._place}{result.word}{took(result)}{why}")

    def note(self, text: str) -> None:
        self._print(text)

    def close(self) -> None: ...

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)


class Screen:
    """A terminal: what has happened scrolls by above one line that says what happens now, with a bar for a series."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner = Spinner("dots")
        self._name, self._number, self._of = "", 0, 0
        self._started = time.monotonic()
        self._reached: list[str] = []
        self._live = Live(console=console, refresh_per_second=8, transient=True, get_renderable=self._now)

    def begin(self, number: int, of: int, name: str) -> None:
        self._name, self._number, self._of = name, number, of
        self._started, self._reached = time.monotonic(), []
        self._live.start()

    def say(self, line: str) -> None:
        phase = next((word for word in PHASES if f"s  {word} " in line[:24]), None)
        if phase is not None and phase not in self._reached:
            self._reached.append(phase)
        if self._of == 1:
            self._console.print(Text(line))

    def ended(self, result: Result) -> None:
        if self._of > 1:
            mark, tone = MARKS.get(result.word, "○"), TONES.get(result.word, "yellow")
            told = Text.assemble((f"{mark} {result.word:<13}", tone), self._name, took(result))
            if result.word != "passed":
                told.append(f"  {result.why}", "dim")
            self._console.print(told)

    def note(self, text: str) -> None:
        self._console.print(Text(text))

    def close(self) -> None:
        self._live.stop()

    def _now(self) -> RenderableType:
        row = Table.grid(padding=(0, 1))
        steps = Text(" ")
        for phase in PHASES:
            reached, current = phase in self._reached, self._reached[-1:] == [phase]
            tone = "bold cyan" if current else "green" if reached else "dim"
            steps.append(f"{'▸' if current else '✓' if reached else '·'} {phase}  ", tone)
        age = seconds(round(time.monotonic() - self._started))
        row.add_row(self._spinner, Text(self._name, "bold"), steps, Text(age, "dim"))
        if self._of <= 1:
            return row
        bar = ProgressBar(total=self._of, completed=self._number - 1, width=30)
        place = Table.grid(padding=(0, 1))
        place.add_row(bar, Text(f"{self._number} of {self._of}"))
        return Group(row, place)


def took(result: Result) -> str:
    failover = result.journal.verdict.failover if result.journal else None
    return "" if failover is None else f", failover {seconds(failover)}"
