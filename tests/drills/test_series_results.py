"""What came of a series of drills, for shells and for CI."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.model import Journal
from chaos.reports.results import Result, junit, summary_markdown, tally, worst
from monitor.model import VerdictKind

from .drill_samples import drill
from .drill_stage import Stage

pytestmark = pytest.mark.anyio
REFUSED = Result(name="refused", chain="chat", because="the chain is down")
LEFT_OUT = Result(name="left", chain="chat", because="no <failover> to see", left_out=True)
NOT_RUN = Result(name="later", chain="chat", because="ended before it", cut_off=True)


async def ran(kind: VerdictKind, because: str = "as it was") -> Result:
    journal: Journal = await Stage().runner.run(drill(), asked_by="x")
    judged = replace(journal, verdict=replace(journal.verdict, kind=kind, because=because), ended=journal.started + 2.0)
    return Result(name=kind.value, chain="chat", journal=judged)


async def test_the_exit_code_is_that_of_the_worst() -> None:
    passed, deviated = await ran(VerdictKind.PASSED), await ran(VerdictKind.DEVIATED)
    unclear, aborted = await ran(VerdictKind.INCONCLUSIVE), await ran(VerdictKind.ABORTED)
    cases = [
        ([passed], 0), ([passed, LEFT_OUT], 0), ([passed, unclear], 3), ([passed, aborted], 3), ([passed, REFUSED], 3),
        ([passed, NOT_RUN], 3), ([passed, deviated, unclear, REFUSED], 1), ([], 3), ([LEFT_OUT], 3),
    ]  # fmt: skip
    assert [worst(results) for results, _ in cases] == [code for _, code in cases]
    assert tally([passed, passed, deviated, REFUSED, NOT_RUN, LEFT_OUT]) == (
        "2 passed, 1 deviated, 1 refused, 1 not run, 1 left out"
    )
    assert tally([]) == "nothing was run"


async def test_junit_tells_failures_from_errors_and_from_what_was_left_out() -> None:
    results = [await ran(kind, "because <&> \x00 of this") for kind in VerdictKind] + [REFUSED, LEFT_OUT]
    suite = ET.fromstring(junit(results, now=0.0)).find("testsuite")
    assert suite is not None
    assert suite.get("timestamp") == "1970-01-01T00:00:00"
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time")}
    assert counts == {
        "tests": "6", "failures": "1", "errors": "3", "skipped": "1", "time": "8.000",
    }  # fmt: skip
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    failure = cases["deviated"].find("failure")
    assert failure is not None
    assert failure.get("message") == "because <&> \ufffd of this"
    assert "Drill primary-gone on chain chat" in (failure.text or "")
    assert [child.tag for child in cases["passed"]] == ["system-out"]
    assert {name: case[0].get("type") for name, case in cases.items() if case[0].tag == "error"} == {
        "inconclusive": "inconclusive", "aborted": "aborted", "refused": "refused",
    }  # fmt: skip


async def test_the_summary_is_one_table_whatever_is_in_it() -> None:
    told = summary_markdown([await ran(VerdictKind.PASSED), await ran(VerdictKind.DEVIATED, "a | b\n# c"), LEFT_OUT])
    assert told.splitlines()[0] == "## Fallback drills: 1 passed, 1 deviated"
    assert r"a \| b \# c" in told
    assert "<summary>1 left out</summary>" in told
    assert r"no \<failover\> to see" in told


@given(st.text(), st.text(), st.text())
async def test_junit_is_xml_whatever_names_and_reasons_hold(name: str, chain: str, because: str) -> None:
    ET.fromstring(junit([Result(name=name, chain=chain, because=because, fault=name, edge=(chain, name))], now=0.0))
