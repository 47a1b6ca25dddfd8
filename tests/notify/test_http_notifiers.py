"""The notifiers that post JSON: what they send, how it is signed, and what a refusal means."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from monitor.errors import DeliveryError
from monitor.model import Member, NoticeCause, NoticeState, Severity
from monitor.notify import NOTIFIERS, Notifier, post
from monitor.notify.alertmanager import LEAST
from tests.fakes.clock import FakeClock
from tests.fakes.receiver import Receiver
from tests.fakes.values import NOW, notice, resolved

pytestmark = pytest.mark.anyio

SECRET = "the-secret-never-in-a-text"
KINDS = ("webhook", "alertmanager", "pagerduty")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        yield made


@pytest.fixture
async def make(receiver: Receiver):
    made: list[Notifier] = []

    def build(kind: str, url: str | None = None, secret: str = SECRET, **settings: Any) -> Any:
        base = url or receiver.url
        own: dict[str, dict[str, Any]] = {
            "webhook": {"url_env": "U", "secret_env": "S"},
            "alertmanager": {"url": base, "token_env": "T"},
            "pagerduty": {"routing_key_env": "K", "api_url": f"{base}/v2/enqueue"},
        }
        secrets = {
            "url": f"{base}/hook/{SECRET}",
            "secret": secret,
            "token": secret,
            "routing_key": secret,
        }
        chosen = NOTIFIERS[kind].settings.model_validate({**own[kind], **settings})
        notifier = NOTIFIERS[kind].build(
            kind, chosen, {name: SecretStr(value) for name, value in secrets.items()}, FakeClock(NOW + 5)
        )
        made.append(notifier)
        return notifier

    yield build
    for notifier in made:
        await notifier.close()


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_a_webhook_gets_the_whole_notice_signed_as_the_standard_says(make, receiver):
    await make("webhook").deliver(notice(link="http://x/"), None)
    (got,) = receiver.requests
    assert (got.method, got.path) == ("POST", f"/hook/{SECRET}")
    assert got.json["type"] == "alert.firing"
    assert got.json["timestamp"] == "2023-11-14T22:13:20.000Z"
    data = got.json["data"]
    assert (data["alert"], data["chain"], data["severity"], data["incident"]) == (
        "chain-down",
        "chat",
        "critical",
        "i1",
    )
    assert data["facts"] == [["Last good", "12:03:04 UTC"], ["Dead", "primary: timeout"]]
    assert (got.headers["webhook-id"], got.headers["webhook-timestamp"]) == (data["id"], str(int(NOW + 5)))
    signed = f"{data['id']}.{int(NOW + 5)}.".encode() + got.body
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert got.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


async def test_a_webhook_signature_is_that_of_the_standards_own_example():
    from monitor.notify.webhook import sign

    # Standard Webhooks specification, "Verifying webhook authenticity": the published test vector.
    found = sign(
        SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_damaged_secret_is_said_without_being_quoted(make, receiver):
    with pytest.raises(DeliveryError) as caught:
        await make("webhook", secret="whsec_not*base64").deliver(notice(), None)
    assert (caught.value.reason, caught.value.permanent) == ("bad_secret", True)
    assert "not*base64" not in str(caught.value)
    assert receiver.requests == []


async def test_a_webhook_without_secret_is_not_signed(receiver):
    kind = NOTIFIERS["webhook"]
    notifier = kind.build("w", kind.settings.model_validate({"url": f"{receiver.url}/x"}), {}, FakeClock())
    await notifier.deliver(notice(), None)
    await notifier.close()
    assert "webhook-signature" not in receiver.requests[0].headers


@pytest.mark.parametrize(
    ("severity", "theirs"), [(Severity.INFO, "info"), (Severity.WARNING, "warning"), (Severity.CRITICAL, "critical")]
)
async def test_pagerduty_is_triggered_under_the_incidents_name(make, receiver, severity, theirs):
    value = notice(severity=severity, link="http://x/", docs="http://docs/#chain_down", advice="Mend it.")
    ref = await make("pagerduty").deliver(value, None)
    sent = receiver.requests[0].json
    assert ref == "i1"
    assert receiver.requests[0].path == "/v2/enqueue"
    assert (sent["routing_key"], sent["event_action"], sent["dedup_key"]) == (SECRET, "trigger", "i1")
    assert sent["payload"]["severity"] == theirs
    assert (sent["payload"]["component"], sent["payload"]["class"]) == ("chat", "chain-down")
    assert sent["payload"]["summary"] == "chat is down: no target of chat answers"
    assert sent["payload"]["custom_details"] == {
        "Last good": "12:03:04 UTC",
        "Dead": "primary: timeout",
        "what to do": "Mend it.",
    }
    assert sent["links"] == [
        {"href": "http://x/", "text": "Open fallbackd"},
        {"href": "http://docs/#chain_down", "text": "What it means"},
    ]


async def test_pagerduty_is_told_the_end_under_the_same_name(make, receiver):
    await make("pagerduty").deliver(notice(cause=NoticeCause.ACKNOWLEDGED), "i1")
    await make("pagerduty").deliver(resolved(), "i1")
    assert [one.json for one in receiver.requests] == [
        {"event_action": "acknowledge", "dedup_key": "i1", "routing_key": SECRET},
        {"event_action": "resolve", "dedup_key": "i1", "routing_key": SECRET},
    ]


async def test_pagerdutys_limits_hold_for_any_text(make, receiver):
    facts = tuple((f"fact {number}", "x" * 9000) for number in range(200))
    await make("pagerduty").deliver(notice(title="t" * 5000, facts=facts), None)
    assert len(receiver.requests[0].json["payload"]["summary"]) == 1024
    assert len(receiver.requests[0].body) < 512_000


async def test_alertmanager_gets_labels_annotations_and_times(make, receiver):
    ref = await make("alertmanager", instance="eu-1").deliver(
        notice(link="http://x/", until=NOW + 9000, since=NOW - 60), None
    )
    (got,) = receiver.requests
    (alert,) = got.json
    assert (ref, got.path, got.headers["authorization"]) == ("critical", "/api/v2/alerts", f"Bearer {SECRET}")
    assert alert["labels"] == {
        "alertname": "chain-down",
        "chain": "chat",
        "severity": "critical",
        "instance": "eu-1",
    }
    assert alert["annotations"]["incident"] == "Incident i1"
    assert alert["annotations"]["summary"] == "chat is down"
    assert alert["annotations"]["facts"] == "Last good: 12:03:04 UTC\nDead: primary: timeout"
    assert (seconds(alert["startsAt"]), seconds(alert["endsAt"])) == (NOW - 60, NOW + 9000)
    assert alert["generatorURL"] == "http://x/"


@pytest.mark.parametrize(
    ("told", "end"),
    [
        (notice(until=NOW - 100), NOW + 5 + LEAST),
        (notice(until=None), NOW + 5 + 86400),
        (notice(cause=NoticeCause.TEST), NOW + 5 + LEAST),
        (resolved(), NOW + 252),
        (resolved(at=NOW - 10), NOW),
    ],
    ids=["delivered late", "nobody says", "a test", "resolved", "a clock set back"],
)
async def test_when_alertmanager_takes_it_for_over(make, receiver, told, end):
    await make("alertmanager").deliver(told, None)
    assert seconds(receiver.requests[0].json[0]["endsAt"]) == end


async def test_another_severity_ends_the_alert_under_the_old_one(make, receiver):
    ref = await make("alertmanager").deliver(notice(severity=Severity.CRITICAL), "warning")
    new, old = receiver.requests[0].json
    assert (ref, new["labels"]["severity"], old["labels"]["severity"]) == ("critical", "critical", "warning")
    assert seconds(old["endsAt"]) == NOW + 5 < seconds(new["endsAt"])


def member(chain: str, **changed) -> Member:
    plain = {
        "key": f"chain-down:{chain}", "alert": "chain-down", "chain": chain, "severity": Severity.CRITICAL,
        "state": NoticeState.FIRING, "title": f"{chain} is down", "summary": "no answer", "since": NOW - 60,
    }  # fmt: skip
    return Member(**{**plain, **changed})


async def test_alertmanager_gets_the_alerts_of_an_incident_one_by_one(make, receiver):
    members = (member("chat"), member("search", subject="s"), member("old", state=NoticeState.RESOLVED))
    shown = notice(members=members, shared="provider groq", until=NOW + 9000, docs="https://x/#chain_down")
    await make("alertmanager").deliver(shown, None)
    chat, search, old = receiver.requests[0].json
    assert [one["labels"]["chain"] for one in (chat, search, old)] == ["chat", "search", "old"]
    assert (search["labels"]["subject"], chat["annotations"]["incident"]) == ("s", "Incident i1, provider groq")
    assert chat["annotations"]["runbook_url"] == "https://x/#chain_down"
    assert [seconds(one["endsAt"]) for one in (chat, search, old)] == [NOW + 9000, NOW + 9000, NOW]


async def test_alertmanager_is_told_of_no_end_when_the_incident_goes_on_as_part_of_another(make, receiver):
    await make("alertmanager").deliver(resolved(members=(member("chat"),), merged_into="i2"), "critical")
    assert receiver.requests == []


async def test_an_example_ends_no_real_alert_in_alertmanager(make, receiver):
    await make("alertmanager").deliver(notice(cause=NoticeCause.TEST, incident="test-1"), None)
    assert receiver.requests[0].json[0]["labels"]["incident"] == "test-1"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "reason", "permanent"),
    [
        (302, "redirected", True),
        (400, "refused", True),
        (401, "unauthorized", True),
        (403, "unauthorized", True),
        (404, "not_found", True),
        (408, "unavailable", False),
        (410, "not_found", True),
        (413, "refused", True),
        (429, "ratelimited", False),
        (500, "unavailable", False),
        (503, "unavailable", False),
    ],
)
async def test_a_refusal_is_permanent_or_passing(make, receiver, kind, status, reason, permanent):
    receiver.status, receiver.text = status, f"echo {SECRET}"
    receiver.headers = {"location": "http://127.0.0.1:1/", "retry-after": "17"}
    with pytest.raises(DeliveryError) as caught:
        await make(kind).deliver(notice(), None)
    assert (caught.value.reason, caught.value.permanent) == (reason, permanent)
    assert caught.value.retry_after == (None if permanent else 17.0)
    assert SECRET not in str(caught.value)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_there_passes(make, kind):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DeliveryError) as caught:
        await make(kind, url=f"http://127.0.0.1:{port}").deliver(notice(), None)
    assert (caught.value.reason, caught.value.permanent) == ("connection", False)
    assert SECRET not in str(caught.value)


async def test_no_answer_passes(make, receiver, monkeypatch):
    monkeypatch.setattr(post, "TIMEOUT", 0.1)
    receiver.hang = True
    with pytest.raises(DeliveryError) as caught:
        await make("pagerduty").deliver(notice(), None)
    assert (caught.value.reason, caught.value.permanent) == ("timeout", False)


async def test_a_secret_url_that_is_none_is_permanent_and_unquoted(receiver):
    kind = NOTIFIERS["webhook"]
    notifier = kind.build("w", kind.settings.model_validate({"url_env": "U"}), {"url": SecretStr(SECRET)}, FakeClock())
    with pytest.raises(DeliveryError) as caught:
        await notifier.deliver(notice(), None)
    await notifier.close()
    assert (caught.value.reason, caught.value.permanent) == ("bad_url", True)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        ("webhook", {}, "takes exactly one of url, url_env and url_file; it has none"),
        ("webhook", {"url": "http://x", "url_env": "U"}, "it has url and url_env"),
        ("pagerduty", {}, "takes exactly one of routing_key_env and routing_key_file"),
        ("pagerduty", {"routing_key": "R"}, "Extra inputs"),
        ("alertmanager", {}, "Field required"),
        ("alertmanager", {"url": "am:9093"}, "should match pattern"),
    ],
)
def test_settings_that_cannot_work_are_mistakes(kind, settings, sentence):
    with pytest.raises(ValidationError, match=sentence):
        NOTIFIERS[kind].settings.model_validate(settings)
