"""Who may read, and who may change."""

from __future__ import annotations

import httpx
import pytest

from monitor.web import Feed
from monitor.web.access import COOKIE, SESSION, Denial, Policy
from monitor.web.site import build

from .web_stage import FakeControl, FakeHistories, client, site
from .web_values import NOW

pytestmark = pytest.mark.anyio

TOKEN = "correct-horse"
BEARER = {"authorization": f"Bearer {TOKEN}"}
OPEN = Policy(token=None, loopback=True)
LOCKED = Policy(token=TOKEN, loopback=True)
FAR = Policy(token=TOKEN, loopback=False)
HOME = {"host": "127.0.0.1:9469"}
EVIL = {"origin": "https://evil.example"}
REBOUND = {"host": "evil.example", "origin": "http://evil.example"}
ABROAD = {**HOME, "sec-fetch-site": "cross-site"}
OTHER = Policy(token="other", loopback=True)
SESSION_COOKIE = {"cookie": f"a=b; {COOKIE}={LOCKED.session(NOW)}"}
OLD_COOKIE = {"cookie": f"{COOKIE}={LOCKED.session(NOW - SESSION - 1)}"}
FORGED_COOKIE = {"cookie": f"{COOKIE}=9999999999.{'0' * 64}"}
STRANGE_COOKIE = {"cookie": f"{COOKIE}=²³.é"}

DECISIONS: list[tuple[str, Policy, str, str, dict[str, str], Denial | None]] = [
    ("anybody here reads", OPEN, "GET", "/", HOME, None),
    ("reading asks for no host", OPEN, "GET", "/metrics", {"host": "evil.example"}, None),
    ("a program here changes", OPEN, "POST", "/api/v1/stop", HOME, None),
    ("by name", OPEN, "POST", "/api/v1/stop", {"host": "localhost:9469"}, None),
    ("by IPv6", OPEN, "POST", "/api/v1/stop", {"host": "[::1]:9469"}, None),
    ("our page", OPEN, "POST", "/stop", {**HOME, "origin": "http://127.0.0.1:9469"}, None),
    ("our page, as browsers say", OPEN, "POST", "/stop", {**HOME, "sec-fetch-site": "same-origin"}, None),
    ("another site", OPEN, "POST", "/stop", {**HOME, **EVIL}, Denial.OTHER_SITE),
    ("another port", OPEN, "POST", "/stop", {**HOME, "origin": "http://127.0.0.1:8000"}, Denial.OTHER_SITE),
    ("a hidden origin", OPEN, "POST", "/stop", {**HOME, "origin": "null"}, Denial.OTHER_SITE),
    ("another site, as browsers say", OPEN, "POST", "/stop", ABROAD, Denial.OTHER_SITE),
    ("a sibling site", OPEN, "POST", "/stop", {**HOME, "sec-fetch-site": "same-site"}, Denial.OTHER_SITE),
    ("a rebound name", OPEN, "POST", "/stop", REBOUND, Denial.OTHER_HOST),
    ("a name that looks like home", OPEN, "POST", "/stop", {"host": "127.0.0.1.evil.example"}, Denial.OTHER_HOST),
    ("no host at all", OPEN, "POST", "/stop", {}, Denial.OTHER_HOST),
    ("a host that is none", OPEN, "POST", "/stop", {"host": "[::1"}, Denial.OTHER_HOST),
    ("a token guards changes", LOCKED, "POST", "/api/v1/stop", HOME, Denial.NO_TOKEN),
    ("and not reading here", LOCKED, "GET", "/api/v1/chains", HOME, None),
    ("with the token", LOCKED, "POST", "/api/v1/stop", {**HOME, **BEARER}, None),
    ("with the token from anywhere", LOCKED, "POST", "/api/v1/stop", {"host": "status.example", **BEARER}, None),
    ("with another token", LOCKED, "POST", "/api/v1/stop", {"authorization": "Bearer wrong"}, Denial.WRONG_TOKEN),
    ("with the start of the token", LOCKED, "POST", "/stop", {"authorization": "Bearer correct"}, Denial.WRONG_TOKEN),
    ("with a foreign scheme", LOCKED, "POST", "/stop", {"authorization": f"Basic {TOKEN}"}, Denial.WRONG_TOKEN),
    ("with no token in it", LOCKED, "POST", "/stop", {"authorization": "Bearer"}, Denial.WRONG_TOKEN),
    ("with a strange token", LOCKED, "POST", "/stop", {"authorization": "Bearer é"}, Denial.WRONG_TOKEN),
    ("signed in", LOCKED, "POST", "/stop", {**HOME, **SESSION_COOKIE}, None),
    ("signed in, another site asks", LOCKED, "POST", "/stop", {**HOME, **SESSION_COOKIE, **EVIL}, Denial.OTHER_SITE),
    ("signed in long ago", LOCKED, "POST", "/stop", {**HOME, **OLD_COOKIE}, Denial.NO_TOKEN),
    ("a forged session", LOCKED, "POST", "/stop", {**HOME, **FORGED_COOKIE}, Denial.NO_TOKEN),
    ("a strange session", LOCKED, "POST", "/stop", {**HOME, **STRANGE_COOKIE}, Denial.NO_TOKEN),
    ("a session of another token", OTHER, "POST", "/stop", {**HOME, **SESSION_COOKIE}, Denial.NO_TOKEN),
    ("signing in", LOCKED, "POST", "/signin", HOME, None),
    ("signing in from another site", LOCKED, "POST", "/signin", {**HOME, **EVIL}, Denial.OTHER_SITE),
    ("beyond loopback reading needs it too", FAR, "GET", "/", {"host": "status.example"}, Denial.NO_TOKEN),
    ("and metrics", FAR, "GET", "/metrics", {}, Denial.NO_TOKEN),
    ("and the document", FAR, "GET", "/api/openapi.json", {}, Denial.NO_TOKEN),
    ("a scrape with the token", FAR, "GET", "/metrics", BEARER, None),
    ("reading signed in", FAR, "GET", "/", SESSION_COOKIE, None),
    ("a health check from afar", FAR, "GET", "/-/ready", {}, None),
    ("the sign-in page from afar", FAR, "GET", "/signin", {}, None),
    ("its style", FAR, "GET", "/static/style.css", {}, None),
    ("a method that is not known changes", LOCKED, "BREW", "/", {}, Denial.NO_TOKEN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "method", "path", "headers", "expected"),
    [pytest.param(*row[1:], id=row[0]) for row in DECISIONS],
)
def test_access(policy: Policy, method: str, path: str, headers: dict[str, str], expected: Denial | None) -> None:
    assert policy.decide(method, path, headers, NOW) is expected


