"""The reports of a run: what an upstream says stays text, and the picture shows who was waited for."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given

from chaos.conduct import Conduct
from chaos.model import Asked, Journal, Phase
from chaos.reports import html, markdown, style_source
from chaos.timeline import LEFT, WIDTH, timeline
from monitor.model import Attempt, Misdeed, Reason

from .drill_samples import MINI, SONNET, by_secondary, chain, drill, failed, outcome
from .drill_stage import Stage
from .test_journals import journals

EVIL = "<script>alert(1)</script> | `x` ``` </pre> \"'> & # [link](http://evil) \n# heading"


async def evil() -> Journal:
    return await Stage([outcome(), failed(detail=EVIL)]).runner.run(drill(requests=1), asked_by=EVIL)


class Elements(HTMLParser):
    """Every element with its attributes; ``open`` is empty for a page whose elements are all closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_stands_alone(page: str) -> None:
    elements = Elements(page).found
    assert not {"script", "link", "img", "iframe", "object", "a", "form"} & {tag for tag, _ in elements}
    for _, attributes in elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "href")]
    assert "http" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).replace("http://evil", "")
    ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])


@pytest.mark.anyio
async def test_a_page_holds_no_script_no_other_host_and_no_foreign_markup() -> None:
    page = html(await evil())
    assert_stands_alone(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert style_source().startswith("'sha256-")


@given(journals())
def test_a_page_of_any_journal_stands_alone(journal: Journal) -> None:
    page = html(journal)
    ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    assert [tag for tag, _ in Elements(page).found].count("svg") == 1
    assert "script" not in {tag for tag, _ in Elements(page).found}


@pytest.mark.anyio
async def test_markdown_shows_what_was_said_as_it_was_said() -> None:
    report = markdown(await evil())
    table = [line for line in report.splitlines() if line.startswith("| inject")]
    assert len(table) == 1
    assert len(re.findall(r"(?<!\\)\|", table[0])) == 6
    assert r"\<script\>alert(1)\</script\>" in table[0]
    assert "\n````text\n" in report
    assert not re.search(r"^# heading", report, flags=re.MULTILINE)


@pytest.mark.anyio
async def test_a_report_says_what_was_broken_what_came_of_it_and_how_long_it_took() -> None:
    journal = await Stage().runner.run(drill(requests=1), asked_by="a person at work")
    for report in (html(journal), markdown(journal)):
        for told in ("primary-gone", "passed", "a person at work", "600ms until the slowest answer", "filtered"):
            assert told in report


@pytest.mark.anyio
async def test_the_picture_shows_who_was_waited_for_and_who_then_answered() -> None:
    waited = by_secondary(
        at=1000.0,
        duration=8.0,
        attempts=(
            Attempt(model=SONNET, position=0, reason=Reason.TIMEOUT, duration=6.0),
            Attempt(model=MINI, position=1, status_code=200, duration=2.0),
        ),
    )
    stage = Stage([outcome(), waited, outcome()], chains=lambda name: chain("server", name=name))
    journal = replace(await stage.runner.run(drill(requests=1), asked_by="x"), started=1000.0, ended=1010.0)
    picture = timeline(replace(journal, baseline=(), recovered=()))
    assert [lane.label for lane in picture.lanes] == ["primary", "secondary", "last-resort"]
    assert [lane.broken for lane in picture.lanes] == [True, False, False]
    vain, good = picture.bars
    assert (vain.tone, vain.x, vain.width, vain.y) == ("vain", LEFT, WIDTH * 0.6, picture.lanes[0].y)
    assert (good.tone, good.x, good.width, good.y) == (
        "good", LEFT + WIDTH * 0.6, WIDTH * 0.2, picture.lanes[1].y,
    )  # fmt: skip
    assert vain.title == "primary was called in vain (timeout) for 6s"
    assert [tick.text for tick in picture.ticks] == ["0s", "2s", "4s", "6s", "8s", "10s"]


@pytest.mark.anyio
async def test_what_the_application_answered_and_what_its_client_did_is_told_too() -> None:
    told = (
        Asked(at=1000.0, ended=1001.0, phase=Phase.BASELINE, status=200, wrong=None),
        Asked(at=1002.0, ended=1009.0, phase=Phase.INJECT, status=502, wrong="answered HTTP 502, not 200: <oops>"),
    )
    conduct = (Conduct(misdeed=next(iter(Misdeed)), calls=2, seen=3, because="<it> tried again at once"),)
    ran = await Stage().runner.run(drill(requests=1), asked_by="x")
    journal = replace(ran, application=told, conduct=conduct)
    picture = timeline(journal)
    assert picture.lanes[-1].label == "the application"
    own = [bar for bar in picture.bars if bar.y == picture.lanes[-1].y]
    assert [(bar.tone, bar.title) for bar in own] == [
        ("good", "the application answered as expected (HTTP 200)"),
        ("bad", "the application answered HTTP 502, not 200: <oops>"),
    ]
    assert max(bar.x + bar.width for bar in own) == LEFT + WIDTH
    page, ticket = html(journal), markdown(journal)
    assert "<td>answered HTTP 502, not 200: &lt;oops&gt;</td>" in page
    assert "in 2 of 3 calls: &lt;it&gt; tried again at once" in page
    assert r"| inject | 2 | +2.00s | 7s | HTTP 502 | answered HTTP 502, not 200: \<oops\> | did not meet it |" in ticket
    assert_stands_alone(page)


@pytest.mark.anyio
async def test_a_failed_call_of_unknown_length_is_a_cross_and_a_request_without_an_answer_is_on_a_lane_of_its_own() -> (
    None
):
    tried = by_secondary(attempts=(Attempt(model=SONNET, position=0, status_code=503, reason=Reason.OVERLOADED),))
    journal = await Stage([outcome(), tried, failed()]).runner.run(drill(), asked_by="x")
    picture = timeline(journal)
    assert picture.lanes[-1].label == "no answer"
    assert [(cross.y, cross.title) for cross in picture.crosses] == [
        (picture.lanes[0].y, "primary was called in vain (503 overloaded)")
    ]
    assert [bar.y for bar in picture.bars if bar.tone == "bad"] == [picture.lanes[-1].y]
