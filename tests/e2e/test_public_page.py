"""A page for everybody, in a real daemon: in force with a token alone, and taken back by a reload."""

from __future__ import annotations

import signal
from collections.abc import Callable

import httpx
import pytest

from tests.e2e.configs import CHAINS
from tests.e2e.daemon import Daemon, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PUBLIC = CHAINS + "page: {public: true}\n"
TOKEN = "a-token-of-the-page"


async def status(daemon: Daemon, place: str, **headers: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(daemon.url + place, headers=headers, timeout=10)).status_code


async def test_everybody_reads_the_page_until_a_reload_takes_it_back(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(PUBLIC, FALLBACKD_TOKEN=TOKEN)
    await daemon.start()
    assert [await status(daemon, place) for place in ("/", "/chains/chat", "/badge/chat.svg")] == [200] * 3
    assert await status(daemon, "/metrics") == 401
    assert await status(daemon, "/metrics", authorization=f"Bearer {TOKEN}") == 200
    daemon.chains.write_text(CHAINS)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)

    async def is_taken_back() -> bool:
        return await status(daemon, "/metrics") == 200  # on loopback, and no proxy is expected in front any more

    await until(is_taken_back, "the page is shown as before")


async def test_without_a_token_it_says_that_it_is_not_in_force(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(PUBLIC)
    await daemon.start()
    assert "page: public: true is not in force: set FALLBACKD_TOKEN or --token-file" in daemon.output
    assert await status(daemon, "/metrics") == 200
