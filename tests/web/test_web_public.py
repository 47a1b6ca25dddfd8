"""The page for everybody: who may see what, that nothing of ours is given away, and the badges."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from monitor.model import Health, Reason
from monitor.web import public
from monitor.web.badges import badge
from monitor.web.views import AbilityView, BudgetView

from .web_stage import FakeControl, FakeHistories, client, site
from .web_values import NOW, alerts, chat, in_client, outcomes, run_view

pytestmark = pytest.mark.anyio

TOKEN = "t0ken-of-the-page"
BEARER = {"authorization": f"Bearer {TOKEN}"}
OURS = "internal-host.example"
WHY = "primary down: timeout"
SECRET = [OURS, "77.77", "66.66", "55.55", "out_of_credit", "openrouter", "<button id=", "data-ask", "run-1", WHY]
SEEN_BY_ALL = [
    "/",
    "/chains/chat",
    "/badge/chat.svg",
    "/api/v1/chains/chat/history",
    "/static/page.js",
    "/-/healthy",
    "/signin",
]
OURS_ALONE = [
    "/metrics",
    "/api/v1/chains",
    "/api/v1/events",
    "/api/v1/status",
    "/api/v1/outcomes",
    "/api/v1/chains/chat/explanation",
    "/runs/run-1",
    "/drills/primary-gone/run",
    "/chains/chat/silence",
    "/rules",
    "/api/docs",
    "/api/openapi.json",
]


def telling() -> FakeControl:
    """Every text that may come from elsewhere names a host of ours."""
    broken = in_client()
    ability = AbilityView(capability="tools", standing="missing", detail=OURS)
    told = {"detail": OURS, "reason": Reason.OUT_OF_CREDIT, "abilities": (ability,)}
    target = broken.targets[0].model_copy(update=told)
    provider = chat().targets[0].providers[0].model_copy(update={"health": Health.DOWN, "detail": OURS})
    first = chat().targets[0].model_copy(update={"providers": (provider,)})
    costly = {"targets": (first,), "endpoint": OURS, "budget": BudgetView(usd_per_day=77.77, remaining=66.66)}
    failed = {"detail": OURS, "targets": (target,), "endpoint": OURS}
    return FakeControl(
        chain_views=(chat().model_copy(update=costly), broken.model_copy(update=failed)),
        alert_views=[alerts()[0].model_copy(update={"summary": OURS, "chain": "chat"})],
        found=[replace(outcomes()[0], detail=OURS, cost=55.55)],
        stopped=OURS,
    )


@pytest.mark.parametrize("loopback", [True, False])
async def test_everybody_may_read_the_page_and_nothing_else(loopback: bool) -> None:
    async with client(site(token=TOKEN, loopback=loopback, public=True)) as http:
        assert {place: (await http.get(place)).status_code for place in SEEN_BY_ALL} == dict.fromkeys(SEEN_BY_ALL, 200)
        assert {place: (await http.get(place)).status_code for place in OURS_ALONE} == dict.fromkeys(OURS_ALONE, 401)
        for place in ("/stop", "/chains/chat", "/drills/primary-gone/run", "/chains/chat/silence", "/api/v1/stop", "/"):
            assert (await http.post(place)).status_code == 401


@pytest.mark.parametrize("place", ["/", "/chains/chat", "/chains/chat-in-client", "/api/v1/chains/chat/history"])
async def test_what_everybody_sees_gives_nothing_away(place: str) -> None:
    control = telling()
    async with client(site(control, token=TOKEN, public=True)) as http:
        stranger = (await http.get(place)).text
        known = (await http.get(place, headers=BEARER)).text
    for secret in SECRET:
        assert secret not in stranger, secret
    assert any(secret in known for secret in (OURS, WHY))


async def test_the_page_for_everybody_still_answers_its_question() -> None:
    async with client(site(token=TOKEN, public=True)) as http:
        page = (await http.get("/")).text
    assert "chat-in-client is down" in page
    assert 'aria-label="Who served chat over the last day: primary 99 %' in page
    assert 'data-live="poll"' in page


async def test_without_a_token_there_is_no_page_for_everybody() -> None:
    async with client(site(public=True)) as http:
        assert (await http.get("/metrics")).status_code == 200
        assert "$1.21" in (await http.get("/chains/chat")).text


def test_nothing_is_left_of_a_run_but_how_it_ended() -> None:
    made = public.run(run_view())
    assert (made.run, made.asked_by) == ("", None)
    assert made.verdict is not None
    assert (made.verdict.because, made.verdict.run, made.verdict.kind) == ("", "", "passed")


async def test_a_badge_can_be_shown_elsewhere_and_kept_for_a_while() -> None:
    async with client(site(token=TOKEN, public=True)) as http:
        answer = await http.get("/badge/chat.svg")
        again = await http.get("/badge/chat.svg", headers={"if-none-match": answer.headers["etag"]})
        other = await http.get("/badge/chat-in-client.svg", headers={"if-none-match": answer.headers["etag"]})
        assert (await http.get("/badge/none.svg")).status_code == 404
        assert (await http.get("/badge/chat.svg", headers=BEARER)).headers["cache-control"] == "private, max-age=30"
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "public, max-age=30"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert (again.status_code, again.content) == (304, b"")
    assert "down" in other.text


@pytest.mark.parametrize("health", list(Health))
@pytest.mark.parametrize("label", ["chat", "a", "<script>&\"'", "wide-MWM-" * 8])
def test_a_badge_is_whole_and_says_its_health(label: str, health: Health) -> None:
    root = ET.fromstring(badge(label, health))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [label, health.value]
    assert root.attrib["aria-label"] == f"{label}: {health.value}"


async def test_the_fakes_tell_what_must_not_be_told() -> None:
    assert (await FakeHistories().troubles("chat", since=NOW))[0].why == WHY
