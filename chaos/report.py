"""A journal as people read it, as programs store it, and as a shell sees it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pydantic import TypeAdapter

from chaos.model import Event, Journal, Strike
from chaos.shapes import words
from chaos.wording import seconds
from monitor.model import Verdict, VerdictKind
from monitor.reading import mapping, parse

_JOURNAL = TypeAdapter(Journal)

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
    lines = [*_head(journal), "", *(event_line(event, journal.started) for event in journal.events), "", *_end(journal)]
    return "\n".join(lines) + "\n"


def ending(journal: Journal, said: int) -> str:
    """For who has followed the run: the events after the first ``said``, and the verdict."""
    lines = [event_line(event, journal.started) for event in journal.events[said:]]
    return "\n".join([*lines, "", *_end(journal)]) + "\n"


def event_line(event: Event, started: float) -> str:
    return f"{event.at - started:+9.2f}s  {event.phase:<8}  {event.text}"


def journal_json(journal: Journal) -> bytes:
    return _JOURNAL.dump_json(journal)


def journal_from_json(data: bytes) -> Journal:
    """Raises ``pydantic.ValidationError`` (a ValueError) for what is no journal."""
    return _JOURNAL.validate_json(_as_of_today(data))


def _as_of_today(data: bytes) -> bytes:
    """Journals that were kept before drills could have several faults name the only one in the drill itself."""
    found = parse(data)
    drill = dict(mapping(mapping(found).get("drill")))
    if "fault" not in drill or "strikes" in drill:
        return data
    fault, options, positions = (drill.pop(name, None) for name in ("fault", "options", "breaks"))
    drill["strikes"] = [{"fault": fault, "options": options, "positions": positions}]
    return json.dumps({**found, "drill": drill}).encode()


def _head(journal: Journal) -> list[str]:
    drill = journal.drill
    start = datetime.fromtimestamp(journal.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    breaks = "; ".join(map(_strike, drill.strikes))
    return [
        f"Drill {drill.name} on chain {drill.chain}",
        f"  run       {journal.run}, asked for by {journal.asked_by}, seed {journal.seed}",
        f"  started   {start}, took {seconds(journal.ended - journal.started)}",
        f"  breaks    {breaks}, by the {drill.injector} injector",
        f"  expects   {_expected(journal)}",
    ]


def _strike(strike: Strike) -> str:
    """``target 0 with delay (seconds=5), one request in 3``."""
    given = ", ".join(f"{name}={value:g}" for name, value in strike.options.items())
    positions = " and ".join(f"target {position}" for position in strike.positions)
    when = words(strike)
    return f"{positions} with {strike.fault}{f' ({given})' if given else ''}{f', {when}' if when else ''}"


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
        lines.append(f"  edge      {verdict.edge[0]} -> {verdict.edge[1]}, path {verdict.path}")
    if verdict.failover is not None:
        lines.append(f"  failover  {seconds(verdict.failover)} until the slowest answer while broken")
    return lines
