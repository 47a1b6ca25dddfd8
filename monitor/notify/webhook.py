"""Notices as JSON to any URL, signed as the Standard Webhooks specification says, for which verifiers exist."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import Field, SecretStr, TypeAdapter, model_validator

from monitor.clock import Clock
from monitor.config.model import NotifierSettings
from monitor.errors import DeliveryError
from monitor.model import Notice
from monitor.notify.model import NotifierKind
from monitor.notify.post import Post, encode

PREFIX = "whsec_"
REF = "posted"

_NOTICE: TypeAdapter[Notice] = TypeAdapter(Notice)


class WebhookSettings(NotifierSettings):
    """Where to, and with which secret the messages are signed."""

    url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$", description="Where notices are posted.")
    url_env: str | None = Field(
        default=None, description="Environment variable that holds the URL, where the URL itself is a secret."
    )
    url_file: str | None = Field(default=None, description="File that holds the URL.")
    secret_env: str | None = Field(
        default=None,
        description="Environment variable that holds the secret of the signature (HMAC-SHA256); unset, none is sent.",
    )
    secret_file: str | None = Field(default=None, description="File that holds the secret of the signature.")

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        given = [name for name in ("url", "url_env", "url_file") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"takes exactly one of url, url_env and url_file; it has {' and '.join(given) or 'none'}")
        return self


class WebhookNotifier:
    """Posts every notice of an incident. A notice may come twice (at least once): its id is ``webhook-id``."""

    def __init__(self, name: str, *, url: SecretStr, secret: SecretStr | None, clock: Clock) -> None:
        self.name = name
        self._url = url
        self._secret = secret
        self._clock = clock
        self._post = Post("the webhook")

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:  # noqa: ARG002 - each one stands alone
        body = encode(payload(notice))
        headers = {"webhook-id": notice.id, "webhook-timestamp": str(int(self._clock.now()))}
        if self._secret is not None:
            headers["webhook-signature"] = sign(self._secret, headers["webhook-id"], headers["webhook-timestamp"], body)
        await self._post.send(self._url.get_secret_value(), body, headers)
        return REF

    async def close(self) -> None:
        await self._post.close()


def payload(notice: Notice) -> dict[str, Any]:
    """``type`` is ``alert.firing`` or ``alert.resolved``; ``data`` is the whole notice, its facts as pairs."""
    at = datetime.fromtimestamp(notice.at, UTC).isoformat(timespec="milliseconds")
    return {
        "type": f"alert.{notice.state}",
        "timestamp": at.replace("+00:00", "Z"),
        "data": _NOTICE.dump_python(notice, mode="json"),
    }


def sign(secret: SecretStr, id_: str, timestamp: str, body: bytes) -> str:
    """``v1,`` and the HMAC-SHA256 of ``id.timestamp.body`` in base64. Raises DeliveryError for a damaged secret."""
    digest = hmac.new(_key(secret.get_secret_value()), f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    """As the specification writes it, ``whsec_`` and base64; any other text is the key itself."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        text = "the secret of the webhook begins with whsec_ but does not go on in base64"
        raise DeliveryError(text, reason="bad_secret", permanent=True, broken=True) from None


def build(name: str, settings: WebhookSettings, secrets: Mapping[str, SecretStr], clock: Clock) -> WebhookNotifier:
    url = SecretStr(settings.url) if settings.url is not None else secrets["url"]
    return WebhookNotifier(name, url=url, secret=secrets.get("secret"), clock=clock)


KIND = NotifierKind(settings=WebhookSettings, build=build)
