"""The pictures of the status page in the README: a real daemon on the sandbox, with a day behind it that is made up.

make pictures                   # needs Debian's chromium; takes three minutes
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.async_api import Browser, async_playwright  # noqa: E402 - after the path that they are found on

from monitor.clock import SystemClock  # noqa: E402 - as above
from monitor.model import (  # noqa: E402 - as above
    Health,
    Origin,
    Outcome,
    Reason,
    Status,
    Subject,
    Transition,
    new_id,
)
from monitor.model import Path as Way  # noqa: E402 - as above
from monitor.store import Store  # noqa: E402 - as above
from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402 - as above
from tests.e2e.daemon import Daemon, until  # noqa: E402 - as above

HOUR = 3600.0
CHAINS = {
    "chat": ("primary", "secondary", "last-resort"),
    "chat-by-provider": ("groq", "together", "deepinfra"),
    "chat-in-client": ("fast", "steady", "open-weights"),
}
USUAL = {"primary": 0.12, "secondary": 0.17, "last-resort": 0.085, "groq": 0.035, "together": 0.07, "deepinfra": 0.09,
         "fast": 0.11, "steady": 0.085, "open-weights": 0.095}  # fmt: skip
"""Seconds, as the sandbox takes them."""
DRILLS = ("primary-gone", "provider-gone", "primary-rate-limited")
# (chain, hours ago, minutes, who served, path, health of the chain, why)
STORY = (
    ("chat", 15.2, 48, 1, Way.FAILED_OVER, Health.DEGRADED, "primary down: overloaded"),
    ("chat", 5.1, 21, 1, Way.FAILED_OVER, Health.DEGRADED, "primary limited: rate_limited"),
    ("chat-by-provider", 19.0, 95, 1, Way.FILTERED, Health.DEGRADED, "groq down: server_error"),
    ("chat-by-provider", 18.4, 20, 2, Way.FAILED_OVER, Health.DEGRADED, "groq, together down: server_error"),
    ("chat-in-client", 9.0, 14, None, Way.EXHAUSTED, Health.DOWN, "every target failed: unauthorized"),
    ("chat-in-client", 2.2, 35, 1, Way.FAILED_OVER, Health.DEGRADED, "fast limited: rate_limited"),
)


def day(now: float, rng: Random) -> Iterator[Outcome]:
    """A day of answers, as scheduled; slower in the evening of the first chain's primary."""
    for chain, labels in CHAINS.items():
        for minute in range(24 * 60, 4, -1):
            at = now - minute * 60
            yield _answer(chain, labels, at, now, rng, "stream" if minute % 5 == 0 else "completion")
            if minute % 5 == 0:
                for position, label in enumerate(labels):
                    took = _took(label, at, now, rng)
                    yield _outcome(chain, at + position, took, target=label, served_by=label, position=position)


def _answer(chain: str, labels: tuple[str, ...], at: float, now: float, rng: Random, kind: str) -> Outcome:
    position, path = 0, Way.PRIMARY
    for name, ago, minutes, who, way, *_ in STORY:
        if name == chain and now - ago * HOUR <= at < now - ago * HOUR + minutes * 60:
            position, path = who, way
    if position is None:
        return _outcome(chain, at, 0.4, kind=kind, path=path, status=Status.FAILED, reason=Reason.UNAUTHORIZED)
    took = _took(labels[position], at, now, rng) + (0.08 if path is Way.FAILED_OVER else 0.0)
    first = took * rng.uniform(0.7, 0.8) if kind == "stream" else None
    served = {"served_by": labels[position], "position": position, "path": path, "first_token": first}
    return _outcome(chain, at, took, kind=kind, **served)


def _took(label: str, at: float, now: float, rng: Random) -> float:
    slow = 1.9 if label == "primary" and 10 * HOUR > now - at > 7 * HOUR else 1.0
    return USUAL[label] * slow * rng.lognormvariate(0, 0.18)


def _outcome(chain: str, at: float, took: float, *, kind: str = "completion", **own: object) -> Outcome:
    plain = {"status": Status.OK, "reason": Reason.NONE, "cost": None}
    return Outcome(
        id=new_id(at), at=at, chain=chain, probe=f"{chain}:{kind}", kind=kind, origin=Origin.SCHEDULED, duration=took,
        **{**plain, **own},  # type: ignore[arg-type]
    )  # fmt: skip


def changes(now: float) -> Iterator[Transition]:
    for chain, ago, minutes, _, _, health, why in STORY:
        begun = now - ago * HOUR
        shared = {"subject": Subject(chain=chain), "outcome": None}
        yield Transition(at=begun, before=Health.HEALTHY, after=health, reason=Reason.NONE, detail=why, **shared)
        end = begun + minutes * 60
        yield Transition(at=end, before=health, after=Health.HEALTHY, reason=Reason.NONE, detail="answers", **shared)


async def remember(database: Path) -> None:
    """Puts the day into the store, and runs of the drills that just ran into its past."""
    now, store = time.time(), await Store.open(database, SystemClock())
    for outcome in day(now, Random(7)):
        store.add_outcome(outcome)
    for change in changes(now):
        store.add_transition(change)
    for verdict, journal in await store.journals(limit=10):
        for ago in (6, 12, 18):
            at = verdict.at - ago * HOUR
            store.add_verdict(replace(verdict, at=at, run=new_id(at)), journal)
    await store.flush()
    await store.close()


async def take(browser: Browser, daemon: Daemon) -> None:
    for scheme in ("light", "dark"):
        for name, place, last in (("status", "/", "#drills"), ("chain", "/chains/chat", "#speed")):
            context = await browser.new_context(
                color_scheme=scheme, viewport={"width": 1280, "height": 1000}, timezone_id="Europe/Berlin"
            )
            page = await context.new_page()
            await page.goto(daemon.url + place)
            await page.locator("#live", has_text="live").wait_for()
            if name == "chain":
                await page.get_by_role("button", name="1d").click()
                await page.locator("[aria-pressed=true]", has_text="1d").wait_for()
            end = await page.locator(last).evaluate("(one) => one.getBoundingClientRect().bottom + scrollY + 20")
            clip = {"x": 0, "y": 0, "width": 1280, "height": end}
            await page.screenshot(path=ROOT / "docs" / f"page-{name}-{scheme}.png", full_page=True, clip=clip)
            await context.close()


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        chains, alerts = (ROOT / "chains.yaml").read_text(), (ROOT / "alerts.yaml").read_text()
        daemon = Daemon(Path(folder), chains=chains, alerts=alerts)
        try:
            await daemon.start()

            async def drilled() -> bool:
                runs = (await daemon.get("/api/v1/drills/runs"))["runs"]
                return {run["drill"] for run in runs if run["verdict"]} >= set(DRILLS)

            await until(drilled, "the drills have run", seconds=180)
            await daemon.stop()
            await remember(daemon.data / "fallbackd.sqlite3")
            await daemon.start()
            await daemon.break_("anthropic/claude-sonnet-4.5", "rate_limited")
            await until(lambda: is_degraded(daemon), "the chain has fallen back", seconds=180)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                await take(browser, daemon)
                await browser.close()
            await daemon.stop()
        finally:
            daemon.kill()


async def is_degraded(daemon: Daemon) -> bool:
    chain = await daemon.get("/api/v1/chains/chat")
    return chain["health"] == "degraded" and chain["serving"]["label"] == "secondary"


if __name__ == "__main__":
    asyncio.run(main())
