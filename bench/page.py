"""What the status page costs a browser: script, style, layout of 100 chains of 6 targets, first and when one changes.

    python bench/page.py            # needs Debian's chromium

Prints milliseconds of the browser's own clock (CDP ``Performance.getMetrics``), the worst of three loads.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.async_api import CDPSession, async_playwright  # noqa: E402 - after the path that they are found on

from monitor.serving import Server  # noqa: E402 - after the path that they are found on
from monitor.web import Feed  # noqa: E402 - after the path that they are found on
from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402 - after the path that they are found on
from tests.browser.test_page_large import CHAINS, TARGETS, Many, many  # noqa: E402 - after the path that they are found on
from tests.web.web_stage import site  # noqa: E402 - after the path that they are found on

SHOWN = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration", "TaskDuration", "LayoutCount", "Nodes")


async def metrics(session: CDPSession) -> dict[str, float]:
    found = (await session.send("Performance.getMetrics"))["metrics"]
    return {one["name"]: one["value"] for one in found}


def told(what: str, values: dict[str, float]) -> None:
    parts = [
        f"{name.removesuffix('Duration').lower()} {values[name] * 1000:.0f} ms"
        if name.endswith("Duration")
        else f"{name.lower()} {values[name]:.0f}"
        for name in SHOWN
    ]
    print(f"{what:<28} {', '.join(parts)}")


async def main() -> None:
    feed = Feed()
    server = Server(site(many(), histories=Many(), feed=feed), "127.0.0.1", 0)
    url = await server.start()
    print(f"{CHAINS} chains of {TARGETS} targets")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        loads = []
        for _ in range(3):
            page = await browser.new_page(viewport={"width": 1280, "height": 900})
            session = await page.context.new_cdp_session(page)
            await session.send("Performance.enable")
            began = time.perf_counter()
            await page.goto(url)
            await page.locator("#live", has_text="live").wait_for()
            took = time.perf_counter() - began
            await page.wait_for_timeout(3000)  # three ticks of its clock
            loads.append(await metrics(session))
            print(f"{'loaded and live':<28} {took * 1000:.0f} ms")
        worst = max(loads, key=lambda one: one["ScriptDuration"])
        told("load and 3 s", worst)
        before = await metrics(session)
        for number in range(CHAINS):
            feed.publish("outcome", {"chain": f"chain-{number}", "target": None})
        await page.wait_for_timeout(4000)
        after = await metrics(session)
        told("everything fetched again", {name: after[name] - before[name] for name in SHOWN})
        await browser.close()
    await server.stop()
    print("ScriptDuration below 1000 ms:", "yes" if worst["ScriptDuration"] < 1 else "NO")


if __name__ == "__main__":
    asyncio.run(main())
