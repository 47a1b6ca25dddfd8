"""What every report says about a run, worded once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chaos.model import Journal, Phase
from chaos.report import head
from chaos.reports.tables import after, short
from chaos.wording import attempted, described, requests, seconds
from monitor.model import Outcome

COLOURS = {"passed": "good", "deviated": "bad", "inconclusive": "late", "aborted": "late"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request of the drill's own as a row of a table."""

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
        ("client", f"{one.misdeed.value} in {one.calls} of {one.seen} calls: {short(one.because)}")
        for one in journal.conduct
    ]
    return (*facts, ("hit", f"{requests(journal.injected)} met the fault"))


def asked(journal: Journal) -> Iterator[Asked]:
    phases = ((Phase.BASELINE, journal.baseline), (Phase.INJECT, journal.broken), (Phase.RECOVER, journal.recovered))
    for phase, outcomes in phases:
        for number, outcome in enumerate(outcomes, 1):
            yield _row(phase, number, outcome, journal.started)


def _row(phase: Phase, number: int, outcome: Outcome, started: float) -> Asked:
    return Asked(
        phase=phase,
        number=number,
        after=after(outcome.at, started),
        said=short(described(outcome)),
        attempts=short(attempted(outcome.attempts)),
    )
