"""A journal as people read it in a terminal, and as a shell sees it."""

from __future__ import annotations

from datetime import UTC, datetime

from chaos.model import Event, Journal, Strike
from chaos.shapes import words
from chaos.wording import seconds
from monitor.model import Verdict, VerdictKind

EXIT_CODES = {
    VerdictKind.PASSED: 0,
    VerdictKind.DEVIATED: 1,
    VerdictKind.INCONCLUSIVE: 3,
    VerdictKind.ABORTED: 3,
}


def exit_code(verdict: Verdict) -> int:
    """0 passed, 1 deviated, 3 inconclusive (a refused drill among them) or aborted."""
    return EXIT_CODES[verdict.kind]


def text(journal: Journal) -> str:
    """The whole run: what was planned, one line per event with the time since the start, the verdict and why."""
    lines = [*head(journal), "", *(event_line(event, journal.started) for event in journal.events), "", *_end(journal)]
    return "\n".join(lines) + "\n"


def ending(journal: Journal, said: int) -> str:
    """For who has followed the run: the events after the first ``said``, and the verdict."""
    lines = [event_line(event, journal.started) for event in journal.events[said:]]
    return "\n".join([*lines, "", *_end(journal)]) + "\n"


def event_line(event: Event, started: float) -> str:
    return f"{event.at - started:+9.2f}s  {event.phase:<8}  {event.text}"


def head(journal: Journal) -> list[str]:
    """The first line names the drill; each of the others is a word and what there is to say about it."""
    drill = journal.drill
    start = datetime.fromtimestamp(journal.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    breaks = "; ".join(_strike(strike, journal.labels) for strike in drill.strikes)
    return [
        f"Drill {drill.name} on chain {drill.chain}",
        f"  run       {journal.run}, asked for by {journal.asked_by}, seed {journal.seed}",
        f"  started   {start}, took {seconds(journal.ended - journal.started)}",
        f"  breaks    {breaks}, by the {drill.injector} injector",
        f"  expects   {_expected(journal)}",
    ]


def _strike(strike: Strike, labels: tuple[str, ...]) -> str:
    """``primary with delay (seconds=5), one request in 3``."""
    given = ", ".join(f"{name}={value:g}" for name, value in strike.options.items())
    positions = " and ".join(_label(position, labels) for position in strike.positions)
    when = words(strike)
    return f"{positions} with {strike.fault}{f' ({given})' if given else ''}{f', {when}' if when else ''}"


def _label(position: int, labels: tuple[str, ...]) -> str:
    """Journals from before labels were kept know positions only."""
    return labels[position] if position < len(labels) else f"target {position}"


def _expected(journal: Journal) -> str:
    expect = journal.drill.expect
    if expect.rejected:
        return "the endpoint to reject the whole request"
    path = f" by the path {expect.path}" if expect.path else ""
    return f"{expect.served_by} to answer within {seconds(expect.within)}{path}"


def _end(journal: Journal) -> list[str]:
    verdict = journal.verdict
    lines = [f"{verdict.kind.upper()}: {verdict.because}"]
    if verdict.edge is not None:
        start, end = (_label(position, journal.labels) for position in verdict.edge)
        lines.append(f"  edge      {start} -> {end}, path {verdict.path}")
    if verdict.failover is not None:
        lines.append(f"  failover  {seconds(verdict.failover)} until the slowest answer while broken")
    return lines
