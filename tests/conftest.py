"""What every test shares."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator

import pytest

from tests.fakes.slack import FakeSlack


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def fake_slack() -> AsyncIterator[FakeSlack]:
    """A Slack on a free loopback port."""
    async with FakeSlack() as slack:
        yield slack


def pytest_runtest_setup(item: pytest.Item) -> None:
    """``@pytest.mark.needs("promtool")``: without it the test cannot run, and in CI that is a failure."""
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program) is None:
                why = f"{program} is not installed (Debian: apt-get install prometheus prometheus-alertmanager)"
                if os.environ.get("CI"):
                    pytest.fail(f"in CI nothing may be skipped: {why}")
                pytest.skip(why)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing may be skipped, for whatever reason."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
