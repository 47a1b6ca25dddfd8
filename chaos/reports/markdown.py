"""A run as Markdown, for a ticket or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from chaos.model import Journal
from chaos.report import event_line
from chaos.reports.facts import asked, summary
from chaos.reports.letters import carried
from chaos.reports.tables import Table, tables

MARKS = {"passed": "✅", "deviated": "❌", "inconclusive": "⚪", "aborted": "⚪"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def markdown(journal: Journal) -> str:
    drill, verdict = journal.drill, journal.verdict
    lines = [
        f"# {MARKS[verdict.kind]} Drill {plain(drill.name)} on {plain(drill.chain)}: {verdict.kind.value}",
        "",
        f"{plain(verdict.because)}",
        "",
        *(f"- **{name}**: {plain(text)}" for name, text in summary(journal)),
        "",
        "| phase | request | after | what happened | attempts |",
        "|---|---|---|---|---|",
        *(
            f"| {row.phase.value} | {row.number} | {row.after} | {plain(row.said)} | {plain(row.attempts)} |"
            for row in asked(journal)
        ),
        "",
        *(line for table in tables(journal) for line in _table(table)),
        "<details><summary>Journal</summary>",
        "",
        *fenced(event_line(event, journal.started) for event in journal.events),
        "",
        "</details>",
    ]
    return carried("\n".join(lines) + "\n")


def _table(table: Table) -> Iterator[str]:
    yield from (f"## {plain(table.title)}", "", plain(table.says), "")
    yield f"| {' | '.join(table.heads)} |"
    yield "|" + "---|" * len(table.heads)
    for row in table.rows:
        yield f"| {' | '.join(map(plain, row))} |"
    yield ""


def plain(text: str) -> str:
    """A text that is shown as it is: what an upstream says must not become markup, nor end a table's row."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def fenced(lines: Iterable[str]) -> list[str]:
    """A block of code, with a fence that no line of it can end."""
    texts = [line.replace("\n", " ") for line in lines]
    longest = max((len(run) for text in texts for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *texts, fence]