def test_listening_beyond_loopback_without_a_token_is_not_possible() -> None:
    with pytest.raises(ValueError, match="needs a token"):
        build(FakeControl(), histories=FakeHistories(), feed=Feed(), token=None, loopback=False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"authorization": "Bearer wrong"}, 401), ({**BEARER}, 200)],
)
async def test_a_denied_program_gets_json(headers: dict[str, str], status: int) -> None:
    control = FakeControl()
    async with client(site(control, token=TOKEN), **headers) as http:
        answer = await http.post("/api/v1/stop")
    assert answer.status_code == status
    assert bool(control.asked) == (status == 200)
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "access token" in answer.json()["error"]["message"]
        assert TOKEN not in answer.text


async def test_a_page_of_another_site_gets_403() -> None:
    control = FakeControl()
    async with client(site(control), **EVIL) as http:
        answer = await http.post("/stop")
    assert (answer.status_code, control.asked) == (403, [])
    assert answer.json() == {"error": {"message": "this request was made by a page of another site"}}


async def test_a_person_signs_in_runs_a_drill_and_signs_out() -> None:
    control = FakeControl()
    async with client(site(control, token=TOKEN, loopback=False), host="status.example", accept="text/html") as http:
        turned_away = await http.get("/chains/chat")
        assert turned_away.headers["location"] == "/signin?next=/chains/chat"
        wrong = await http.post("/signin", data={"token": "guess", "next": "/"})
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
        right = await http.post("/signin", data={"token": TOKEN, "next": "/chains/chat"})
        assert (right.status_code, right.headers["location"]) == (303, "/chains/chat")
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in cookie
        assert (await http.get("/")).status_code == 200
        started = await http.post("/drills/primary-gone/run", headers={"origin": "http://status.example"})
        assert (started.status_code, started.headers["location"]) == (303, "/runs/run-1")
        await http.post("/signout")
        assert (await http.get("/")).status_code == 303
    assert control.asked == [("start", "primary-gone", "the status page")]


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb: c", "evil"])
async def test_signing_in_leads_to_no_other_site(place: str) -> None:
    async with client(site(token=TOKEN)) as http:
        answer = await http.post("/signin", data={"token": TOKEN, "next": place})
    assert answer.headers["location"] == "/"


async def test_a_session_over_https_is_kept_to_https() -> None:
    app = site(token=TOKEN)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://status.example") as http:
        answer = await http.post("/signin", data={"token": TOKEN})
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_whoever_may_not_change_anything_sees_no_buttons() -> None:
    async with client(site(token=TOKEN)) as http:
        stranger = (await http.get("/")).text
        http.headers.update(BEARER)
        known = (await http.get("/")).text
    assert "data-ask" not in stranger
    assert "Stop all drills" not in stranger
    assert 'data-ask href="/drills/primary-gone/run"' in known
