"""What people order on the page: asked first, carried out once, and never for a page of another site."""

from __future__ import annotations

import pytest

from monitor.alerting import Silence
from monitor.model import Acknowledgement
from monitor.web.views import Refused

from .web_stage import FakeControl, client, site
from .web_values import NOW, incidents

pytestmark = pytest.mark.anyio

SILENCE = {"for": "1h", "why": "maintenance", "alert": "chain-down", "next": "/chains/chat"}


async def test_a_silence_is_made_and_leads_back() -> None:
    control = FakeControl()
    async with client(site(control)) as http:
        answer = await http.post("/chains/chat/silence", data=SILENCE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/chains/chat")
    assert control.asked == [("silence", "chat", "chain-down", "3600", "maintenance", "the status page")]


@pytest.mark.parametrize("changed", [{"why": "  "}, {"for": "soon"}, {"for": "0s"}, {"for": "40d"}, {"why": ""}])
async def test_a_silence_without_reason_or_length_is_asked_again(changed: dict[str, str]) -> None:
    control = FakeControl()
    async with client(site(control)) as http:
        answer = await http.post("/chains/chat/silence", data={**SILENCE, **changed})
    assert answer.status_code == 400
    assert "Say how long, and why" in answer.text
    assert 'name="alert" value="chain-down"' in answer.text
    assert control.asked == []


async def test_a_refused_silence_says_why() -> None:
    async with client(site(FakeControl(refusal=Refused(because="there is no rule chain-down")))) as http:
        answer = await http.post("/chains/chat/silence", data=SILENCE)
    assert answer.status_code == 400
    assert "Not silenced: there is no rule chain-down." in answer.text


async def test_a_silence_shows_and_can_be_ended() -> None:
    made = Silence(id="s1", chain="chat", alert=None, starts=NOW, ends=NOW + 60, why="maintenance", by="ada")
    control = FakeControl(silence_values=[made])
    async with client(site(control)) as http:
        page = (await http.get("/chains/chat")).text
        answer = await http.post("/silences/s1/end", data={"next": "/chains/chat"})
        elsewhere = await http.post("/silences/s1/end", data={"next": "https://other.example/"})
    assert "maintenance, says ada" in page
    assert answer.headers["location"] == "/chains/chat"
    assert elsewhere.headers["location"] == "/"
    assert control.asked == [("end", "s1"), ("end", "s1")]


async def test_an_incident_is_acknowledged_and_silenced() -> None:
    control = FakeControl()
    async with client(site(control)) as http:
        page = (await http.get("/")).text
        taken = await http.post("/incidents/i1/acknowledge", data={"next": "/chains/chat"})
        asked = (await http.get("/incidents/i1/silence?parts=ask")).text
        silenced = await http.post("/incidents/i1/silence", data=SILENCE)
    assert 'action="/incidents/i1/acknowledge"' in page
    assert "Silence “Chain chat-in-client is down”?" in asked
    assert [(one.status_code, one.headers["location"]) for one in (taken, silenced)] == [(303, "/chains/chat")] * 2
    assert control.asked == [("acknowledge", "i1", "the status page"), ("silence", "i1", "3600.0")]


async def test_an_incident_that_is_over_is_said_to_be() -> None:
    async with client(site(FakeControl(incident_views=()))) as http:
        taken = await http.post("/incidents/i1/acknowledge")
        assert (await http.get("/incidents/i1/silence")).status_code == 404
        assert (await http.post("/incidents/i1/silence", data=SILENCE)).status_code == 404
    assert taken.status_code == 409
    assert "that incident is over" in taken.text


async def test_who_has_taken_an_incident_on_is_shown_in_place_of_the_button() -> None:
    taken = incidents()[0].model_copy(update={"acknowledged": Acknowledgement(by="ada", at=NOW - 30)})
    async with client(site(FakeControl(incident_views=(taken,)))) as http:
        page = (await http.get("/")).text
    assert "acknowledged by ada" in page
    assert "/acknowledge" not in page


async def test_only_the_parts_that_are_wanted_are_rendered() -> None:
    async with client(site()) as http:
        parts = (await http.get("/?parts=chain-chat&parts=alerts")).text
        asked = (await http.get("/drills/primary-gone/run?parts=ask")).text
    assert 'id="chain-chat"' in parts
    assert 'id="alerts"' in parts
    assert 'id="chain-chat-in-client"' not in parts
    assert "<html" not in parts
    assert asked.strip().startswith("<form")


INCIDENT = ["/incidents/i1/acknowledge", "/incidents/i1/silence"]
CHANGES = ["/stop", "/release", "/drills/primary-gone/run", "/chains/chat/silence", "/silences/s1/end", *INCIDENT]
ELSEWHERE = [{"origin": "http://other.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}]


@pytest.mark.parametrize("place", CHANGES)
@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_a_page_of_another_site_orders_nothing(place: str, headers: dict[str, str]) -> None:
    control = FakeControl()
    async with client(site(control), **headers) as http:
        answer = await http.post(place, data=SILENCE)
    assert answer.status_code == 403
    assert answer.json() == {"error": {"message": "this request was made by a page of another site"}}
    assert control.asked == []
