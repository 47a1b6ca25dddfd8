"""Handing notices to an SMTP server through aiosmtplib. Imported only when e-mail is configured."""

from __future__ import annotations

import ssl

import aiosmtplib
import structlog
from pydantic import SecretStr

from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.model import Notice
from monitor.notify.email import EmailSettings, Security
from monitor.notify.letters import letter, message_id

log = structlog.get_logger("outbox")

TIMEOUT = 20.0


class EmailNotifier:
    """References are the ids of the first message of each incident, which the later ones answer to."""

    def __init__(self, name: str, *, settings: EmailSettings, password: SecretStr | None, clock: Clock) -> None:
        self.name = name
        self._settings = settings
        self._password = password
        self._clock = clock

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        own = self._settings
        made = letter(notice, sender=own.sender, to=own.to, first=ref)
        try:
            refused, _ = await aiosmtplib.send(
                made,
                sender=own.sender,
                recipients=list(own.to),
                hostname=own.host,
                port=own.port,
                username=own.username,
                password=self._password.get_secret_value() if self._password else None,
                use_tls=own.security is Security.TLS,
                start_tls=own.security is Security.STARTTLS,
                timeout=TIMEOUT,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # "from None": what a server says may quote what it was sent.
            raise trouble(error) from None
        if refused:
            log.warning("the mail server refuses some addresses", notifier=self.name, addresses=sorted(refused))
        return ref or message_id(notice)

    async def close(self) -> None:
        pass


def trouble(error: Exception) -> DeliveryError:
    """Which failures pass by themselves (codes 4xx, the network), and what to do about those that do not."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            code = min(one.code for one in error.recipients)  # one that may pass later is worth another try
            return _by_code(code, "refuses every address; correct to", "recipients")
        case aiosmtplib.SMTPAuthenticationError():
            return _by_code(error.code, "refuses username or password; renew them", "unauthorized")
        case aiosmtplib.SMTPSenderRefused():
            return _by_code(error.code, "refuses the sender; correct sender", "sender")
        case aiosmtplib.SMTPResponseException():
            return _by_code(error.code, "refuses the message", "refused", broken=False)
        case aiosmtplib.SMTPException() if _is_plain(error):
            text = "the mail server offers no encryption or no sign-in; correct security, port or username"
            return DeliveryError(text, reason="not_supported", permanent=True, broken=True)
        case aiosmtplib.SMTPTimeoutError() | TimeoutError():
            return DeliveryError("the mail server did not answer in time", reason="timeout", permanent=False)
        case OSError() if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
            text = "the mail server's certificate or encryption is not to be trusted; correct host, port or security"
            return DeliveryError(text, reason="tls", permanent=False)
    text = f"the mail server cannot be reached ({type(error).__name__})"
    return DeliveryError(text, reason="connection", permanent=False)


def _is_plain(error: Exception) -> bool:
    """The library raises its base class itself where the server lacks STARTTLS or AUTH."""
    return type(error) in (aiosmtplib.SMTPException, aiosmtplib.SMTPNotSupported)


def _by_code(code: int, what: str, reason: str, *, broken: bool = True) -> DeliveryError:
    if code < 500:
        text = f"the mail server asks for patience (SMTP {code})"
        return DeliveryError(text, reason="unavailable", permanent=False)
    return DeliveryError(f"the mail server {what} (SMTP {code})", reason=reason, permanent=True, broken=broken)
