"""The JSON API and the endpoints for machines."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.web.views import Refused

from .web_stage import FakeControl, client, site

pytestmark = pytest.mark.anyio

ANSWERS: list[tuple[str, str, Any]] = [
    ("/api/v1/status", "version", "0.1.0"),
    ("/api/v1/chains", "chains.1.serving.path", "failed_over"),
    ("/api/v1/chains", "chains.2.targets.0.reason", "overloaded"),
    ("/api/v1/chains/chat", "targets.0.providers.1.provider", "amazon-bedrock"),
    ("/api/v1/targets", "targets.3.chain", "chat-by-provider"),
    ("/api/v1/outcomes", "outcomes.0.id", "outcome-0"),
    ("/api/v1/outcomes?status=failed", "outcomes.0.reason", "overloaded"),
    ("/api/v1/outcomes?target=primary&origin=scheduled&chain=chat", "outcomes.0.provider", "google-vertex"),
    ("/api/v1/outcomes/outcome-3", "path", "primary"),
    ("/api/v1/alerts", "alerts.0.alert", "chain-down"),
    ("/api/v1/incidents", "incidents.0.cause", "provider groq"),
    ("/api/v1/drills", "drills.0.last.verdict.kind", "passed"),
    ("/api/v1/drills/runs?limit=1", "runs.0.run", "run-1"),
    ("/api/v1/drills/runs/run-1", "journal.seed", 4711),
    ("/api/openapi.json", "info.title", "fallbackd"),
]


def at(found: Any, path: str) -> Any:
    for part in path.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


@pytest.mark.parametrize(("place", "path", "expected"), ANSWERS)
async def test_the_api_answers(place: str, path: str, expected: object) -> None:
    async with client(site()) as http:
        answer = await http.get(place)
    assert answer.status_code == 200
    assert at(answer.json(), path) == expected


JSON = {"content-type": "application/json"}

NOT_A_PAGE = "before: is not what an earlier page gave as next; leave it out for the newest"
STAUTS = (
    'query stauts: there is no such setting; did you mean "status"? Known: before, chain, limit, origin, status, target'
)
SEVEN = 'body asked_by: 7 is a number, not text; write it in quotes: "7"'
SILENCE = "write a JSON object of chain, incident, alert, for, why, by"

MISTAKES: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/api/v1/chains/nobody", {}, 404, "there is no chain nobody"),
    ("GET", "/api/v1/outcomes/none", {}, 404, "there is no outcome none"),
    ("GET", "/api/v1/drills/runs/none", {}, 404, "there is no run none"),
    ("GET", "/api/v2/chains", {}, 404, "there is no /api/v2/chains"),
    ("GET", "/chains/nobody", {}, 404, "there is no chain nobody"),
    ("GET", "/static/../site.py", {}, 404, "there is no /site.py"),
    ("DELETE", "/api/v1/chains", {}, 405, "/api/v1/chains does not take DELETE"),
    ("GET", "/api/v1/stop", {}, 405, "/api/v1/stop does not take GET"),
    ("POST", "/api/v1/drills/nothing/runs", {}, 404, "there is no drill nothing"),
    ("POST", "/drills/nothing/run", {}, 404, "there is no drill nothing"),
    (
        "GET",
        "/api/v1/outcomes?limit=501",
        {},
        400,
        "query limit: 501 is out of bounds; it must be at most 500",
    ),
    (
        "GET",
        "/api/v1/outcomes?status=fine",
        {},
        400,
        'query status: "fine" is not known here; did you mean "failed"? Known: degraded, error, failed, ok',
    ),
    ("GET", "/api/v1/outcomes?stauts=ok", {}, 400, STAUTS),
    (
        "GET",
        "/api/v1/outcomes?before=yesterday",
        {},
        400,
        f"query {NOT_A_PAGE}",
    ),
    ("GET", "/chains/chat?before=nan_x", {}, 400, f"query {NOT_A_PAGE}"),
    (
        "POST",
        "/api/v1/stop",
        {"content": "{", "headers": JSON},
        400,
        ("body: is no JSON (Expecting property name enclosed in double quotes at character 1); write a JSON object of "
        "asked_by"),
    ),
    ("POST", "/api/v1/stop", {"json": {"asked_by": ""}}, 400, "body asked_by: is empty"),
    ("POST", "/api/v1/stop", {"json": {"asked_by": 7}}, 400, SEVEN),
    (
        "POST",
        "/api/v1/stop",
        {"json": {"asked_by": "a" * 129}},
        400,
        "body asked_by: is too long; write at most 128 characters",
    ),
    (
        "POST",
        "/api/v1/stop",
        {"json": {"asked": "me"}},
        400,
        'body asked: there is no such setting; did you mean "asked_by"? Known: asked_by',
    ),
    ("POST", "/api/v1/stop", {"json": ["me"]}, 400, "body: write a JSON object of asked_by"),
    ("POST", "/api/v1/silences", {}, 400, f"body: {SILENCE}"),
    ("POST", "/api/v1/silences", {"content": b"for=1h"}, 400, f"body: {SILENCE}"),
    (
        "POST",
        "/api/v1/silences",
        {"json": {"chain": 5}},
        400,
        ('body chain: 5 is a number, not text; write it in quotes: "5"; body for: is missing (how long, as in 1h); '
        "body why: is missing (what whoever reads it later should know)"),
    ),
    (
        "POST",
        "/api/v1/silences",
        {"json": {"chain": "chat", "for": "40d", "why": "x"}},
        400,
        "body for: 40d is out of bounds; it must be at most 30d",
    ),
    (
        "POST",
        "/api/v1/silences",
        {"json": {"chain": "chat", "for": 5, "why": None}},
        400,
        ("body for: 5 has no unit; write 5s, 5m or 5h; "
        "body why: is missing (what whoever reads it later should know)"),
    ),
    (
        "POST",
        "/api/v1/silences",
        {"json": {"for": "1h", "why": "x"}},
        400,
        "body: takes exactly one of chain and incident",
    ),
    (
        "POST",
        "/api/v1/silences",
        {"json": {"chain": "chat", "for": "1h", "why": "x", "by": "sk-ant-0123456789" * 9}},
        400,
        "body by: is too long; write at most 64 characters",
    ),
    ("GET", "/api/v1/outcomes?limit=many", {}, 400, 'query limit: "many" is not a whole number'),
    ("GET", f"/api/v1/outcomes/{'a' * 65}", {}, 400, "path id: is too long; write at most 64 characters"),
    ("POST", "/api/v1/stop", {"content": b"x" * 70_000}, 413, "the body is larger than 64 KiB"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "place", "sent", "status", "message"), MISTAKES)
async def test_a_mistake_gets_json_with_a_message(
    method: str, place: str, sent: dict[str, Any], status: int, message: str
) -> None:
    control = FakeControl()
    async with client(site(control)) as http:
        answer = await http.request(method, place, **sent)
    assert (answer.status_code, answer.json()) == (status, {"error": {"message": message}})
    assert control.asked == []


async def test_a_body_in_pieces_is_limited_too() -> None:
    async def pieces() -> Any:
        for _ in range(80):
            yield b"x" * 1024

    async with client(site()) as http:
        answer = await http.post("/api/v1/stop", content=pieces())
    assert answer.status_code == 413


async def test_pages_of_outcomes_follow_one_another() -> None:
    async with client(site()) as http:
        first = (await http.get("/api/v1/outcomes", params={"limit": 4})).json()
        rest = (await http.get("/api/v1/outcomes", params={"limit": 4, "before": first["next"]})).json()
    ids = [one["id"] for page in (first, rest) for one in page["outcomes"]]
    assert ids == [f"outcome-{number}" for number in range(6)]
    assert rest["next"] is None


async def test_a_run_is_started_for_whoever_asked() -> None:
    control = FakeControl()
    async with client(site(control)) as http:
        named = await http.post("/api/v1/drills/primary-gone/runs", json={"asked_by": "ada"})
        unnamed = await http.post("/api/v1/drills/primary-gone/runs")
    assert (named.status_code, named.json()) == (202, {"run": "run-1"})
    assert named.headers["location"] == "/api/v1/drills/runs/run-1"
    assert unnamed.status_code == 202
    assert control.asked == [("start", "primary-gone", "ada"), ("start", "primary-gone", "the API")]


async def test_a_refused_run_says_why_and_what_is_in_its_way() -> None:
    control = FakeControl(refusal=Refused(because="the drill runs already", run="run-7"))
    async with client(site(control)) as http:
        answer = await http.post("/api/v1/drills/primary-gone/runs")
    assert answer.status_code == 409
    assert answer.json() == {"error": {"message": "the drill runs already", "run": "run-7"}}


async def test_drills_are_stopped_and_released() -> None:
    control = FakeControl()
    async with client(site(control)) as http:
        stopped = await http.post("/api/v1/stop", json={"asked_by": "ada"})
        released = await http.post("/api/v1/release")
    assert stopped.json() == {"ended": 1}
    assert released.json() == {"released": True}
    assert control.asked == [("stop", "ada"), ("release", "the API")]


async def test_a_store_that_cannot_be_read_is_said_in_its_own_sentence() -> None:
    async with client(site(FakeControl(broken=True))) as http:
        answer = await http.get("/api/v1/outcomes")
    assert (answer.status_code, answer.json()) == (503, {"error": {"message": "the database cannot be read"}})


async def test_a_bug_of_ours_shows_nothing_of_our_inside() -> None:
    class Buggy(FakeControl):
        def chains(self) -> Any:
            raise RuntimeError("secret inside")

    async with client(site(Buggy())) as http:
        answer = await http.get("/api/v1/chains")
    assert answer.status_code == 500
    assert answer.json() == {"error": {"message": "fallbackd itself failed here; its log says how"}}


async def test_health_checks_answer_get_and_head() -> None:
    waiting = FakeControl(readiness=(False, "chat has no results yet"))
    async with client(site(waiting)) as http:
        healthy, head, not_ready = [
            await http.get("/-/healthy"),
            await http.head("/-/healthy"),
            await http.get("/-/ready"),
        ]
    assert (healthy.status_code, head.status_code) == (200, 200)
    assert (not_ready.status_code, not_ready.text) == (503, "chat has no results yet\n")
    async with client(site()) as http:
        assert (await http.get("/-/ready")).status_code == 200


async def test_metrics_come_with_the_content_type_of_their_format() -> None:
    async with client(site()) as http:
        answer = await http.get("/metrics")
    assert answer.text == "fallbackd_build_info 1\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_an_incident_is_acknowledged_and_silenced() -> None:
    control = FakeControl()
    async with client(site(control)) as http:
        taken = await http.post("/api/v1/incidents/i1/acknowledge", json={"by": "ada"})
        silenced = await http.post("/api/v1/silences", json={"incident": "i1", "for": "1h", "why": "known"})
    assert (taken.status_code, taken.json()["acknowledged"]["by"]) == (200, "ada")
    assert (silenced.status_code, silenced.json()["incident"]) == (201, "i1")
    assert control.asked == [("acknowledge", "i1", "ada"), ("silence", "i1", "3600.0")]


@pytest.mark.parametrize(
    ("place", "body", "status", "text"),
    [
        ("incidents/i2/acknowledge", {}, 404, "no incident i2 is open"),
        ("incidents/i1/acknowledge", {"by": ""}, 400, "by"),
        ("silences", {"incident": "i2", "for": "1h", "why": "x"}, 404, "no incident i2 is open"),
        ("silences", {"for": "1h", "why": "x"}, 400, "exactly one of chain and incident"),
        ("silences", {"incident": "i1", "chain": "chat", "for": "1h", "why": "x"}, 400, "exactly one of"),
        ("silences", {"incident": "i1", "alert": "down", "for": "1h", "why": "x"}, 400, "leave alert out"),
    ],
)
async def test_what_cannot_be_acknowledged_or_silenced_is_one_sentence(
    place: str, body: dict[str, str], status: int, text: str
) -> None:
    async with client(site(FakeControl())) as http:
        answer = await http.post(f"/api/v1/{place}", json=body)
    assert answer.status_code == status
    assert text in answer.text
