"""A Slack to talk to in tests."""

from tests.fakes.slack.limits import wrong_with
from tests.fakes.slack.message import SlackMessage, texts
from tests.fakes.slack.server import TOKEN, WEBHOOK_PATH, FakeSlack, Trouble
from tests.fakes.slack.socket import ADA, APP_TOKEN, EVE, Person

__all__ = [
    "ADA",
    "APP_TOKEN",
    "EVE",
    "TOKEN",
    "WEBHOOK_PATH",
    "FakeSlack",
    "Person",
    "SlackMessage",
    "Trouble",
    "texts",
    "wrong_with",
]
