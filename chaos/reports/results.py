"""What came of several drills: for a shell, for CI (JUnit XML), for a pull request (Markdown). Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from chaos.model import Journal
from chaos.report import EXIT_CODES, text
from chaos.reports.letters import carried
from chaos.reports.markdown import MARKS, plain
from chaos.wording import seconds
from monitor.clock import utc
from monitor.model import VerdictKind

PASSED, DEVIATED, NO_JUDGEMENT = 0, 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One drill of a series. ``journal`` None: it was refused ``because`` of this, or not begun any more (``cut_off``),
    or ``left_out`` on purpose, so that it counts neither way. ``kind`` is for what is no drill, such as a probe."""

    name: str
    chain: str
    edge: tuple[str, str] | None = None
    fault: str = ""
    journal: Journal | None = None
    because: str = ""
    left_out: bool = False
    cut_off: bool = False
    kind: VerdictKind | None = None

    @property
    def verdict(self) -> VerdictKind | None:
        return self.journal.verdict.kind if self.journal is not None else self.kind

    @property
    def word(self) -> str:
        """passed, deviated, inconclusive, aborted; left out, refused, or not run."""
        if self.verdict is not None:
            return self.verdict.value
        return "left out" if self.left_out else "not run" if self.cut_off else "refused"

    @property
    def why(self) -> str:
        return self.journal.verdict.because if self.journal is not None else self.because


def worst(results: Sequence[Result]) -> int:
    """The exit code of a series: 1 where any deviated, else 3 where any came to no judgement or nothing ran, else 0."""
    codes = [EXIT_CODES[one.verdict] if one.verdict else NO_JUDGEMENT for one in results if not one.left_out]
    if DEVIATED in codes:
        return DEVIATED
    return NO_JUDGEMENT if NO_JUDGEMENT in codes or not codes else PASSED


def tally(results: Sequence[Result]) -> str:
    """``3 passed, 1 deviated``."""
    words = [one.word for one in results]
    order = ("passed", "deviated", "inconclusive", "aborted", "refused", "not run", "left out")
    return ", ".join(f"{words.count(word)} {word}" for word in order if word in words) or "nothing was run"


def junit(results: Sequence[Result], *, now: float) -> str:
    """The XML that CI systems read: deviated is a failure, no judgement an error, left out is skipped."""
    suite = ET.Element("testsuite", name="fallbackd drills", timestamp=utc(now).removesuffix("Z"))
    for one in results:
        suite.append(_case(one))
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.set("tests", str(len(results)))
    for attribute, element in counts.items():
        suite.set(attribute, str(len(suite.findall(f"testcase/{element}"))))
    suite.set("time", f"{sum(_took(one) for one in results):.3f}")
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(one: Result) -> ET.Element:
    case = ET.Element("testcase", classname=carried(one.chain), name=carried(_named(one)), time=f"{_took(one):.3f}")
    kind = one.verdict
    if kind is VerdictKind.PASSED:
        ET.SubElement(case, "system-out").text = carried(text(one.journal) if one.journal else one.because)
        return case
    tag = "failure" if kind is VerdictKind.DEVIATED else "skipped" if one.left_out else "error"
    found = ET.SubElement(case, tag, message=carried(one.why))
    if not one.left_out:
        found.set("type", one.word)
        found.text = carried(text(one.journal) if one.journal else one.because)
    return case


def summary_markdown(results: Sequence[Result]) -> str:
    """A table of the series, and the story of each run that did not pass."""
    ran = [one for one in results if not one.left_out]
    lines = [
        f"## Fallback drills: {tally(ran)}",
        "",
        "| drill | chain | verdict | failover | why |",
        "|---|---|---|---|---|",
        *(_row(one) for one in ran),
        "",
    ]
    left_out = [one for one in results if one.left_out]
    if left_out:
        lines += [f"<details><summary>{len(left_out)} left out</summary>", ""]
        lines += [f"- {plain(_named(one))}: {plain(one.because)}" for one in left_out]
        lines += ["", "</details>", ""]
    return carried("\n".join(lines))


def _row(one: Result) -> str:
    failover = one.journal.verdict.failover if one.journal else None
    mark = MARKS.get(one.word, "⚪")
    cells = (_named(one), one.chain, f"{mark} {one.word}", seconds(failover) if failover is not None else "", one.why)
    return f"| {' | '.join(map(plain, cells))} |"


def _named(one: Result) -> str:
    return f"{one.edge[0]} -> {one.edge[1]}: {one.fault}" if one.edge else one.name


def _took(one: Result) -> float:
    return one.journal.ended - one.journal.started if one.journal else 0.0
