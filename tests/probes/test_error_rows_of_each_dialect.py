"""Each recorded error of each dialect, as it arrives on the way of a real probe: what becomes of a target that answers
so, and of a walk that meets it first."""

from __future__ import annotations

import json
from pathlib import Path as File
from typing import Any

import httpx
import pytest
import respx

from monitor.model import Origin, Path, Reason, Status
from monitor.probes import expand
from monitor.probes.outcomes import status_of

pytestmark = pytest.mark.anyio

URL = "http://upstream/api/v1"
REPLIES = File(__file__).parents[1] / "data" / "replies"
DIALECTS = ("anthropic", "litellm", "openai_compatible")
PROBES = [{"kind": "completion", "every": "60s"}, {"kind": "stream", "every": "60s"}]
CLIENT = {
    "mode": "client",
    "probes": PROBES,
    "targets": [{"label": "primary", "model": "first-model"}, {"label": "spare", "model": "second-model"}],
}


def is_row(recorded: dict[str, Any]) -> bool:
    """An error that came as bytes: how a connection broke is no matter of a dialect."""
    return recorded["says"].get("reason", "none") != "none" and recorded.get("fate", "answered") == "answered"


FILES = [path for path in sorted(REPLIES.glob("*/*.json")) if path.parent.name in DIALECTS]
ROWS = [path for path in FILES if is_row(json.loads(path.read_text()))]


def response(recorded: dict[str, Any]) -> httpx.Response:
    headers = {name: value for name, value in recorded["headers"].items() if name != "content-length"}
    if "events" not in recorded:
        body = recorded.get("text", json.dumps(recorded.get("body")))
        return httpx.Response(recorded["status"], headers=headers, content=body.encode())
    events = [data if isinstance(data, str) else json.dumps(data) for data in recorded["events"]]
    events += ["[DONE]"] if recorded["done"] else []
    headers |= {"content-type": "text/event-stream"}
    return httpx.Response(recorded["status"], headers=headers, content="".join(f"data: {one}\n\n" for one in events))


def good(request: httpx.Request, dialect: str) -> httpx.Response:
    """What was asked for, by who was asked, in one piece."""
    asked = json.loads(request.content)
    content = asked["messages"][-1]["content"]
    word = (content if isinstance(content, str) else content[0]["text"]).rpartition(": ")[2]
    if dialect == "anthropic":
        body = {
            "id": "msg-1", "type": "message", "role": "assistant", "model": asked["model"], "stop_reason": "end_turn",
            "content": [{"type": "text", "text": word}], "usage": {"input_tokens": 9, "output_tokens": 4},
        }  # fmt: skip
        return httpx.Response(200, json=body)
    message = {"message": {"role": "assistant", "content": word}, "finish_reason": "stop"}
    return httpx.Response(200, json={"id": "1", "model": asked["model"], "choices": [message]})


@pytest.fixture
def router():
    with respx.mock(using="httpx") as made:
        yield made


@pytest.mark.parametrize("path", ROWS, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_a_target_that_answers_so_fails_for_its_reason(router, config, prober, path):
    recorded = json.loads(path.read_text())
    says, kind = recorded["says"], "stream" if "events" in recorded else "completion"
    router.route().mock(return_value=response(recorded))
    built = config(CLIENT, dialect=path.parent.name)
    spec = next(spec for spec in expand(built) if spec.key == f"chat/primary:{kind}")
    outcome = await prober(built).probe(spec)
    assert (outcome.reason, outcome.status) == (Reason(says["reason"]), status_of(Reason(says["reason"])))
    assert (outcome.status_code, outcome.served_by, outcome.path) == (recorded["status"], None, None)
    assert outcome.detail
    assert "very-secret-key" not in outcome.detail
    if says.get("detail"):
        assert says["detail"] in outcome.detail
    if "retry_after" in says:
        assert outcome.retry_after == says["retry_after"]


@pytest.mark.parametrize("path", ROWS, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_a_walk_that_meets_it_first_moves_on_or_stops_as_its_chain_says(router, config, prober, path):
    recorded, dialect = json.loads(path.read_text()), path.parent.name
    reason, kind = Reason(recorded["says"]["reason"]), "stream" if "events" in recorded else "completion"
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["model"])
        return response(recorded) if asked == ["first-model"] else good(request, dialect)

    router.route().mock(side_effect=answer)
    built = config(CLIENT, dialect=dialect)
    spec = next(spec for spec in expand(built) if spec.key == f"chat:{kind}")
    outcome = await prober(built).probe(spec, origin=Origin.MANUAL)
    moves_on = reason in built.chain("chat").move_on
    assert asked == (["first-model", "second-model"] if moves_on else ["first-model"])
    assert outcome.attempts[0].reason is reason
    if moves_on and kind == "completion":
        assert (outcome.status, outcome.path, outcome.served_by) == (Status.OK, Path.FAILED_OVER, "spare")
    if not moves_on:
        assert (outcome.status, outcome.reason) == (status_of(reason), reason)


def test_every_dialect_has_rows_for_the_usual_troubles():
    seen = {path.parent.name: set() for path in ROWS}
    for path in ROWS:
        seen[path.parent.name].add(json.loads(path.read_text())["says"]["reason"])
    usual = {"unauthorized", "context_length", "model_gone", "bad_request", "server_error"}
    assert {dialect: usual - reasons for dialect, reasons in seen.items()} == {dialect: set() for dialect in DIALECTS}
