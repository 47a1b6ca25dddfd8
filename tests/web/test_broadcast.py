"""What is told to pages: every change in short, live traffic thinned out, and nothing that is nobody's business."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.model import Event, Phase
from monitor.broadcast import Broadcast
from monitor.model import Origin, Subject
from monitor.web import Feed
from tests.fakes.clock import FakeClock
from tests.fakes.values import NOW, outcome, transition

pytestmark = pytest.mark.anyio


class Heard:
    """A broadcast, and what a page hears of it."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.broadcast = Broadcast(self.feed, FakeClock(NOW))
        self._listener: Any = self.feed.listen(None)

    async def all(self) -> list[tuple[str, dict[str, Any]]]:
        return [(one.event, json.loads(one.data)) for one in await self._listener.take()]


async def test_an_outcome_is_told_without_its_price_and_its_text() -> None:
    heard = Heard()
    heard.broadcast.on_outcome(outcome(detail="from internal-host", cost=1.25, target="primary", duration=0.123456))
    ((event, data),) = await heard.all()
    assert (event, data["chain"], data["target"], data["duration"]) == ("outcome", "chat", "primary", 0.1235)
    assert "internal-host" not in str(data)
    assert "1.25" not in str(data)


async def test_a_thousand_exchanges_a_second_are_told_once_a_second() -> None:
    heard = Heard()
    for number in range(1000):
        heard.broadcast.on_outcome(outcome(at=NOW + number / 1000, origin=Origin.LIVE))
    heard.broadcast.on_outcome(outcome(at=NOW, origin=Origin.LIVE, chain="other"))
    heard.broadcast.on_outcome(outcome(at=NOW + 1.5, origin=Origin.LIVE))
    assert [data["chain"] for _, data in await heard.all()] == ["chat", "other", "chat"]


async def test_changes_drills_alerts_and_another_config_are_told() -> None:
    heard = Heard()
    heard.broadcast.on_transition(transition(subject=Subject(chain="chat", target="primary", provider="groq")))
    heard.broadcast.on_event("run-1", Event(at=NOW, phase=Phase.INJECT, text="stall on primary"))
    heard.broadcast.alerts_changed()
    heard.broadcast.all_changed()
    told = await heard.all()
    assert [event for event, _ in told] == ["health", "drill", "alert", "refresh"]
    assert (told[0][1]["provider"], told[0][1]["after"]) == ("groq", "down")
    assert told[1][1] == {"at": NOW, "run": "run-1", "phase": "inject", "text": "stall on primary"}
