"""The pages: what they show, that they ask nothing of other hosts, and that nobody's text becomes markup."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

import monitor.web
from monitor.conditions import RULES
from monitor.model import Health, VerdictKind
from monitor.web import wording
from monitor.web.views import Refused, RunState, RunView

from .web_stage import FakeControl, client, site
from .web_values import NOW, alerts, chat, drills, in_client, outcomes, run_view

pytestmark = pytest.mark.anyio

PAGES = [
    "/",
    "/chains/chat",
    "/runs/run-1",
    "/rules",
    "/api/docs",
    "/signin",
    "/drills/primary-gone/run",
    "/chains/chat/silence",
]
MARKUP = "<script>alert(1)</script>\"'"


class Elements(HTMLParser):
    """Every element with its attributes, and whether each one that was opened was closed."""

    VOID = frozenset({"meta", "link", "br", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def get(place: str, control: FakeControl | None = None) -> httpx.Response:
    async with client(site(control)) as http:
        return await http.get(place)


@pytest.mark.parametrize("place", PAGES)
async def test_a_page_is_whole_and_asks_nothing_of_another_host(place: str) -> None:
    answer = await get(place)
    assert answer.status_code == 200
    page = Elements(answer.text)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.found:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "action", "content"):
            assert "//" not in (attributes.get(name) or ""), (tag, attributes)
    scripts = [attributes for tag, attributes in page.found if tag == "script"]
    wanted = ["/static/page.js"]
    if place == "/chains/chat":
        wanted = ["/static/vendor/uplot/uPlot.iife.min.js", "/static/charts.js", *wanted]
    assert [attributes["src"] for attributes in scripts] == wanted


@pytest.mark.parametrize("place", [*PAGES, "/metrics", "/api/v1/chains", "/nowhere", "/static/style.css", "/-/healthy"])
async def test_every_answer_is_kept_to_itself(place: str) -> None:
    headers = (await get(place)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


STATIC = Path(monitor.web.__file__).parent / "static"
OURS = sorted(file.name for file in STATIC.iterdir() if file.is_file())


@pytest.mark.parametrize("name", OURS)
async def test_static_files_name_no_other_host(name: str) -> None:
    answer = await get(f"/static/{name}")
    assert answer.status_code == 200
    assert "//" not in re.sub(r"(^|\s)// .*$|http://www\.w3\.org/2000/svg", "", answer.text, flags=re.MULTILINE)


async def test_the_status_page_tells_the_state_of_everything() -> None:
    page = plain((await get("/")).text)
    for text in (
        "chat-in-client is down",
        "every target failed: fast 503, steady 503, open-weights timed out after 15 s",
        "3 chains · 9 targets · 21 probes · 3,911 results since the start",
        "No target answers: 3 of the last 3 questions failed.",
        "together failed over for 5 min",
        "nobody no target answered",
        "36 % 15m 9.0 % 1h 0.4 % 1d",
        "primary-gone passed",
        "chat-in-client healthy → down",
        "Slack is off",
    ):
        assert text in page


async def test_the_page_of_a_chain_tells_all_of_it() -> None:
    control = FakeControl(alert_views=[alerts()[1].model_copy(update={"chain": "chat"}), alerts()[0]])
    page = plain((await get("/chains/chat", control)).text)
    for text in (
        "$1.21 of $1.50 left today",
        "anthropic healthy 790 ms",
        "chat-by-provider falls back too often",
        "primary 99 % secondary 1.0 % last-resort 0 % nobody 0.3 %",
        "degraded for 15 min: primary down: timeout",
        "drill primary-gone passed",
    ):
        assert text in page
    assert "No target answers" not in page
    assert "primary-stalls" not in page


async def test_providers_stand_below_their_target_in_order() -> None:
    page = plain((await get("/chains/chat")).text)
    places = [
        page.index(f" {name} ", page.index("Targets, in order"))
        for name in ("primary", "anthropic", "amazon-bedrock", "google-vertex", "secondary")
    ]
    assert places == sorted(places)


async def test_the_run_button_says_what_will_be_broken() -> None:
    text = (
        "Breaks primary of chat with ignore, for fallbackd&#39;s own questions only: for 2 min at most, with up to 9 "
        "paid requests ($0.0021 at most). The fault is taken away afterwards, whatever happens. Expected: secondary "
        "answers within 10s."
    )
    page = (await get("/drills/primary-gone/run")).text
    assert text in page
    assert 'method="post" action="/drills/primary-gone/run"' in page
    unknown = drills()[0].model_copy(update={"cost": None})
    page = (await get("/drills/primary-gone/run", FakeControl(drill_views=[unknown]))).text
    assert "9 paid requests (their price is not known)" in page


async def test_a_refused_run_is_told_where_it_was_asked_for() -> None:
    control = FakeControl(refusal=Refused(because="secondary is down", run="run-7"))
    async with client(site(control)) as http:
        answer = await http.post("/drills/primary-gone/run")
    assert answer.status_code == 409
    assert "Not started: secondary is down" in answer.text
    assert 'href="/runs/run-7"' in answer.text


async def test_stopped_drills_can_only_be_released() -> None:
    page = (await get("/", FakeControl(stopped="stopped by ada"))).text
    assert "All drills are stopped: stopped by ada" in page
    assert 'action="/release"' in page
    assert 'data-ask href="/drills' not in page


async def test_a_form_leads_back_to_the_page() -> None:
    control = FakeControl()
    async with client(site(control)) as http:
        places = [(await http.post(place)).headers["location"] for place in ("/stop", "/release")]
    assert places == ["/#drills", "/#drills"]
    assert control.asked == [("stop", "the status page"), ("release", "the status page")]


async def test_a_run_that_is_under_way_links_to_what_it_says() -> None:
    first, second = drills()
    page = (await get("/", FakeControl(drill_views=(first.model_copy(update={"running": "run-9"}), second)))).text
    assert '<a class="button running" href="/runs/run-9">Running…</a>' in page


async def test_the_journal_is_shown_as_it_was_written() -> None:
    page = (await get("/runs/run-1")).text
    assert "+2.71s  inject    request 1 of 3 was answered by secondary in 0.64 s" in page


async def test_the_page_of_a_chain_lists_its_outcomes() -> None:
    page = plain((await get("/chains/chat")).text)
    assert "primary@google-vertex" in page
    assert "overloaded" in page
    assert "503: the model is overloaded, try again later" in page
    assert "chat-in-client" not in page


async def test_markup_in_somebody_elses_text_stays_text() -> None:
    broken = in_client()
    target = broken.targets[0].model_copy(update={"model": MARKUP, "detail": MARKUP})
    stranger = in_client().serving
    assert stranger is not None
    stranger = stranger.model_copy(update={"model": MARKUP, "path": "wrong_model"})
    control = FakeControl(
        chain_views=(
            chat().model_copy(update={"serving": stranger}),
            broken.model_copy(update={"detail": MARKUP, "targets": (target,)}),
        ),
        alert_views=[alerts()[0].model_copy(update={"summary": MARKUP, "facts": ((MARKUP, MARKUP),)})],
        drill_views=drills(run_view(kind=VerdictKind.DEVIATED)),
        found=[replace(outcomes()[0], detail=MARKUP, served_by=None, model=MARKUP, id=MARKUP)],
        stopped=MARKUP,
    )
    for place in ("/", "/chains/chat"):
        page = (await get(place, control)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;" in page
        assert Elements(page).open == []


async def test_a_daemon_without_anything_yet_has_a_page() -> None:
    fresh = chat().model_copy(update={"health": Health.UNKNOWN, "serving": None, "last_good": None, "since": None})
    page = plain((await get("/", FakeControl(chain_views=(fresh,), alert_views=(), drill_views=()))).text)
    assert "no results yet" in page
    assert "not asked yet" in page
    assert "No drills are configured: nothing proves that a fallback takes over." in page


async def test_the_reference_lists_every_operation_and_value() -> None:
    async with client(site()) as http:
        document = (await http.get("/api/openapi.json")).json()
        page = plain((await http.get("/api/docs")).text)
    for place, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {place}" in page
    assert "status query, ok, degraded, failed, error or nothing" in page
    assert "limit query, integer 1 to 500" in page
    assert "targets list of TargetView" in page


async def test_every_rule_is_explained_where_messages_lead_to() -> None:
    text = (await get("/rules")).text
    page, ids = html.unescape(plain(text)), {values.get("id") for _, values in Elements(text).found}
    assert RULES.keys() <= ids
    for rule in RULES.values():
        assert rule.over in page
    assert "asks once more" in page
    assert "`" not in page


OVERALL = [
    ((Health.HEALTHY,), Health.HEALTHY, "the chain answers, and so does every fallback"),
    ((Health.HEALTHY, Health.HEALTHY), Health.HEALTHY, "all 2 chains are healthy"),
    ((Health.UNKNOWN, Health.UNKNOWN), Health.UNKNOWN, "no results yet"),
    ((Health.UNKNOWN, Health.HEALTHY), Health.UNKNOWN, "c0 is not known yet"),
    ((Health.DEGRADED, Health.UNKNOWN), Health.DEGRADED, "c0 is degraded"),
    ((Health.DEGRADED, Health.DOWN, Health.DOWN), Health.DOWN, "c1, c2 are down"),
    ((Health.DOWN,) * 4, Health.DOWN, "4 chains are down"),
]


@pytest.mark.parametrize(("healths", "worst", "text"), OVERALL)
def test_the_headline_names_the_gravest(healths: tuple[Health, ...], worst: Health, text: str) -> None:
    chains = {f"c{place}": health for place, health in enumerate(healths)}
    assert wording.overall(chains) == wording.Overall(health=worst, text=text)


WORDS = [
    (wording.span(0.0004), "0 ms"),
    (wording.span(0.34), "340 ms"),
    (wording.span(1.314), "1.31 s"),
    (wording.span(12.4), "12 s"),
    (wording.span(90), "90 s"),
    (wording.span(120), "2 min"),
    (wording.span(2 * 86400), "2 d"),
    (wording.ago(NOW - 4.4, NOW), "4 s ago"),
    (wording.ago(NOW + 300, NOW), "in 5 min"),
    (wording.percent(None), "–"),
    (wording.percent(0.0), "0 %"),
    (wording.percent(0.004), "0.4 %"),
    (wording.percent(0.36), "36 %"),
    (wording.usd(0.00031), "$0.0003"),
    (wording.usd(1.5), "$1.50"),
    (wording.tone(None), "unknown"),
    (wording.tone(RunView(run="r", drill="d", chain="c", state=RunState.RUNNING, at=NOW)), "running"),
    (wording.tone(run_view(kind=VerdictKind.DEVIATED)), "down"),
    (wording.tone(run_view(kind=VerdictKind.ABORTED)), "limited"),
]


@pytest.mark.parametrize(("said", "expected"), WORDS)
def test_values_in_words(said: str, expected: str) -> None:
    assert said == expected


@pytest.mark.parametrize("place", ["/", "/chains/chat"])
async def test_a_network_of_our_own_that_is_down_is_said_before_all_else(place: str) -> None:
    down = plain((await get(place, FakeControl(network_down_since=NOW - 65))).text)
    assert "own network is down since 2023-11-14 22:12:15" in down
    assert "own network" not in plain((await get(place)).text)


async def test_what_is_only_pending_is_folded_below_what_fires() -> None:
    page = (await get("/")).text
    fold = page.index('<details class="waiting" id="pending">')
    assert max(page.index("No target answers"), page.index("chat-by-provider falls back too often")) < fold
    assert "1 pending: told if it lasts chain-degraded of chat-by-provider" in plain(page)
    assert fold < page.index("groq is rate limited.") < page.index('<section id="chains"')
    quiet = FakeControl(alert_views=[one for one in alerts() if one.state == "firing"])
    assert 'id="pending"' not in (await get("/", quiet)).text


async def test_times_in_texts_are_marked_for_the_readers_zone() -> None:
    limited = chat().model_copy(update={"health": Health.DEGRADED, "detail": "primary limited since 22:03 UTC"})
    page = (await get("/chains/chat", FakeControl(chain_views=[limited]))).text
    assert 'primary limited since <time datetime="2023-11-14T22:03:00Z" data-moment="minute"' in page
