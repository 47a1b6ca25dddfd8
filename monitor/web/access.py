"""Who may do what: pure decisions over a request's method, path and headers.

On loopback without a token anybody may read, and change what a page of another site could not have asked for. With a
token every change needs it; bound to anything else than loopback, reading needs it too. Where the page is public,
anybody may read the pages of chains and the badges, and nothing else, loopback or not: a proxy in front is on loopback.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

COOKIE = "fallbackd_session"
SESSION = 12 * 3600.0
"""Seconds that a sign-in lasts."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ALWAYS_OPEN = ("/-/", "/static/")
_PUBLIC = re.compile(r"/|/chains/[^/]+|/badge/[^/]+|/api/v1/chains/[^/]+/history")
SIGN_IN = "/signin"


class Denial(StrEnum):
    NO_TOKEN = "no_token"  # noqa: S105 - a reason, not a password
    WRONG_TOKEN = "wrong_token"  # noqa: S105 - a reason, not a password
    OTHER_SITE = "other_site"
    OTHER_HOST = "other_host"


SENTENCES = {
    Denial.NO_TOKEN: "this needs the access token: send it as 'Authorization: Bearer TOKEN', or sign in on the page",
    Denial.WRONG_TOKEN: "the access token is not the right one",
    Denial.OTHER_SITE: "this request was made by a page of another site",
    Denial.OTHER_HOST: "the Host header does not name this machine; without an access token changes are made on "
    "localhost only",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``token`` None means that none was set. ``loopback``: nobody but this machine can reach the daemon. ``public``:
    the page is shown, without its details, to whoever has no token; without a token there is no such difference."""

    token: str | None
    loopback: bool
    public: bool = False

    def __post_init__(self) -> None:
        if self.token is None and not self.loopback:
            raise ValueError("whoever listens beyond loopback needs a token")

    def decide(self, method: str, path: str, headers: Mapping[str, str], now: float) -> Denial | None:
        """None allows. ``headers`` with names in lower case."""
        if path.startswith(_ALWAYS_OPEN):
            return None
        changes = method not in _SAFE
        if path == SIGN_IN:
            return _cross_site(headers) if changes else None
        if self.token is None:
            return (_cross_site(headers) or _cross_host(headers)) if changes else None
        if not changes and (_PUBLIC.fullmatch(path) if self.is_public else self.loopback):
            return None
        return self._denied(headers, now, changes=changes)

    @property
    def is_public(self) -> bool:
        return self.public and self.token is not None

    def sees_all(self, headers: Mapping[str, str], now: float) -> bool:
        """Whether whoever asks is shown costs, hosts and details."""
        return not self.is_public or self.knows(headers, now)

    def knows(self, headers: Mapping[str, str], now: float) -> bool:
        """Whether whoever asks may change things; for showing the buttons."""
        return self.token is None or self._denied(headers, now, changes=False) is None

    def accepts(self, token: str) -> bool:
        return self.token is not None and _same(token, self.token)

    def session(self, now: float) -> str:
        """The value of a session cookie. It holds until its time is over or the token is another."""
        until = f"{now + SESSION:.0f}"
        return f"{until}.{self._seal(until)}"

    def _denied(self, headers: Mapping[str, str], now: float, *, changes: bool) -> Denial | None:
        authorization = headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            right = scheme.lower() == "bearer" and self.accepts(token.strip())
            return None if right else Denial.WRONG_TOKEN
        if not self._in_session(headers, now):
            return Denial.NO_TOKEN
        # A browser sends the cookie by itself, so a change must have been asked for by one of our own pages.
        return _cross_site(headers) if changes else None

    def _in_session(self, headers: Mapping[str, str], now: float) -> bool:
        until, _, seal = _cookie(headers).partition(".")
        return until.isdecimal() and len(until) < 16 and float(until) > now and _same(seal, self._seal(until))

    def _seal(self, until: str) -> str:
        return hmac.new((self.token or "").encode(), f"session until {until}".encode(), hashlib.sha256).hexdigest()


def _cookie(headers: Mapping[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _cross_site(headers: Mapping[str, str]) -> Denial | None:
    """Browsers say where a request comes from; whatever says nothing is no page."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return Denial.OTHER_SITE
    origin = headers.get("origin")
    if origin is None:
        return None
    own = headers.get("host", "")
    return None if origin.lower() in (f"http://{own}".lower(), f"https://{own}".lower()) else Denial.OTHER_SITE


def _cross_host(headers: Mapping[str, str]) -> Denial | None:
    """A name of somebody else that was made to lead to this machine (DNS rebinding) is still in the Host header."""
    try:
        name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        ours = name in ("localhost", "localhost.localdomain") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        ours = False
    return None if ours else Denial.OTHER_HOST


def own_place(place: str) -> str:
    """A place on this host: anything that a browser could read as another one becomes the front page."""
    own = place.startswith("/") and not place.startswith("//") and "\\" not in place and place.isprintable()
    return place if own else "/"
