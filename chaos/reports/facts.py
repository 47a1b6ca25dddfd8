"""What every report says about a run, worded once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chaos.model import Journal, Phase
from chaos.report import head
from chaos.wording import attempted, described, requests, seconds
from monitor.model import Outcome

COLOURS = {"passed": "good", "deviated": "bad", "inconclusive": "late", "aborted": "late"}
LONGEST = 300
"""Letters of a table's cell. The journal has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request of the run as a row of a table."""

    phase: Phase
    number: int
    after: str
    said: str
    attempts: str


def summary(journal: Journal) -> tuple[tuple[str, str], ...]:
    """(name, text) pairs: what was done and what came of it."""
    verdict = journal.verdict
    facts = [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in head(journal)[1:]]
    if verdict.tested is not None:
        facts.append(("to prove", f"{verdict.tested[0]} -> {verdict.tested[1]}"))
    if verdict.path is not None:
        facts.append(("path", str(verdict.path)))
    if verdict.failover is not None:
        facts.append(("failover", f"{seconds(verdict.failover)} until the slowest answer while broken"))
    if journal.compared is not None:
        facts.append(("live calls", journal.compared.because))
    facts += [
        ("client", f"{one.misdeed.value} in {one.calls} of {one.seen} calls: {_short(one.because)}")
        for one in journal.conduct
    ]
    return (*facts, ("hit", f"{requests(journal.injected)} met the fault"))


def asked(journal: Journal) -> Iterator[Asked]:
    phases = ((Phase.BASELINE, journal.baseline), (Phase.INJECT, journal.broken), (Phase.RECOVER, journal.recovered))
    for phase, outcomes in phases:
        for number, outcome in enumerate(outcomes, 1):
            yield _row(phase, number, outcome, journal.started)
    for number, one in enumerate(journal.application, 1):
        said = _short(one.wrong) if one.wrong else f"answered as expected (HTTP {one.status})"
        yield Asked(
            phase=one.phase, number=number, after=_after(one.at, journal.started), said=f"the application {said}",
            attempts="",
        )  # fmt: skip


def _row(phase: Phase, number: int, outcome: Outcome, started: float) -> Asked:
    return Asked(
        phase=phase,
        number=number,
        after=_after(outcome.at, started),
        said=_short(described(outcome)),
        attempts=_short(attempted(outcome.attempts)),
    )


def _after(at: float, started: float) -> str:
    return f"{at - started:+.2f}s"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
