"""The page beside a real daemon: what happens there is seen here, without anything being loaded anew."""

from __future__ import annotations

import re
import signal

import anyio
import pytest
from playwright.async_api import Page, expect

from tests.e2e.daemon import Daemon

from .conftest import PATIENCE, Open

pytestmark = pytest.mark.anyio

GONE = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET")
STAYS = "window.stays = true"
"""Gone after a reload."""
INKED = """() => {
  const canvas = document.querySelector("[data-chart=latency] canvas");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.filter((value, at) => at % 4 === 3 && value > 0).length;
}"""
"""How many pixels of the first chart are not empty."""


async def settled(page: Page) -> None:
    """Live, and every chain and target has been asked, so that a drill may run."""
    await expect(page.locator("#live")).to_have_text("live", timeout=PATIENCE)
    for name in ("chat", "walked"):
        await expect(page.locator(f"#chain-{name} .chain-who .state")).to_have_text("healthy", timeout=PATIENCE)
        await expect(page.locator(f"#chain-{name} .hop.healthy")).to_have_count(2, timeout=PATIENCE)


async def test_a_break_is_seen_while_it_happens(daemon: Daemon, open_page: Open) -> None:
    page = await open_page(daemon.url)
    await settled(page)
    await page.evaluate(STAYS)
    link = page.get_by_role("link", name="chat", exact=True).first
    await link.focus()
    await daemon.break_("anthropic/claude-haiku-4.5", "overloaded")
    row = page.locator("#chain-chat")
    await expect(row.locator(".hop").nth(0)).to_contain_text("down", timeout=PATIENCE)
    await expect(row.locator(".hop.serves")).to_contain_text("secondary", timeout=PATIENCE)
    await expect(row.locator(".chain-who .state")).to_have_text("degraded", timeout=PATIENCE)
    await expect(page.locator("h1")).to_have_text("chat is degraded", timeout=PATIENCE)
    await expect(page).to_have_title("chat is degraded · fallbackd", timeout=PATIENCE)
    await expect(page.locator("#announce")).to_contain_text("chat is degraded", timeout=PATIENCE)
    assert await page.evaluate("document.activeElement.textContent") == "chat"
    await daemon.mend()
    await expect(row.locator(".chain-who .state")).to_have_text("healthy", timeout=PATIENCE)
    assert await page.evaluate("window.stays")


async def test_a_drill_is_started_here_and_seen_through_to_its_verdict(daemon: Daemon, open_page: Open) -> None:
    page = await open_page(daemon.url)
    await settled(page)
    await page.get_by_role("link", name="Run primary-gone").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Breaks primary of chat with ignore, for fallbackd's own questions only")
    await expect(dialog).to_contain_text(
        re.compile(r"for 2 min at most, with up to \d+ paid requests \(\$[\d.]+ at most\)")
    )
    await dialog.get_by_role("button", name="Break it now").click()
    await page.wait_for_url("**/runs/*", timeout=PATIENCE)
    await page.evaluate(STAYS)
    await expect(page.locator(".verdict-word")).to_have_text("passed", timeout=PATIENCE)
    await expect(page.locator(".step.inject").first).to_contain_text("ignore on primary")
    await expect(page.locator(".step.judge").first).to_contain_text("secondary answered")
    assert await page.evaluate("window.stays")
    run = (await daemon.get("/api/v1/drills/runs"))["runs"][0]
    assert (run["drill"], run["verdict"]["kind"]) == ("primary-gone", "passed")
    assert run["asked_by"] == "the status page"


async def test_a_drill_that_goes_on_is_stopped_from_its_own_page(daemon: Daemon, open_page: Open) -> None:
    page = await open_page(daemon.url)
    await settled(page)
    await page.goto(f"{daemon.url}/drills/long/run")
    await page.get_by_role("button", name="Break it now").click()
    await page.wait_for_url("**/runs/*", timeout=PATIENCE)
    await expect(page.locator(".step.inject").first).to_contain_text("silent on fast", timeout=PATIENCE)
    await page.get_by_role("button", name="Stop all drills").click()
    await page.wait_for_url("**/#drills", timeout=PATIENCE)
    await expect(page.locator("#drills")).to_contain_text("All drills are stopped: stopped by the status page")
    await expect(page.get_by_role("link", name="Run long")).to_have_count(0)
    await page.get_by_role("button", name="Allow drills again").click()
    await expect(page.get_by_role("link", name="Run long")).to_have_count(1, timeout=PATIENCE)


