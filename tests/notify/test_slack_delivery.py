"""The Slack notifier against a Slack on a real socket."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from monitor.config.model import AlertsFile, Config
from monitor.errors import DeliveryError
from monitor.model import NoticeCause
from monitor.notify import NOTIFIERS, Notifier, build_notifiers, slack_session
from monitor.notify.slack import SlackSettings
from monitor.notify.slack_errors import MESSAGE_REFUSED, PASSING, REMEDIES, refused
from tests.fakes.clock import FakeClock
from tests.fakes.slack import TOKEN, WEBHOOK_PATH, FakeSlack, Trouble
from tests.fakes.values import NOW, notice, resolved
from tests.notify.slack_stage import WAYS, bot_of, closing, webhook_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def bot(fake_slack: FakeSlack) -> AsyncIterator[Notifier]:
    async with closing(bot_of(fake_slack)) as bot:
        yield bot


@pytest.fixture
async def webhook(fake_slack: FakeSlack) -> AsyncIterator[Notifier]:
    async with closing(webhook_of(fake_slack)) as webhook:
        yield webhook


async def refusal(notifier: Notifier, ref: str | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await notifier.deliver(notice(), ref)
    error = caught.value
    assert error.__suppress_context__ or error.__context__ is None, "what the SDK says may hold a secret"
    return error


async def test_one_message_is_posted_edited_and_marked_as_resolved(fake_slack: FakeSlack, bot: Notifier) -> None:
    ref = await bot.deliver(notice(), None)
    changed = notice(cause=NoticeCause.CHANGED, summary="secondary is dead too")
    assert await bot.deliver(changed, ref) == ref
    assert await bot.deliver(resolved(), ref) == ref
    (message,) = fake_slack.posts
    assert message.header == "✅ Resolved after 4m12s (critical): chat is down"
    assert len(message.edits) == 2
    assert ref == f"C0FAKE:{message.ts}"


async def test_what_fired_and_resolved_unseen_is_one_message_that_says_so(fake_slack: FakeSlack, bot: Notifier) -> None:
    await bot.deliver(resolved(), None)
    (message,) = fake_slack.messages
    assert message.header.startswith("✅ Fired and resolved after 4m12s")
    assert message.edits == []


async def test_a_repetition_is_told_in_the_thread_because_an_edit_notifies_nobody(
    fake_slack: FakeSlack, bot: Notifier
) -> None:
    ref = await bot.deliver(notice(), None)
    await bot.deliver(notice(cause=NoticeCause.REPEAT_DUE, at=NOW + 4 * 3600), ref)
    message, reminder = fake_slack.messages
    assert (reminder.thread_ts, reminder.broadcast) == (message.ts, True)
    assert reminder.text == "🔴 Still firing after 4h: chat is down"
    assert len(message.edits) == 1


async def test_a_message_that_somebody_deleted_is_posted_anew(fake_slack: FakeSlack, bot: Notifier) -> None:
    ref = await bot.deliver(notice(), None)
    fake_slack.delete(fake_slack.messages[0])
    again = await bot.deliver(resolved(), ref)
    assert again != ref
    assert [message.header for message in fake_slack.posts] == ["✅ Resolved after 4m12s (critical): chat is down"]


async def test_a_webhook_posts_a_message_each_time(fake_slack: FakeSlack, webhook: Notifier) -> None:
    ref = await webhook.deliver(notice(), None)
    await webhook.deliver(resolved(), ref)
    assert [message.header[:10] for message in fake_slack.messages] == ["🔴 Critical", "✅ Resolved"]


@pytest.mark.parametrize("code", sorted(REMEDIES))
async def test_a_permanent_refusal_says_what_to_do(fake_slack: FakeSlack, bot: Notifier, code: str) -> None:
    fake_slack.trouble, fake_slack.code = Trouble.ERROR, code
    error = await refusal(bot)
    assert (error.reason, error.permanent) == (code, True)
    assert error.broken is (code not in MESSAGE_REFUSED), "one message that is refused leaves the others"
    assert str(error) == f"Slack refused: {REMEDIES[code]} ({code})"


@pytest.mark.parametrize("code", sorted(PASSING))
async def test_trouble_of_slack_itself_passes(fake_slack: FakeSlack, bot: Notifier, code: str) -> None:
    fake_slack.trouble, fake_slack.code = Trouble.ERROR, code
    assert (await refusal(bot)).permanent is False


async def test_a_code_that_is_new_to_us_is_shown_but_is_no_reason(fake_slack: FakeSlack, bot: Notifier) -> None:
    fake_slack.trouble, fake_slack.code = Trouble.ERROR, "brand_new_error"
    error = await refusal(bot)
    assert (error.reason, error.permanent, str(error)) == ("other", True, "Slack refused: brand_new_error")


@pytest.mark.parametrize("way", ["bot", "webhook"])
@pytest.mark.parametrize(
    ("trouble", "reason", "text"),
    [
        (Trouble.DOWN, "unavailable", "Slack is not available (HTTP 503)"),
        (Trouble.RESET, "connection", "Slack cannot be reached (ServerDisconnectedError)"),
        (Trouble.HANG, "timeout", "Slack did not answer in time"),
        (Trouble.RATE_LIMITED, "ratelimited", "Slack asks for patience (ratelimited)"),
    ],
)
async def test_passing_trouble(
    fake_slack: FakeSlack, way: str, trouble: Trouble, reason: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble is Trouble.HANG:  # the others answer, however slowly on a busy machine
        monkeypatch.setattr(slack_session, "TIMEOUT", 0.3)
    fake_slack.trouble = trouble
    async with closing(WAYS[way](fake_slack)) as notifier:
        error = await refusal(notifier)
    assert (error.reason, error.permanent, str(error)) == (reason, False, text)


async def test_an_answer_that_is_not_slacks_blames_the_address(fake_slack: FakeSlack, bot: Notifier) -> None:
    fake_slack.trouble = Trouble.GARBAGE
    error = await refusal(bot)
    assert (error.reason, str(error)) == ("malformed", "the answer is not Slack's (HTTP 200); check api_url")


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = FakeSlack()
        nowhere.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for notifier in (bot_of(nowhere), webhook_of(nowhere)):
            async with closing(notifier):
                assert (await refusal(notifier)).reason == "connection"


@pytest.mark.parametrize("way", ["bot", "webhook"])
async def test_a_long_retry_after_is_handed_on_instead_of_slept(fake_slack: FakeSlack, way: str) -> None:
    fake_slack.trouble, fake_slack.retry_after = Trouble.RATE_LIMITED, 1800
    async with closing(WAYS[way](fake_slack)) as notifier:
        assert (await refusal(notifier)).retry_after == 1800.0
    assert fake_slack.requests == 1


async def test_a_passing_hiccup_is_retried_by_the_sdk_itself(fake_slack: FakeSlack, bot: Notifier) -> None:
    fake_slack.trouble = Trouble.DOWN
    delivery = bot.deliver(notice(), None)

    async def mend() -> None:
        await fake_slack.wait_for(lambda slack: slack.requests == 1)
        fake_slack.trouble = Trouble.NONE

    await asyncio.gather(delivery, mend())
    assert len(fake_slack.messages) == 1


async def test_a_wrong_token_is_permanent_and_a_wrong_channel_too(fake_slack: FakeSlack) -> None:
    for notifier, reason in [
        (bot_of(fake_slack, token="xoxb-wrong"), "invalid_auth"),
        (bot_of(fake_slack, channel="#nowhere"), "channel_not_found"),
    ]:
        async with closing(notifier):
            assert (await refusal(notifier)).reason == reason


async def test_a_proxy_of_the_environment_is_used_but_not_for_what_it_exempts(
    fake_slack: FakeSlack, bot: Notifier, webhook: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        await bot.deliver(notice(), None)
        await webhook.deliver(notice(), None)
        assert len(fake_slack.messages) == 2
        monkeypatch.setenv("no_proxy", "elsewhere.example")
        assert (await refusal(bot)).reason == "connection"
        assert (await refusal(webhook)).reason == "connection"


async def test_more_than_a_burst_waits_its_turn(fake_slack: FakeSlack) -> None:
    fake_slack.one_per_second = True
    clock = FakeClock()
    settings = SlackSettings(token_env="SLACK_BOT_TOKEN", channel="C0FAKE", api_url=fake_slack.api_url)
    bot = NOTIFIERS["slack"].build("slack", settings, {"token": SecretStr(TOKEN)}, clock)
    for number in range(3):
        await bot.deliver(notice(incident=f"i{number}"), None)
    assert clock.slept == []
    fourth = asyncio.create_task(bot.deliver(notice(incident="i4"), None))
    while clock.next_wake is None:
        await asyncio.sleep(0)
    assert clock.slept == [1.0]
    fake_slack.one_per_second = False
    clock.advance(1.0)
    await fourth
    assert len(fake_slack.messages) == 4
    await bot.close()


async def test_no_secret_is_in_any_error_log_or_representation(
    fake_slack: FakeSlack,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slack_session, "TIMEOUT", 0.3)
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    for notifier in (bot_of(fake_slack), webhook_of(fake_slack)):
        await notifier.deliver(notice(), None)
        for trouble in Trouble:
            fake_slack.trouble = trouble
            if trouble is not Trouble.NONE:
                try:
                    await notifier.deliver(notice(), None)
                except DeliveryError as error:
                    seen += [str(error), repr(error), error.reason]
        fake_slack.trouble = Trouble.NONE
        seen += [repr(notifier), str(vars(notifier))]
        await notifier.close()
    seen += [caplog.text, *capsys.readouterr()]
    assert "Slack" in caplog.text + "".join(seen)
    for secret in (TOKEN, WEBHOOK_PATH, "webhook-secret"):
        assert not [text for text in seen if secret in text]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_passes_whatever_its_body(status: int) -> None:
    error = refused("<html>", status=status)
    assert (error.reason, error.permanent) == ("unavailable", False)


async def test_the_notifiers_of_a_config_are_built_but_not_the_muted_ones(fake_slack: FakeSlack) -> None:
    bot = SlackSettings(token_env="T", channel="C0FAKE", api_url=fake_slack.api_url)
    kinds = [("team", "slack", bot), ("off", "slack", SlackSettings(webhook_url_env="W")), ("console", "log", None)]
    alerts = AlertsFile.model_validate(
        {
            "notifiers": [{"name": name, "kind": kind, "settings": settings} for name, kind, settings in kinds],
            "routes": [{"notify": ["team"]}],
            "rules": [{"name": "down", "when": "chain_down"}],
        }
    )
    config = Config(
        endpoints={}, chains=(), drills=(), alerts=alerts,
        secrets={"notifiers/team/token": SecretStr(TOKEN)}, muted={"off": "off: W is not set"},
    )  # fmt: skip
    notifiers = build_notifiers(config)
    assert sorted(notifiers) == ["console", "team"]
    for notifier in notifiers.values():
        await notifier.deliver(notice(), None)
        await notifier.close()
    assert len(fake_slack.messages) == 1
