"""Notices as e-mail over SMTP: those of one incident as one conversation. The library is imported only when used."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from monitor.clock import Clock
from monitor.config.model import NotifierSettings
from monitor.notify.model import Notifier, NotifierKind

LIBRARY = "aiosmtplib"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Address = Annotated[str, StringConstraints(pattern=r"^[^\s@<>,;:\"()]+@[^\s@<>,;:\"()]+$", max_length=254)]


class Security(StrEnum):
    """``starttls``: the connection is encrypted after its first words, ``tls``: from its beginning."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class EmailSettings(NotifierSettings):
    """The server that takes the mail, as whom, and to whom."""

    host: str = Field(min_length=1, pattern=r"^[^\s/]+$", description="Name of the SMTP server that takes the mail.")
    port: int = Field(
        default=587, ge=1, le=65535, description="Its port: 587 with starttls, 465 with tls, 25 with none."
    )
    security: Security = Field(
        default=Security.STARTTLS, description="How the connection is encrypted; none only for a server that is near."
    )
    username: str | None = Field(default=None, min_length=1, description="Who signs in there; unset, nobody does.")
    password_env: str | None = Field(default=None, description="Environment variable that holds the password.")
    password_file: str | None = Field(default=None, description="File that holds the password.")
    sender: Address = Field(description="The address that the mail comes from.")
    to: tuple[Address, ...] = Field(min_length=1, description="The addresses that it goes to.")

    @model_validator(mode="after")
    def _can_sign_in(self) -> Self:
        password = self.password_env or self.password_file
        if (self.username is None) != (password is None):
            raise ValueError("a username needs password_env or password_file, and a password needs a username")
        if password and self.security is Security.NONE and self.host not in LOOPBACK:
            raise ValueError("the password would cross the network in the clear; set security to starttls or tls")
        return self

    @model_validator(mode="after")
    def _has_library(self) -> Self:
        if importlib.util.find_spec(LIBRARY) is None:
            raise ValueError(f"needs the package {LIBRARY}; install it with: pip install {LIBRARY}")
        return self


def build(name: str, settings: EmailSettings, secrets: Mapping[str, SecretStr], clock: Clock) -> Notifier:
    from monitor.notify.email_delivery import EmailNotifier

    return EmailNotifier(name, settings=settings, password=secrets.get("password"), clock=clock)


KIND = NotifierKind(settings=EmailSettings, build=build)
