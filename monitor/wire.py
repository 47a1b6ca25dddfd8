"""One exchange on the wire: an Ask goes out, a Reply comes back, whatever the bytes and whatever breaks."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path

import httpx

from monitor.carrier import send
from monitor.clock import Clock
from monitor.exchange import Ask, Event, Fate, Reply
from monitor.fates import fate_of
from monitor.sse import DONE, EventReader, bears_content
from monitor.transport import Incoming
from monitor.unpacking import Gunzip

MAX_BYTES = 2 * 1024 * 1024
MAX_EVENTS = 20_000
"""An answer to a probe has some dozens of events; each one costs a hundred times its bytes in memory."""


async def exchange(transport: httpx.AsyncBaseTransport, ask: Ask, clock: Clock, *, limit: int = MAX_BYTES) -> Reply:
    """Send ``ask`` and read the reply: a stream to its ``[DONE]``, its end or a deadline, all else to its end.

    Never raises but for cancellation: trouble is the reply's ``fate``, with what was read until then. ``limit`` is in
    bytes, after decompression. The first token's deadline ends with the first event that bears content, or with
    headers that announce no stream. Times are those of the bytes: from when the request went out (or from the start,
    where a connection had to be made) to when a piece came in, whenever we came to look at it.
    """
    reading = _Reading(ask, clock, limit)
    try:
        async with asyncio.timeout(None) as alarm:
            fate, detail = await reading.run(transport, alarm)
    except (TimeoutError, _LateError) as error:
        late = isinstance(error, _LateError) or alarm.expired()
        fate, detail = reading.why_late() if late else (Fate.OURS, _place(error))
    except (httpx.TransportError, httpx.InvalidURL) as error:
        fate, detail = fate_of(error, answered=reading.status is not None), str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, a probe must end as an outcome; the fate says that it is ours
        fate, detail = Fate.OURS, _place(error)
    return reading.reply(fate, _presentable(detail, ask) if detail else "")


class _LateError(Exception):
    """The clock handed in says that a deadline has passed; it may run faster than the loop's."""


