"""E-mail through a real SMTP server on a socket."""

from __future__ import annotations

import logging
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from monitor.clock import SystemClock
from monitor.errors import DeliveryError
from monitor.model import Acknowledgement, NoticeCause
from monitor.notify import NOTIFIERS, Notifier
from monitor.notify.email import EmailSettings
from monitor.notify.letters import SUBJECT_LIMIT, letter
from tests.fakes.mail import PASSWORD, PEM, MailServer
from tests.fakes.values import NOW, notice, resolved

pytestmark = pytest.mark.anyio

ADDRESSES = {"sender": "fallbackd@example.org", "to": ["ada@example.org", "eve@example.org"]}


def mail_of(server: MailServer, *, password: str = PASSWORD, **settings: Any) -> Notifier:
    plain = {"host": "127.0.0.1", "port": server.port, "security": "none", **ADDRESSES}
    kind = NOTIFIERS["email"]
    own = kind.settings.model_validate({**plain, **settings})
    return kind.build("mail", own, {"password": SecretStr(password)} if "username" in settings else {}, SystemClock())


async def refusal(mail: Notifier) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await mail.deliver(notice(), None)
    error = caught.value
    assert error.__suppress_context__ or error.__context__ is None
    return error


async def test_the_letters_of_an_incident_are_one_conversation() -> None:
    async with MailServer() as server:
        mail = mail_of(server)
        ref = await mail.deliver(notice(link="https://watch.example/", docs="https://docs.example/#chain_down"), None)
        taken = notice(
            cause=NoticeCause.ACKNOWLEDGED, acknowledged=Acknowledgement(by="ada", at=NOW), changes=("Acknowledged",)
        )
        assert await mail.deliver(taken, ref) == ref
        assert await mail.deliver(resolved(), ref) == ref
        first, second, last = server.letters
        assert server.recipients == [["ada@example.org", "eve@example.org"]] * 3
        assert (first["Subject"], last["Subject"]) == (
            "🔴 Critical: chat is down",
            "✅ Resolved after 4m12s (critical): chat is down",
        )
        assert first["Message-ID"] == ref
        assert [one["In-Reply-To"] for one in (first, second, last)] == [None, ref, ref]
        assert first["Auto-Submitted"] == "auto-generated"
        assert first.get_content().splitlines() == [
            "chat is down", "", "no target of chat answers", "", "Last good: 12:03:04 UTC", "Dead: primary: timeout",
            "", "Since 2023-11-14T22:13:20Z", "Incident i1 · chain-down · chat", "Page: https://watch.example/",
            "What it means: https://docs.example/#chain_down",
        ]  # fmt: skip
        assert "Taken on by ada" in second.get_content()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_an_encrypted_server_takes_it_with_the_password(security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with MailServer(tls=security, username="ada") as server:
        mail = mail_of(server, security=security, username="ada", password_env="P")
        untrusted = await refusal(mail)
        assert (untrusted.reason, untrusted.permanent) == ("tls", False)
        assert server.signed_in == [], "no password for a server that is not to be trusted"
        monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
        await mail.deliver(notice(), None)
        assert (len(server.letters), server.signed_in) == (1, ["ada"])
        wrong = await refusal(mail_of(server, security=security, username="ada", password_env="P", password="wrong"))
        assert (wrong.reason, wrong.permanent, wrong.broken) == ("unauthorized", True, True)


async def test_a_server_without_encryption_gets_nothing_where_encryption_is_wanted() -> None:
    async with MailServer() as server:
        error = await refusal(mail_of(server, security="starttls"))
        assert (error.reason, error.permanent, error.broken) == ("not_supported", True, True)
        assert server.letters == []


@pytest.mark.parametrize(
    ("refusals", "expected"),
    [
        ({"MAIL": "550 not you"}, ("sender", True, True)),
        ({"MAIL": "451 later"}, ("unavailable", False, False)),
        ({"RCPT": "550 nobody"}, ("recipients", True, True)),
        ({"RCPT": "450 greylisted"}, ("unavailable", False, False)),
        ({"RCPT ada@example.org": "550 nobody", "RCPT": "450 greylisted"}, ("unavailable", False, False)),
        ({"DATA": "554 spam"}, ("refused", True, False)),
        ({"DATA": "452 full"}, ("unavailable", False, False)),
    ],
)
async def test_what_a_server_refuses(refusals: dict[str, str], expected: tuple[str, bool, bool]) -> None:
    async with MailServer() as server:
        server.refusals = refusals
        error = await refusal(mail_of(server))
        assert (error.reason, error.permanent, error.broken) == expected


async def test_one_wrong_address_leaves_the_others_told(capsys: pytest.CaptureFixture[str]) -> None:
    async with MailServer() as server:
        server.refusals = {"RCPT eve@example.org": "550 nobody"}
        await mail_of(server).deliver(notice(), None)
        assert server.recipients == [["ada@example.org"]]
    assert "eve@example.org" in capsys.readouterr().out


async def test_nobody_there_passes_by_itself() -> None:
    server = MailServer()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server.port = taken.getsockname()[1]
        error = await refusal(mail_of(server))
    assert (error.reason, error.permanent) == ("connection", False)


async def test_no_password_is_in_any_error_log_or_representation(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with MailServer(username="ada") as server:
        mail = mail_of(server, username="eve", password_env="P")
        error = await refusal(mail)
    seen = [str(error), repr(error), repr(mail), str(vars(mail)), caplog.text, *capsys.readouterr()]
    assert not [text for text in seen if PASSWORD in text]


awkward = st.text(alphabet=st.sampled_from("a\r\n\x00\ud800😀:<>\u2028") | st.characters(), max_size=600)


@given(title=awkward, summary=awkward, fact=awkward, id_=awkward)
@settings(max_examples=100, deadline=None)
def test_any_notice_is_a_letter_with_its_own_headers_alone(title: str, summary: str, fact: str, id_: str) -> None:
    value = notice(title=title, summary=summary, facts=((fact, fact),), incident=id_, alert=id_, id=id_)
    made = letter(value, sender="a@example.org", to=("b@example.org",), first=None)
    assert set(made.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    }  # fmt: skip
    assert made.as_bytes()
    assert len(made["Subject"]) <= SUBJECT_LIMIT


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"username": "ada"}, "a username needs password_env or password_file"),
        ({"password_env": "P"}, "a password needs a username"),
        ({"username": "ada", "password_env": "P", "security": "none"}, "would cross the network in the clear"),
        ({"to": []}, "at least 1 item"),
        ({"to": ["ada"]}, "should match pattern"),
        ({"sender": "a@b\nBcc: c@d"}, "should match pattern"),
        ({"security": "ssl"}, "'starttls', 'tls' or 'none'"),
        ({"port": 70000}, "less than or equal to 65535"),
    ],
)
def test_what_cannot_be_is_a_mistake(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        EmailSettings.model_validate({"host": "mail.example.org", **ADDRESSES, **changed})


def test_without_its_library_the_config_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ValidationError, match=r"pip install aiosmtplib"):
        EmailSettings.model_validate({"host": "mail.example.org", **ADDRESSES})
