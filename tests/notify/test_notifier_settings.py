"""What each notifier asks of alerts.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.config.loading import load
from monitor.notify import NOTIFIERS
from monitor.notify.slack import SlackSettings
from monitor.vocabulary import vocabulary

ROOT = Path(__file__).parents[2]
WAYS = (
    "takes exactly one way: token_env (or token_file) with a channel, for a bot, "
    "or webhook_url_env (or webhook_url_file), for an incoming webhook; it has "
)


@pytest.mark.parametrize(
    "settings",
    [
        {"token_env": "T", "channel": "#alerts"},
        {"token_file": "/run/secrets/slack", "channel": "C0123"},
        {"webhook_url_env": "W"},
        {"webhook_url_file": "hook.txt"},
    ],
)
def test_each_way_to_slack_is_taken(settings: dict[str, Any]) -> None:
    assert SlackSettings.model_validate(settings).reaches_people


def test_a_webhook_says_what_it_cannot_do(tmp_path: Path) -> None:
    cannot = SlackSettings.model_validate({"webhook_url_env": "W"}).cannot
    assert cannot.startswith("is a webhook, which cannot edit its messages, answer in threads or take presses")
    assert SlackSettings.model_validate({"token_env": "T", "channel": "C0123"}).cannot == ""
    alerts = tmp_path / "alerts.yaml"
    alerts.write_text(
        "notifiers: [{name: slack, kind: slack, webhook_url_env: HOOK}]\n"
        "routes: [{notify: [slack]}]\nrules: [{name: down, when: chain_down}]\n"
    )
    secrets = {"OPENROUTER_API_KEY": "key", "HOOK": "https://hooks.example/x"}
    config = load(ROOT / "chains.yaml", alerts, vocabulary=vocabulary(), environ=secrets)
    assert config.warnings == (f"notifier slack {cannot}",)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, WAYS + "none of them"),
        ({"channel": "#alerts"}, WAYS + "none of them"),
        ({"token_env": "T", "token_file": "F", "channel": "C"}, WAYS + "token_env and token_file"),
        ({"token_env": "T", "webhook_url_env": "W", "channel": "C"}, WAYS + "token_env and webhook_url_env"),
        ({"token_env": "T"}, "token_env needs a channel: write its id (C0123456789) or #name"),
        ({"webhook_url_env": "W", "channel": "C"}, "a webhook posts to the channel it was made for; remove channel"),
    ],
)
def test_any_other_way_is_a_mistake_with_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SlackSettings.model_validate(settings)
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {sentence}"]


COMMANDS = {"app_token_env": "A", "channels": ["C0123"]}
BOT = {"token_env": "T", "channel": "#alerts"}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({**BOT, "commands": {**COMMANDS, "app_token_file": "F"}}, "exactly one of app_token_env and app_token_file"),
        ({**BOT, "commands": {"channels": ["C0123"]}}, "exactly one of app_token_env and app_token_file"),
        ({**BOT, "commands": {**COMMANDS, "channels": ["#alerts"]}}, "should match pattern"),
        ({**BOT, "commands": {**COMMANDS, "channels": []}}, "at least 1 item"),
        ({**BOT, "commands": {**COMMANDS, "users": ["@ada"]}}, "should match pattern"),
        ({"webhook_url_env": "W", "commands": COMMANDS}, "a webhook hears nothing; remove commands, or use a bot"),
        ({**BOT, "digest_above": 0}, "greater than or equal to 1"),
    ],
)
def test_commands_need_a_bot_a_token_and_ids(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        SlackSettings.model_validate(settings)


def test_without_users_nobody_is_listed() -> None:
    allowed = SlackSettings.model_validate({**BOT, "commands": COMMANDS}).commands
    assert allowed is not None
    assert allowed.users == ()


def test_a_pasted_token_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        SlackSettings.model_validate({"token": "xoxb-1", "channel": "C"})


def test_the_log_reaches_nobody() -> None:
    assert not NOTIFIERS["log"].settings.reaches_people


def test_every_kind_of_notifier_is_listed() -> None:
    folder = Path(__file__).parents[2] / "monitor" / "notify"
    declared = {file.stem for file in folder.glob("*.py") if "\nKIND = NotifierKind(" in file.read_text()}
    assert declared == set(NOTIFIERS)
