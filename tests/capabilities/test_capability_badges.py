"""What a chain needs of each target, on the page and in the API."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import pytest

from monitor.capability import Capability
from monitor.health import Standing
from monitor.model import Health, Reason
from monitor.web.views import AbilityView, ChainView
from tests.web.web_stage import FakeControl, client, site
from tests.web.web_values import chat

pytestmark = pytest.mark.anyio

LACK = 'the call came as text ("<tool_call>")'


def unfit() -> ChainView:
    """The secondary lacks tools."""
    primary, secondary, last = chat().targets
    proven = AbilityView(capability=Capability.TOOLS, standing=Standing.PROVEN)
    missing = AbilityView(capability=Capability.TOOLS, standing=Standing.MISSING, detail=LACK)
    unknown = AbilityView(capability=Capability.VISION, standing=Standing.UNKNOWN, detail="not asked yet")
    trouble: dict[str, Any] = {
        "health": Health.DEGRADED, "reason": Reason.MISSING_CAPABILITY,
        "detail": f"missing_capability (tools): {LACK}", "abilities": (missing, unknown),
    }  # fmt: skip
    targets = (
        primary.model_copy(update={"abilities": (proven, unknown)}), secondary.model_copy(update=trouble), last,
    )  # fmt: skip
    return chat().model_copy(update={"targets": targets})


async def get(place: str) -> httpx.Response:
    async with client(site(FakeControl(chain_views=(unfit(),)))) as http:
        return (await http.get(place)).raise_for_status()


async def test_each_need_is_a_badge_at_each_target() -> None:
    page = (await get("/chains/chat")).text
    badges = re.findall(r'<li class="chip (\w*)" title="([^"]*)">(.) (\w+)<span', page)
    assert [(colour, html.unescape(title), sign, name) for colour, title, sign, name in badges] == [
        ("green", "proven", "✓", "tools"),
        ("", "not asked yet", "?", "vision"),
        ("red", LACK, "✗", "tools"),
        ("", "not asked yet", "?", "vision"),
    ]
    assert "<tool_call>" not in page, "what a model says is no markup"


async def test_the_reason_is_told_once() -> None:
    page = (await get("/chains/chat")).text
    assert page.count("missing_capability") == 1
    assert "missing_capability (tools): the call came as text" in html.unescape(page)


async def test_a_target_of_a_chain_without_needs_has_no_badges() -> None:
    async with client(site(FakeControl())) as http:
        assert '<li class="chip' not in (await http.get("/chains/chat")).text


async def test_the_api_gives_the_standing_of_each_need() -> None:
    targets = (await get("/api/v1/chains")).json()["chains"][0]["targets"]
    assert targets[1]["abilities"] == [
        {"capability": "tools", "standing": "missing", "detail": LACK, "at": None},
        {"capability": "vision", "standing": "unknown", "detail": "not asked yet", "at": None},
    ]
    assert targets[2]["abilities"] == []