class _Reading:
    """What has been read so far, filled as it comes, so that nothing is lost when the exchange breaks."""

    def __init__(self, ask: Ask, clock: Clock, limit: int) -> None:
        self.status: int | None = None
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._ask = ask
        self._clock = clock
        self._limit = limit
        self._started = clock.monotonic()
        self._ended: float | None = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._events: list[Event] = []
        self._reader: EventReader | None = None
        self._unpack: Gunzip | None = None
        self._size = 0
        self._first_byte: float | None = None
        self._streaming = ask.stream
        self._began = False
        self._until = self.allowed
        self._done = False
        self._too_large = False

    @property
    def allowed(self) -> float:
        """Seconds from the start until the deadline that holds now."""
        first_token = self._ask.first_token
        if self._streaming and not self._began and first_token is not None:
            return min(first_token, self._ask.deadline)
        return self._ask.deadline

    async def run(self, transport: httpx.AsyncBaseTransport, alarm: asyncio.Timeout) -> tuple[Fate, str]:
        self._due = self._loop.time() + self._until
        self._watch(alarm)
        try:
            incoming = await send(self._ask, transport, self._until)
            whole = False
            try:
                self._take_head(incoming)
                await incoming.pour(self._take)
                whole = not self._too_large
            finally:
                await incoming.close(whole=whole)
        finally:
            self._timer.cancel()
        return self._judge_end()

    def _watch(self, alarm: asyncio.Timeout) -> None:
        self._timer = self._loop.call_at(self._due, self._ring, alarm)

    def _ring(self, alarm: asyncio.Timeout) -> None:
        """The deadline that was set last is over. Nearly all exchanges end before, so whether it was moved meanwhile is
        looked at here: to move a timer costs as much as a piece of a stream."""
        if self._loop.time() < self._due:
            self._watch(alarm)
        else:
            alarm.reschedule(self._due)

    def why_late(self) -> tuple[Fate, str]:
        self._ended = None
        if self._began:
            return Fate.STALLED, f"it began to answer and did not finish within {self._ask.deadline:g} s"
        seen = "no response" if self.status is None else f"only the headers of a {self.status}"
        detail = f"{seen} within {self.allowed:g} s"
        if self._streaming and (self.allowed < self._ask.deadline or self.status is not None):
            return Fate.FIRST_TOKEN_TIMEOUT, f"no token: {detail}"
        return Fate.TIMEOUT, detail

    def reply(self, fate: Fate, detail: str) -> Reply:
        answered = fate is Fate.ANSWERED and self._ended is not None
        return Reply(
            fate=fate,
            status=self.status,
            headers=self._headers if self.status is not None else None,
            body=bytes(self._body),
            events=tuple(self._events),
            done=self._done,
            first_byte=self._first_byte,
            duration=self._ended if answered and self._ended is not None else self._elapsed(),
            detail=detail,
        )

    def _elapsed(self, at: float | None = None) -> float:
        """Seconds from the start until now, or until ``at``, which is by ``time.perf_counter`` whatever clock is handed
        in."""
        now = self._clock.monotonic()
        return (now if at is None else now - (time.perf_counter() - at)) - self._started

    def _take_head(self, incoming: Incoming) -> None:
        if incoming.sent is not None:
            self._started += self._elapsed(incoming.sent)
        elif incoming.queued:
            self._started += incoming.queued  # waiting for a connection of our own is no slowness of the endpoint
        self._first_byte = self._ended = self._elapsed(incoming.head)
        if self._ended >= self._until:
            raise _LateError
        self.status = incoming.status
        self._headers = _headers(incoming.headers)
        content_type = self._headers.get("content-type", "")
        self._streaming = self._ask.stream and content_type.lower().startswith("text/event-stream")
        self._reader = EventReader() if self._streaming else None
        if self._headers.get("content-encoding", "").lower() in {"gzip", "x-gzip"}:
            self._unpack = Gunzip(self._limit)
        self._move_deadline()

    def _move_deadline(self) -> None:
        """To the one that holds from now on, which is never an earlier one."""
        self._until = self.allowed
        self._due = self._loop.time() + self._until - self._elapsed()

    def _take(self, raw: bytes, at: float | None) -> bool:
        """One piece of the body, and whether it is the last that is wanted."""
        now = self._clock.monotonic()  # as ``_elapsed`` has it; a stream has many pieces
        elapsed = (now if at is None else now - (time.perf_counter() - at)) - self._started
        if self._ended is not None and elapsed < self._ended:
            elapsed = self._ended
        self._ended = elapsed
        if elapsed >= self._until:
            raise _LateError
        chunk = raw if self._unpack is None else self._unpack.feed(raw)
        self._size += len(chunk)
        if self._reader is not None:
            self._take_events(self._reader.feed(chunk), elapsed)
        else:
            self._take_body(chunk)
        self._too_large = not self._done and (self._size > self._limit or len(self._events) > MAX_EVENTS)
        return self._done or self._too_large

    def _judge_end(self) -> tuple[Fate, str]:
        if self._too_large:
            return Fate.TOO_LARGE, f"the reply is longer than {self._limit} bytes or {MAX_EVENTS} events"
        if not self._done and self._unpack is not None and not self._unpack.whole:
            return Fate.CUT, "the compressed reply ends before its end"
        self._done = self._done or (self._reader is not None and self._reader.pending == DONE)
        return Fate.ANSWERED, ""

    def _take_events(self, events: Iterable[str], elapsed: float) -> None:
        for data in events:
            if data == DONE:
                self._done = True
                return
            self._events.append(Event(at=elapsed, data=data))
            if not self._began and bears_content(data):
                self._began = True
                self._move_deadline()

    def _take_body(self, chunk: bytes) -> None:
        self._body += chunk[: self._limit - len(self._body)]
        # Routers send headers and blanks while a model is still silent: those are no beginning of an answer.
        self._began = self._began or bool(chunk.strip())


def _headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """By name in lower case; what is repeated is joined by commas."""
    found: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _place(error: BaseException) -> str:
    """Where our mistake is. Not its text: that may quote a header."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _presentable(detail: str, ask: Ask) -> str:
    """One short line, without any header's value, wherever the text came from."""
    for value in ask.headers.values():
        for secret in {value, value.rpartition(" ")[2]}:
            if len(secret) >= 8:
                detail = detail.replace(secret, "***")
    return " ".join(detail.split())[:200]
