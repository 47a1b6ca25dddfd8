"""A notifier that is broken for good: somebody else is told, of everything and of that."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from monitor.config.model import AlertsFile, Config
from monitor.errors import DeliveryError
from monitor.model import Notice, NoticeCause, NoticeState
from monitor.notify import Outbox
from monitor.notify.stand_in import ALERT, stand_ins
from monitor.notify.standing_in import StandingIn
from monitor.store import Store
from tests.fakes.clock import FakeClock
from tests.fakes.values import NOW, notice, resolved
from tests.notify.recorder import Recorder, settle

pytestmark = pytest.mark.anyio

REVOKED = DeliveryError("Slack refused: the token was revoked", reason="token_revoked", permanent=True, broken=True)
REFUSED = DeliveryError("the message was refused", reason="invalid_blocks", permanent=True)
DOWN = DeliveryError("Slack is not available", reason="unavailable", permanent=False)


def alerts(*routes: list[str], fallback: str | None = None) -> AlertsFile:
    names = ("slack", "pager", "mail")
    return AlertsFile.model_validate(
        {
            "notifiers": [
                {"name": name, "kind": "log", **({"fallback": fallback} if name == "slack" and fallback else {})}
                for name in names
            ],
            "routes": [{"notify": route} for route in routes],
            "rules": [{"name": "chain-down", "when": "chain_down"}],
        }
    )


def config(file: AlertsFile) -> Config:
    return Config(endpoints={}, chains=(), drills=(), alerts=file)


@pytest.mark.parametrize(
    ("file", "muted", "expected"),
    [
        (alerts(["slack"], fallback="pager"), (), {"slack": "pager"}),
        (alerts(["slack", "mail"], fallback="pager"), (), {"slack": "pager"}),
        (alerts(["slack", "mail", "pager"]), (), {"slack": "mail", "mail": "pager"}),
        (alerts(["slack", "mail", "pager"]), ("mail",), {"slack": "pager", "mail": "pager"}),
        (alerts(["slack"], fallback="pager"), ("pager",), {}),
        (alerts(["slack"]), (), {}),
        (alerts(["slack"], ["slack", "mail"]), (), {"slack": "mail"}),
    ],
)
def test_who_stands_in(file: AlertsFile, muted: tuple[str, ...], expected: dict[str, str]) -> None:
    assert stand_ins(file, muted) == expected


class Office:
    """A store on disk, two recorders and the outbox between them; ``reopen`` is a restart."""

    def __init__(self, path: Path, file: AlertsFile) -> None:
        self.path = path
        self.file = file
        self.clock = FakeClock(NOW)
        self.slack = Recorder("slack")
        self.pager = Recorder("pager")

    async def open(self) -> None:
        self.store = await Store.open(self.path, self.clock)
        self.seconds = StandingIn(store=self.store, config=config(self.file), clock=self.clock)
        await self.seconds.restore()
        self.outbox = Outbox(
            store=self.store,
            notifiers={"slack": self.slack, "pager": self.pager},
            clock=self.clock,
            rng=Random(3),
            observe=lambda *_: None,
            seconds=self.seconds,
        )

    async def close(self) -> None:
        await self.outbox.close()
        await self.store.close()

    async def tell(self, *notices: Notice) -> None:
        """Puts them, and lets time pass until nothing is due at once."""
        await self.store.decide("incident", {}, notices)
        for _ in range(3):
            await self.outbox.drain(5.0)
            await settle()

    def told(self, recorder: Recorder) -> list[tuple[str, str]]:
        return [(value.alert, value.state.value) for value, _ in recorder.got]


@contextlib.asynccontextmanager
async def office(path: Path, file: AlertsFile) -> AsyncIterator[Office]:
    made = Office(path / "fallbackd.sqlite3", file)
    await made.open()
    try:
        yield made
    finally:
        await made.close()


async def test_everything_goes_to_the_stand_in_and_the_breakage_is_told_once(tmp_path: Path) -> None:
    async with office(tmp_path, alerts(["slack"], fallback="pager")) as desk:
        desk.slack.fails = lambda _: REVOKED
        await desk.tell(notice())
        assert desk.told(desk.pager) == [(ALERT, "firing"), ("chain-down", "firing")]
        told = {value.alert: value for value, _ in desk.pager.got}
        assert told[ALERT].title == "Notifier slack reaches nobody"
        assert "the token was revoked" in told[ALERT].summary
        assert told["chain-down"].facts[-1][1].startswith("slack is broken: Slack refused")
        assert desk.outbox.broken["slack"].told == "pager"
        await desk.tell(notice(incident="i2"), notice(cause=NoticeCause.CHANGED, at=NOW + 60))
        assert [state for alert, state in desk.told(desk.pager) if alert == ALERT] == ["firing"]
        assert {value.incident for value, _ in desk.pager.got} >= {"i1", "i2"}


async def test_when_it_is_mended_the_stand_in_hears_of_that_and_of_the_end_of_what_it_was_told(tmp_path: Path) -> None:
    async with office(tmp_path, alerts(["slack"], fallback="pager")) as desk:
        desk.slack.fails = lambda _: REVOKED
        await desk.tell(notice())
        desk.slack.fails = lambda _: None
        desk.pager.got.clear()
        await desk.tell(resolved())
        assert sorted(desk.told(desk.pager)) == [("chain-down", "resolved"), (ALERT, "resolved")]
        assert desk.told(desk.slack) == [("chain-down", "resolved")]
        assert desk.outbox.broken == {}
        desk.pager.got.clear()
        await desk.tell(notice(incident="i3"), resolved(incident="i3"))
        assert desk.told(desk.pager) == [], "it is not told of what it never stood in for"


async def test_a_breakage_outlives_a_restart(tmp_path: Path) -> None:
    async with office(tmp_path, alerts(["slack"], fallback="pager")) as desk:
        desk.slack.fails = lambda _: REVOKED
        await desk.tell(notice())
        await desk.close()
        await desk.open()
        assert set(desk.outbox.broken) == {"slack"}
        await desk.tell(notice(incident="i2"))
        assert [state for alert, state in desk.told(desk.pager) if alert == ALERT] == ["firing"]
        desk.slack.fails = lambda _: None
        await desk.tell(notice(incident="i3"))
        assert [state for alert, state in desk.told(desk.pager) if alert == ALERT] == ["firing", "resolved"]


async def test_whoever_is_told_by_a_route_as_well_is_not_told_twice(tmp_path: Path) -> None:
    async with office(tmp_path, alerts(["slack", "pager"])) as desk:
        desk.slack.fails = lambda _: REVOKED
        await desk.tell(notice(), notice(notifier="pager", id="own"))
        assert sorted(desk.told(desk.pager)) == [("chain-down", "firing"), (ALERT, "firing")]


async def test_one_message_that_is_refused_goes_to_the_stand_in_but_breaks_nothing(tmp_path: Path) -> None:
    async with office(tmp_path, alerts(["slack"], fallback="pager")) as desk:
        desk.slack.fails = lambda value: REFUSED if value.incident == "i1" else None
        await desk.tell(notice(), notice(incident="i2"))
        assert desk.told(desk.pager) == [("chain-down", "firing")]
        assert desk.outbox.broken == {}


async def test_trouble_that_passes_is_waited_for(tmp_path: Path) -> None:
    async with office(tmp_path, alerts(["slack"], fallback="pager")) as desk:
        desk.slack.fails = lambda _: DOWN
        await desk.tell(notice())
        assert desk.pager.got == []


async def test_two_that_stand_in_for_each_other_do_not_pass_notices_round_and_round(tmp_path: Path) -> None:
    async with office(tmp_path, alerts(["slack", "pager"], ["pager", "slack"])) as desk:
        desk.slack.fails = desk.pager.fails = lambda _: REVOKED
        await desk.tell(notice())
        assert len(desk.slack.tried) + len(desk.pager.tried) < 10
        assert set(desk.outbox.broken) == {"slack", "pager"}


async def test_with_nobody_else_it_is_known_all_the_same(tmp_path: Path) -> None:
    async with office(tmp_path, alerts(["slack"])) as desk:
        desk.slack.fails = lambda _: REVOKED
        await desk.tell(notice())
        assert desk.outbox.broken["slack"].told is None
        desk.slack.fails = lambda _: None
        await desk.tell(notice(incident="i2", state=NoticeState.FIRING))
        assert desk.outbox.broken == {}


async def test_what_is_tried_again_and_again_is_forwarded_once(tmp_path: Path) -> None:
    async with office(tmp_path, alerts(["slack"], fallback="pager")) as desk:
        desk.slack.fails = lambda _: REVOKED
        await desk.tell(notice())
        for _ in range(5):
            desk.clock.advance(301)
            await desk.tell()
        assert len(desk.slack.tried) == 6
        assert [alert for alert, _ in desk.told(desk.pager)] == [ALERT, "chain-down"]
