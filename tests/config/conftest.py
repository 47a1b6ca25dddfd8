"""A vocabulary of the words that exist, and a way to load texts as if they were the two files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, model_validator

from monitor.conditions import RULES
from monitor.config.loading import load
from monitor.config.model import Config, DialectTraits, FaultOption, NotifierSettings, RuleTraits, Section, Vocabulary
from monitor.model import Mode

GOOD_CHAINS = """\
endpoints:
  local: {dialect: openrouter, url: "http://127.0.0.1:9/api/v1", credential_env: OPENROUTER_API_KEY}
chains:
  - name: chat
    endpoint: local
    mode: server
    targets:
      - {label: first, model: a/one}
      - {label: second, model: b/two}
    probes:
      - {kind: completion, every: 60s}
"""

GOOD_ALERTS = """\
notifiers:
  - {name: log, kind: log}
routes:
  - notify: [log]
rules:
  - {name: down, when: chain_down, severity: critical}
"""


class CommandsSection(Section):
    """A part of a notifier with a credential of its own."""

    app_token_env: str = Field(description="Variable of the app's token.")


class SlackSettings(NotifierSettings):
    """Slack."""

    commands: CommandsSection | None = Field(default=None, description="What it hears.")

    token_env: str | None = Field(default=None, description="Variable of the bot token.")
    token_file: str | None = Field(default=None, description="File of the bot token.")
    channel: str | None = Field(default=None, pattern=r"^[#CDG].+", description="Where to write.")
    webhook_url_env: str | None = Field(default=None, description="Variable of the webhook's address.")
    webhook_url_file: str | None = Field(default=None, description="File of the webhook's address.")
    api_url: str = Field(default="https://slack.com/api/", description="Slack's address.")

    @model_validator(mode="after")
    def _names_a_credential(self) -> SlackSettings:
        if not any((self.token_env, self.token_file, self.webhook_url_env, self.webhook_url_file)):
            raise ValueError("names no credential; set token_env or webhook_url_env")
        return self


class LogSettings(NotifierSettings):
    """The log."""

    reaches_people: ClassVar[bool] = False


def _seconds(default: float) -> FaultOption:
    return FaultOption(unit="seconds", default=default, low=0.0, high=3600.0)


def _count(default: int) -> FaultOption:
    return FaultOption(unit="count", default=default, low=0, high=1000)


NO_OPTIONS: Mapping[str, FaultOption] = {}
PLAIN = (
    "refused", "dns", "tls", "reset", "unavailable", "overloaded", "server_error", "bad_gateway", "unauthorized",
    "out_of_credit", "moderated", "model_gone", "bad_request", "context_length", "silent", "malformed", "html", "empty",
    "empty_content", "error_in_200", "wrong_model", "wrong_answer", "starved",
)  # fmt: skip
REQUEST = dict.fromkeys(("ignore", "unavailable", "only", "max_price", "unknown_id"), NO_OPTIONS)
TRANSPORT = {
    **dict.fromkeys(PLAIN, NO_OPTIONS),
    "delay": {"seconds": _seconds(5)},
    "slow_first_token": {"seconds": _seconds(5)},
    "rate_limited": {"retry_after": _seconds(30)},
    "status": {"code": FaultOption(unit="status", default=503, low=400, high=599)},
    "stall": {"after": _count(3)},
    "cut": {"after": _count(3)},
}


SHAPES = {
    "always": NO_OPTIONS,
    "every_nth": {"n": FaultOption(unit="count", default=2, low=1, high=1000)},
    "probability": {"share": FaultOption(unit="share", default=0.5, low=0, high=1)},
    "window": {"start": _seconds(0), "length": _seconds(30)},
}


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(
        dialects=frozenset({"openrouter", "litellm", "openai_compatible"}),
        kinds=frozenset({"completion", "stream"}),
        capabilities=frozenset({"tools", "structured", "vision", "budget", "tool_calling"}),
        rules={
            name: RuleTraits(settings=rule.settings, one_of=rule.one_of, names_no_chain=rule.is_about_itself)
            for name, rule in RULES.items()
        },
        traits={
            "openrouter": DialectTraits(modes=frozenset(Mode), pins=True, routes=True, most_models=3, priced=True),
            "litellm": DialectTraits(modes=frozenset(Mode), pins=True, routes=True, priced=True),
            "openai_compatible": DialectTraits(modes=frozenset({Mode.CLIENT})),
        },
        faults={"request": REQUEST, "transport": TRANSPORT},
        shapes=SHAPES,
        notifiers={"slack": SlackSettings, "log": LogSettings},
    )


Load = Callable[..., Config]


@pytest.fixture
def load_texts(tmp_path: Path, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads texts (or bytes) as chains.yaml and alerts.yaml of the working directory."""
    monkeypatch.chdir(tmp_path)

    def load_them(
        chains: str | bytes = GOOD_CHAINS,
        alerts: str | bytes = GOOD_ALERTS,
        *,
        environ: Mapping[str, str] | None = None,
        sandbox: bool = False,
    ) -> Config:
        for name, text in (("chains.yaml", chains), ("alerts.yaml", alerts)):
            Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        given = {"OPENROUTER_API_KEY": "key-of-a-test"} if environ is None else environ
        return load(Path("chains.yaml"), Path("alerts.yaml"), vocabulary=vocabulary, environ=given, sandbox=sandbox)

    return load_them