async def test_the_page_of_a_chain_shows_who_served_and_how_fast(daemon: Daemon, open_page: Open) -> None:
    page = await open_page(f"{daemon.url}/chains/chat")
    await expect(page.locator("#chain .state").first).to_have_text("healthy", timeout=PATIENCE)
    await expect(page.locator("[data-chart=latency] canvas")).to_have_count(1, timeout=PATIENCE)
    await expect(page.locator("[data-chart=latency]")).to_have_attribute(
        "aria-label", re.compile(r"whole chain \d+ ms")
    )
    await expect(page.locator("[data-chart=first_token]")).to_contain_text("No stream in this time")
    await expect(page.locator("#served .strip")).to_have_attribute(
        "aria-label", re.compile("primary 100 %"), timeout=PATIENCE
    )
    assert await page.evaluate(INKED) > 100
    await page.get_by_role("button", name="7d").click()
    await expect(page.get_by_role("button", name="7d")).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)


async def test_charts_without_a_history_say_so_and_are_drawn_when_there_is_one(daemon: Daemon, open_page: Open) -> None:
    page = await open_page(daemon.url, allowed=("503",))
    await settled(page)
    await page.route("**/chains/chat/history*", lambda route: route.fulfill(status=503))
    await page.goto(f"{daemon.url}/chains/chat")
    await expect(page.locator("[data-chart=latency]")).to_contain_text("The history could not be read (HTTP 503)")
    await page.unroute("**/chains/chat/history*")
    await expect(page.locator("[data-chart=latency] canvas")).to_have_count(1)
    assert await page.evaluate(INKED) > 100


async def test_a_silence_is_made_and_ended_on_the_page(daemon: Daemon, open_page: Open) -> None:
    page, other = await open_page(f"{daemon.url}/chains/chat"), await open_page(daemon.url)
    await settled(other)
    await page.locator("#silence-chain").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Why").fill("a test of ours")
    await dialog.get_by_role("button", name="Silence").click()
    for one in (page, other):
        await expect(one.locator("#alerts")).to_contain_text("a test of ours, says the status page", timeout=PATIENCE)
    (made,) = (await daemon.get("/api/v1/silences"))["silences"]
    assert (made["chain"], round(made["ends"] - made["starts"])) == ("chat", 3600)
    await page.get_by_role("button", name="End the silence of chat").click()
    for one in (page, other):
        await expect(one.locator("#alerts")).not_to_contain_text("a test of ours", timeout=PATIENCE)


async def test_a_daemon_that_is_gone_is_said_to_be_and_comes_back(daemon: Daemon, open_page: Open) -> None:
    page = await open_page(daemon.url, allowed=GONE)
    await settled(page)
    await page.evaluate(STAYS)
    port = daemon.url.rpartition(":")[2]
    await daemon.stop(signal.SIGKILL)
    await expect(page.locator("#lost")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator("#lost")).to_contain_text(re.compile(r"has not answered since \d\d:\d\d:\d\d"))
    await expect(page.locator("#live")).to_have_text("not live")
    await daemon.start("--listen", f"127.0.0.1:{port}")
    await expect(page.locator("#live")).to_have_text("live", timeout=PATIENCE)
    await expect(page.locator("#lost")).to_be_hidden()
    assert await page.evaluate("window.stays")


async def without_events(page: Page) -> None:
    await page.route("**/api/v1/events*", lambda route: route.abort())
    await page.clock.install()


async def test_where_events_cannot_be_had_the_page_asks_now_and_then(daemon: Daemon, open_page: Open) -> None:
    page = await open_page(daemon.url, allowed=("ERR_FAILED",), before=without_events)
    await expect(page.locator("#live")).to_have_text("every 15 s", timeout=PATIENCE)
    await daemon.break_("anthropic/claude-haiku-4.5", "overloaded")
    first = page.locator("#chain-chat .hop").first
    with anyio.fail_after(PATIENCE / 1000):
        while "down" not in (await first.text_content() or ""):
            await page.clock.run_for(15_000)
