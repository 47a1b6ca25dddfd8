"""The page for every reader: keyboard, screen reader, a narrow screen, a dark one, a still one, another time zone."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from monitor.model import Health
from tests.web.web_stage import FakeControl, site
from tests.web.web_values import chat

from .conftest import Open
from .test_page_access import TOKEN, Serve

pytestmark = [pytest.mark.anyio, pytest.mark.needs("tests/browser/node_modules")]

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
PLACES = [
    "/",
    "/chains/chat",
    "/chains/chat-in-client",
    "/runs/run-1",
    "/rules",
    "/api/docs",
    "/signin",
    "/chains/chat/silence",
    "/drills/primary-gone/run",
]
MOVING = "[...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).animationName !== 'none').length"
LEVELS = "[...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName[1]))"


@pytest.fixture
async def url(serve: Serve) -> str:
    return await serve(site(token=TOKEN, loopback=True))


async def signed_in(open_page: Open, url: str, place: str, **settings: object) -> Page:
    async def before(page: Page) -> None:
        await page.request.post(f"{url}/signin", form={"token": TOKEN})

    return await open_page(url + place, before=before, **settings)


async def found_by_axe(page: Page) -> list[str]:
    """``rule: element`` of whatever is serious or critical."""
    await page.evaluate(AXE.read_text())
    violations = json.loads(await page.evaluate("axe.run().then((found) => JSON.stringify(found.violations))"))
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
async def test_axe_finds_nothing_serious(url: str, open_page: Open, place: str, scheme: str) -> None:
    page = await signed_in(open_page, url, place, color_scheme=scheme)
    if place == "/chains/chat":
        await page.locator("[data-chart=latency] canvas").wait_for()
    assert await found_by_axe(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_a_question(url: str, open_page: Open, scheme: str) -> None:
    page = await signed_in(open_page, url, "/", color_scheme=scheme)
    await page.get_by_role("link", name="Run primary-gone").click()
    await page.get_by_role("dialog").wait_for()
    assert await found_by_axe(page) == []


@pytest.mark.parametrize("place", PLACES)
async def test_a_narrow_screen_needs_no_sideways_scrolling(url: str, open_page: Open, place: str) -> None:
    page = await signed_in(open_page, url, place, viewport={"width": 360, "height": 740})
    await page.locator("main").wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    assert await page.evaluate("document.body.scrollWidth") <= 360


async def test_dark_is_dark_and_light_is_light(url: str, open_page: Open) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        page = await signed_in(open_page, url, "/", color_scheme=scheme)
        colour = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        shades[scheme] = sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    assert shades["light"] > 600
    assert shades["dark"] < 150


async def test_who_wants_no_motion_sees_none(url: str, open_page: Open) -> None:
    page = await signed_in(open_page, url, "/", reduced_motion="reduce")
    moving = (
        "[...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).animationName !== 'none').length"
    )
    assert await page.evaluate(moving) == 0


async def test_everything_can_be_done_by_keyboard(url: str, open_page: Open) -> None:
    page = await signed_in(open_page, url, "/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    run = page.get_by_role("link", name="Run primary-gone")
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await run.evaluate("(one) => one === document.activeElement"):
            break
    await expect(run).to_be_focused()
    assert await run.evaluate("(one) => getComputedStyle(one).outlineStyle") == "solid"
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Run primary-gone?")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(run).to_be_focused()


async def test_the_page_has_landmarks_and_headings_in_order(url: str, open_page: Open) -> None:
    page = await signed_in(open_page, url, "/chains/chat")
    for role in ("banner", "main", "navigation", "contentinfo"):
        await expect(page.get_by_role(role)).to_have_count(1)
    levels = await page.evaluate(LEVELS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    await expect(page.locator("#announce")).to_have_attribute("aria-live", "polite")


async def test_times_are_the_readers_with_utc_in_the_tip(url: str, open_page: Open) -> None:
    page = await signed_in(open_page, url, "/runs/run-1", timezone_id="Asia/Kolkata")
    time = page.locator("main time[data-clock]").first
    await expect(time).to_have_text("2023-11-15 03:13:20")
    await expect(time).to_have_attribute("title", "2023-11-14 21:43:20 UTC")
    await expect(time).to_have_attribute("datetime", "2023-11-14T21:43:20Z")
    await expect(page.locator("[data-zone]")).to_have_text("Asia/Calcutta")


async def test_times_in_texts_are_the_readers_with_utc_in_the_tip(serve: Serve, open_page: Open) -> None:
    told = "primary limited since 22:03 UTC, left alone until 2023-11-14T22:14:00Z"
    limited = chat().model_copy(update={"health": Health.DEGRADED, "detail": told})
    url = await serve(site(FakeControl(chain_views=[limited])))
    page = await open_page(f"{url}/chains/chat", timezone_id="Asia/Kolkata")
    why = page.locator("#chain .why")
    await expect(why).to_have_text("primary limited since 03:33, left alone until 2023-11-15 03:44:00")
    await expect(why.locator("time").first).to_have_attribute("title", "22:03 UTC")
    await expect(why.locator("time").last).to_have_attribute("title", "2023-11-14 22:14:00 UTC")


async def test_without_script_the_page_says_and_does_the_same(url: str, open_page: Open) -> None:
    page = await signed_in(open_page, url, "/", java_script_enabled=False)
    await expect(page.locator("h1")).to_have_text("chat-in-client is down")
    await page.get_by_role("link", name="Run primary-gone").click()
    await page.wait_for_url("**/drills/primary-gone/run")
    await page.get_by_role("button", name="Break it now").click()
    await page.wait_for_url("**/runs/run-1")


async def test_a_page_with_nothing_to_show_says_what_to_do(serve: Serve, open_page: Open) -> None:
    fresh = chat().model_copy(update={"health": Health.UNKNOWN, "serving": None, "since": None})
    empty = FakeControl(chain_views=[fresh], alert_views=(), drill_views=(), found=[])
    url = await serve(site(empty))
    page = await open_page(url)
    await expect(page.locator("#drills .empty")).to_contain_text("Add one under drills: in chains.yaml")
    await page.goto(f"{url}/chains/chat")
    await expect(page.locator("#outcomes .empty")).to_contain_text("fallbackd probe chat asks the chain now")
    await expect(page.locator("[data-chart=first_token] .none")).to_contain_text(
        "A probe of the kind stream measures it"
    )
