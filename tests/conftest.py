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


INSTALLED_BY = {
    ".venv-litellm/bin/litellm": "python3 -m venv .venv-litellm && .venv-litellm/bin/pip install "
    "-r requirements-litellm.lock",
    "prometheus": "Debian: apt-get install prometheus",
    "promtool": "Debian: apt-get install prometheus",
    "prometheus-alertmanager": "Debian: apt-get install prometheus-alertmanager",
    "chromium": "Debian: apt-get install chromium",
    "tests/browser/node_modules": "npm ci --prefix tests/browser",
    "node": "Debian: apt-get install nodejs npm",
    "tests/dashboards/schema-check/node_modules": "npm ci --prefix tests/dashboards/schema-check",
}
"""What ``needs`` can name, and how it is had: programs, and what is installed into this checkout by its path."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """``@pytest.mark.needs("promtool")``: without it the test cannot run, and in CI that is a failure."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            found = (item.config.rootpath / name).exists() if "/" in name else shutil.which(name)
            if not found:
                why = f"{name} is not installed ({INSTALLED_BY[name]})"
                if os.environ.get("CI"):
                    pytest.fail(f"in CI nothing may be skipped: {why}")
                pytest.skip(why)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing may be skipped, for whatever reason."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
