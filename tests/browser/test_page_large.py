"""A hundred chains of six targets: all of it is there, and nothing is worked out more often than it must be."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from monitor.web import Feed
from monitor.web.history_views import StripView
from tests.web.web_stage import FakeControl, FakeHistories, site
from tests.web.web_values import chat

from .conftest import PATIENCE, Open
from .test_page_access import Serve

pytestmark = pytest.mark.anyio

CHAINS, TARGETS = 100, 6

WATCHED = """
window.touched = new Set();
addEventListener("DOMContentLoaded", () => {
  new MutationObserver((changes) => {
    for (const {target} of changes) {
      const part = (target.closest ? target : target.parentElement)?.closest("[data-part]");
      if (part) window.touched.add(part.id);
    }
  }).observe(document.getElementById("main"), {subtree: true, childList: true, attributes: true, characterData: true});
});
"""


class Many(FakeHistories):
    async def strips(self) -> dict[str, StripView]:
        strip = (await super().strips())["chat"]
        return {f"chain-{number}": strip for number in range(CHAINS)}


def many() -> FakeControl:
    first = chat()
    targets = tuple(
        first.targets[0].model_copy(update={"label": f"target-{place}", "position": place, "providers": ()})
        for place in range(TARGETS)
    )
    chains = [first.model_copy(update={"name": f"chain-{number}", "targets": targets}) for number in range(CHAINS)]
    return FakeControl(chain_views=chains, alert_views=(), drill_views=(), incident_views=())


async def before(page: Page) -> None:
    await page.add_init_script(WATCHED)


def changed(control: FakeControl, number: int) -> None:
    views = list(control.chain_views)
    views[number] = views[number].model_copy(update={"latency": 7.77})
    control.chain_views = views


async def test_all_are_there_and_one_that_changes_is_fetched_alone(serve: Serve, open_page: Open) -> None:
    feed, control = Feed(), many()
    url = await serve(site(control, histories=Many(), feed=feed))
    page = await open_page(url, before=before)
    await expect(page.locator("article.chain")).to_have_count(CHAINS)
    await expect(page.locator("article.chain .hop")).to_have_count(CHAINS * TARGETS)
    await expect(page.locator("article.chain svg.strip")).to_have_count(CHAINS)
    await expect(page.locator("#live")).to_have_text("live", timeout=PATIENCE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(url)))
    await page.evaluate("window.touched.clear()")
    changed(control, 7)
    feed.publish("outcome", {"chain": "chain-7", "target": None})
    await expect(page.locator("#chain-chain-7")).to_contain_text("7.77 s", timeout=PATIENCE)
    assert asked == ["/?parts=chain-chain-7"]
    assert await page.evaluate("[...window.touched]") == ["chain-chain-7"]


async def test_much_at_once_is_fetched_once(serve: Serve, open_page: Open) -> None:
    feed, control = Feed(), many()
    url = await serve(site(control, histories=Many(), feed=feed))
    page = await open_page(url, before=before)
    await expect(page.locator("#live")).to_have_text("live", timeout=PATIENCE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(url)))
    changed(control, CHAINS - 1)
    for _ in range(2):
        for number in range(CHAINS):
            feed.publish("outcome", {"chain": f"chain-{number}", "target": None})
    await expect(page.locator(f"#chain-chain-{CHAINS - 1}")).to_contain_text("7.77 s", timeout=PATIENCE)
    assert asked == ["/"]


async def test_a_chain_that_is_new_comes_and_one_that_went_goes(serve: Serve, open_page: Open) -> None:
    feed, control = Feed(), many()
    url = await serve(site(control, histories=Many(), feed=feed))
    page = await open_page(url)
    await expect(page.locator("#live")).to_have_text("live", timeout=PATIENCE)
    new = control.chain_views[0].model_copy(update={"name": "new-one"})
    control.chain_views = [new, *control.chain_views[1:]]
    feed.publish("refresh", {})
    await expect(page.locator("#chain-new-one")).to_have_count(1, timeout=PATIENCE)
    await expect(page.locator("#chain-chain-0")).to_have_count(0)
    await expect(page.locator("article.chain")).to_have_count(CHAINS)
