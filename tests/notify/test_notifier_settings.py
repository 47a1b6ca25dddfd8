"""What each notifier asks of alerts.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.notify import NOTIFIERS
from monitor.notify.slack import SlackSettings

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


def test_a_pasted_token_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        SlackSettings.model_validate({"token": "xoxb-1", "channel": "C"})


def test_the_log_reaches_nobody() -> None:
    assert not NOTIFIERS["log"].settings.reaches_people


def test_every_kind_of_notifier_is_listed() -> None:
    folder = Path(__file__).parents[2] / "monitor" / "notify"
    declared = {file.stem for file in folder.glob("*.py") if "\nKIND = NotifierKind(" in file.read_text()}
    assert declared == set(NOTIFIERS)
