"""Who may do what, tried as people and other people's pages would try it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.async_api import Page, expect

from tests.e2e.daemon import Daemon
from tests.web.web_stage import FakeControl, site

from .conftest import PATIENCE, Open

pytestmark = pytest.mark.anyio

TOKEN = "the-token-of-the-page"
Serve = Callable[[FastAPI], Awaitable[str]]


async def sign_in(page: Page, token: str) -> None:
    await page.get_by_label("Access token").fill(token)
    await page.get_by_role("main").get_by_role("button", name="Sign in").click()


async def test_a_wrong_token_is_said_to_be_wrong_and_the_right_one_leads_back(serve: Serve, open_page: Open) -> None:
    control = FakeControl()
    url = await serve(site(control, token=TOKEN, loopback=False))
    page = await open_page(f"{url}/chains/chat", allowed=("401",))
    await page.wait_for_url("**/signin?next=/chains/chat")
    await sign_in(page, "guessed")
    await expect(page.get_by_role("alert").first).to_have_text("That is not the access token.")
    await expect(page.get_by_label("Access token")).to_be_focused()
    await sign_in(page, TOKEN)
    await page.wait_for_url("**/chains/chat")
    await page.get_by_role("link", name="Run primary-gone").click()
    await page.get_by_role("dialog").get_by_role("button", name="Break it now").click()
    await page.wait_for_url("**/runs/run-1")
    assert control.asked == [("start", "primary-gone", "the status page")]
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/signin?next=/")


async def test_a_session_that_is_over_leads_to_the_sign_in(serve: Serve, open_page: Open) -> None:
    control = FakeControl()
    url = await serve(site(control, token=TOKEN))
    page = await open_page(f"{url}/signin")
    await sign_in(page, TOKEN)
    await page.get_by_role("button", name="Stop all drills").wait_for()
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Stop all drills").click()
    await page.wait_for_url("**/signin?next=/")
    assert control.asked == []


REFUSED = ("CORS", "403", "404", "ERR_FAILED", "ERR_BLOCKED_BY_RESPONSE")
ATTACK = """<!doctype html><title>attack</title>
<form method="post" action="{url}/stop"><button>free money</button></form>
<form method="post" action="{url}/drills/long/run"><button>free drill</button></form>
<p id="said"></p>
<script>
document.querySelector("#said").addEventListener("attack", async () => {{
  const blind = {{mode: "no-cors"}};
  const tries = [["/api/v1/stop", {{}}], ["/stop", blind], ["/api/v1/drills/long/runs", blind]];
  const said = [];
  for (const [place, how] of tries) {{
    try {{
      const answer = await fetch("{url}" + place, {{method: "POST", credentials: "include", ...how}});
      said.push(`${{place}} ${{answer.type}} ${{answer.status}}`);
    }} catch (error) {{ said.push(`${{place}} ${{error.name}}`); }}
  }}
  document.querySelector("#said").textContent = said.join(", ");
}});
</script>
"""


async def test_a_page_of_another_origin_changes_nothing(daemon: Daemon, serve: Serve, open_page: Open) -> None:
    other = FastAPI()

    @other.get("/", response_class=HTMLResponse)
    async def attack() -> str:
        return ATTACK.format(url=daemon.url)

    attacker = await serve(other)
    page = await open_page(attacker, hosts={daemon.url}, allowed=REFUSED)
    await page.locator("#said").dispatch_event("attack")
    tried = "/api/v1/stop TypeError, /stop TypeError, /api/v1/drills/long/runs TypeError"
    await expect(page.locator("#said")).to_have_text(tried, timeout=PATIENCE)
    for button in ("free money", "free drill"):
        await page.goto(attacker)
        async with page.expect_response("**/*") as answered:
            await page.get_by_role("button", name=button).click()
        answer = await answered.value
        assert (answer.url.startswith(daemon.url), answer.status) == (True, 403)
        assert await answer.json() == {"error": {"message": "this request was made by a page of another site"}}
    status = await daemon.get("/api/v1/status")
    assert (status["stopped"], status["runs_under_way"]) == (None, 0)
    assert (await daemon.get("/api/v1/drills/runs"))["runs"] == []


async def test_the_page_for_everybody_has_no_buttons_and_no_costs(serve: Serve, open_page: Open) -> None:
    url = await serve(site(token=TOKEN, loopback=False, public=True))
    page = await open_page(f"{url}/chains/chat")
    await expect(page.locator("h1")).to_have_text("chat")
    await expect(page.locator("[data-chart=latency] canvas")).to_have_count(1)
    await expect(page.locator("#live")).to_have_text("every 15 s")
    for gone in ("Silence", "Stop all drills", "$", "Outcomes", "openrouter", "API"):
        await expect(page.locator("body")).not_to_contain_text(gone)
    await page.goto(f"{url}/metrics")
    await page.wait_for_url("**/signin?next=/metrics")
