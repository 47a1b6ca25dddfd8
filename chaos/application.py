"""Asks the user's own endpoint, and holds its answer against what was expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from chaos.model import Asked, Phase
from chaos.plans import AnswerExpected, ApplicationPlan
from chaos.wording import seconds
from monitor.clock import Clock
from monitor.reading import clean, parse

MARK = "X-Fallbackd-Drill"
NONCE = "{nonce}"
ANSWER_LIMIT = 1024 * 1024


class Application:
    """``credential``: what goes into the plan's header; None for none. It stands in no value and no message."""

    def __init__(self, plan: ApplicationPlan, *, run: str, credential: str | None, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._headers = {**plan.headers, MARK: run}
        if credential is not None:
            bearer = plan.credential_header.casefold() == "authorization"
            self._headers[plan.credential_header] = f"Bearer {credential}" if bearer else credential

    async def ask(self, phase: Phase, nonce: str) -> Asked:
        """One request; whatever goes wrong is said in the answer."""
        content, kind = body_of(self._plan.body, nonce)
        headers = {**({"Content-Type": kind} if kind else {}), **self._headers}
        began, started = self._clock.now(), self._clock.monotonic()
        status, wrong = None, None
        try:
            async with (
                httpx.AsyncClient(timeout=self._plan.within, trust_env=False) as client,
                client.stream(self._plan.method, self._plan.url, headers=headers, content=content) as reply,
            ):
                status = reply.status_code
                text = await _read(reply)
        except httpx.TimeoutException:
            wrong = f"did not answer within {seconds(self._plan.within)}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            wrong = f"could not be asked: {type(error).__name__}"
        took = self._clock.monotonic() - started
        if wrong is None and status is not None:
            wrong = mismatch(self._plan.expect, status, text)
        if wrong is None and took > self._plan.within:
            wrong = f"answered after {seconds(took)}, later than {seconds(self._plan.within)}"
        marked = nonce if content is not None and nonce.encode() in content else None
        return Asked(at=began, ended=began + took, phase=phase, status=status, wrong=wrong, nonce=marked)


async def _read(reply: httpx.Response) -> str:
    body = b""
    async for piece in reply.aiter_bytes():
        body += piece
        if len(body) > ANSWER_LIMIT:
            break
    return body.decode("utf-8", "replace")


def body_of(written: Any, nonce: str) -> tuple[bytes | None, str | None]:
    """What is sent, and its content type where that is known."""
    if written is None:
        return None, None
    if isinstance(written, str):
        return written.replace(NONCE, nonce).encode(), None
    return json.dumps(written).replace(NONCE, nonce).encode(), "application/json"


def mismatch(expect: AnswerExpected, status: int, text: str) -> str | None:
    """What is not as expected, as the rest of a sentence about the application; None for nothing."""
    if status != expect.status:
        return f"answered HTTP {status}, not {expect.status}: {clean(text, 120)}"
    if expect.contains is not None and expect.contains not in text:
        return f'answered without "{clean(expect.contains, 60)}"'
    parsed = parse(text) if expect.json else None
    for path, wanted in expect.json.items():
        found = at_path(parsed, path)
        if found != wanted or type(found) is not type(wanted):
            return f"answered {clean(path, 60)}: {clean(json.dumps(found), 60)}, not {clean(json.dumps(wanted), 60)}"
    return None


def at_path(body: object, path: str) -> object:
    """The value at a dotted path, a number being the place in a list; None where there is none."""
    for step in path.split("."):
        if isinstance(body, Mapping):
            body = body.get(step)
        elif isinstance(body, list) and step.isascii() and step.isdigit() and int(step) < len(body):
            body = body[int(step)]
        else:
            return None
    return body
