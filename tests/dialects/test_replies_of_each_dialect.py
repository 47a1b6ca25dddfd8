"""Replies in the shapes that endpoints send, one file each: what was said, and what is read from it.

``source`` in each file tells those that were recorded from those that were written after a description.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.dialects import DIALECTS
from monitor.exchange import Answer, Event, Fate, Reply
from monitor.model import Attempt

REPLIES = Path(__file__).parents[1] / "data" / "replies"
FILES = sorted(REPLIES.glob("*/*.json"))


def reply_of(recorded: dict[str, Any]) -> Reply:
    """Event n of a stream arrives n seconds after the request."""
    events = tuple(
        Event(at=float(at), data=data if isinstance(data, str) else json.dumps(data))
        for at, data in enumerate(recorded.get("events", ()), 1)
    )
    body = b"" if "events" in recorded else recorded.get("text", json.dumps(recorded.get("body"))).encode()
    return Reply(
        fate=Fate(recorded.get("fate", "answered")),
        status=recorded["status"],
        headers=recorded["headers"],
        body=body,
        events=events,
        done="events" in recorded and recorded["done"],
    )


def shown(attempt: Attempt) -> list[Any]:
    """The model, or the place in the chain where no model is named."""
    return [attempt.model or f"#{attempt.position}", str(attempt.reason), attempt.status_code]


def reading(answer: Answer) -> dict[str, Any]:
    return {
        "reason": str(answer.finding.reason),
        "detail": answer.finding.detail,
        "retry_after": answer.finding.retry_after,
        "text": answer.text,
        "model": answer.model,
        "provider": answer.provider,
        "finish": answer.finish,
        "cost": answer.cost,
        "generation": answer.generation,
        "tokens": [answer.tokens.prompt, answer.tokens.completion, answer.tokens.reasoning],
        "attempts": [shown(attempt) for attempt in answer.attempts],
        "attempts_reported": answer.attempts_reported,
        "calls": [[c["id"], c["function"]["name"], c["function"]["arguments"]] for c in answer.tool_calls],
        "first_token": answer.first_token,
        "longest_gap": answer.longest_gap,
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_reply_says_what_it_said(path: Path) -> None:
    recorded = json.loads(path.read_text())
    found = reading(DIALECTS[path.parent.name].read(reply_of(recorded), now=1_790_000_000.0))
    wanted = {"reason": "none"} | recorded["says"]
    assert {name: found[name] for name in wanted} == wanted


def test_every_dialect_has_replies_and_each_says_where_it_comes_from() -> None:
    assert {path.parent.name for path in FILES} == set(DIALECTS)
    sources = {path.name: json.loads(path.read_text())["source"] for path in FILES}
    assert not [name for name, source in sources.items() if not source.startswith(("recorded from ", "written"))]
