"""A real SMTP server (aiosmtpd) that keeps what it takes, and refuses what it is told to."""

from __future__ import annotations

import asyncio
import email
import ssl
import warnings
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

PEM = Path(__file__).parents[1] / "wire" / "loopback.pem"
PASSWORD = "mail-password-never-in-a-log"


class MailServer:
    """``async with MailServer(...) as server``: ``refusals`` maps a step (``MAIL``, ``RCPT``, ``DATA``) to a reply."""

    def __init__(self, *, tls: str = "none", username: str | None = None) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refusals: dict[str, str] = {}
        self.signed_in: list[str] = []
        self.port = 0
        self._transports: list[Any] = []
        self._tls = tls
        self._username = username

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(PEM)
        options: dict[str, Any] = {"enable_SMTPUTF8": True}
        if self._tls == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        if self._username is not None:
            options |= {
                "authenticator": self._sign_in,
                "auth_required": True,
                "auth_require_tls": self._tls == "starttls",
            }
        loop = asyncio.get_running_loop()
        transports = self._transports

        class Serving(SMTP):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                transports.append(transport)
                super().connection_made(transport)

        def serve() -> SMTP:
            with warnings.catch_warnings():  # a password without STARTTLS is what it warns of, and what tests want
                warnings.simplefilter("ignore", UserWarning)
                return Serving(self, loop=loop, hostname="mail.example", **options)

        self._server = await loop.create_server(
            serve,
            "127.0.0.1",
            0,
            ssl=context if self._tls == "tls" else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for one in self._transports:
            one.abort()
        await asyncio.sleep(0)

    def _sign_in(self, _server: SMTP, _session: Any, _envelope: Envelope, _how: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.signed_in.append(given.login.decode())
        fits = (given.login.decode(), given.password.decode()) == (self._username, PASSWORD)
        return AuthResult(success=fits, handled=False)

    # What aiosmtpd calls, by these names.

    async def handle_MAIL(self, _: SMTP, _session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.refusals.get("MAIL", "250 OK")

    async def handle_RCPT(self, _: SMTP, _session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        reply = self.refusals.get(f"RCPT {address}", self.refusals.get("RCPT", "250 OK"))
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply

    async def handle_DATA(self, _: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.refusals:
            return self.refusals["DATA"]
        assert isinstance(envelope.content, bytes)
        found = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(found, EmailMessage)
        self.letters.append(found)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"
