"""The buttons of an incident's message: what each is called, carries and asks before it acts. Pure.

``action_id`` says what is wanted, ``value`` of what; whoever hears of a press (see ``monitor.slack``) reads both.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from monitor.model import Notice, NoticeCause, NoticeState
from monitor.notify.blocks import Block, clip, plain, safe_url
from monitor.notify.model import DrillOffer
from monitor.notify.stand_in import ALERT as BROKEN

BUTTON_LIMIT = 75
VALUE_LIMIT = 2000
CONFIRM_TITLE_LIMIT = 100
CONFIRM_TEXT_LIMIT = 300
CONFIRM_BUTTON_LIMIT = 30
SILENCE_SECONDS = 3600.0


class Action(StrEnum):
    """``action_id`` of the buttons."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    DRILL = "drill"
    OPEN = "open"


def buttons(notice: Notice, drills: Mapping[str, DrillOffer], *, listening: bool) -> Block | None:
    """``drills``: by chain. ``listening``: somebody hears of presses; without that only the link is of use, and the
    message has it in words already."""
    if not listening:
        return None
    offer = drills.get(notice.chain)
    fires = notice.state is NoticeState.FIRING and notice.cause is not NoticeCause.TEST
    found: list[Block] = []
    if fires and notice.alert != BROKEN:  # what is about a notifier itself is no incident of the alarm's
        found += [_silence(notice)] if notice.acknowledged else [_acknowledge(notice), _silence(notice)]
    if offer is not None:
        found.append(_drill(offer, notice.chain))
    if notice.link is not None and (url := safe_url(notice.link)):
        found.append({"type": "button", "action_id": Action.OPEN, "text": plain("Open page", BUTTON_LIMIT), "url": url})
    found = [one for one in found if len(one.get("value", "")) <= VALUE_LIMIT]
    return {"type": "actions", "elements": found} if found else None


def _acknowledge(notice: Notice) -> Block:
    return _button(Action.ACKNOWLEDGE, "Acknowledge", notice.incident) | {"style": "primary"}


def _silence(notice: Notice) -> Block:
    return _button(Action.SILENCE, "Silence 1 h", notice.incident)


def _drill(offer: DrillOffer, chain: str) -> Block:
    confirm = {
        "title": plain(f"Run drill {offer.name} now?", CONFIRM_TITLE_LIMIT),
        "text": {"type": "plain_text", "text": clip(f"It breaks {offer.breaks} on chain {chain}.", CONFIRM_TEXT_LIMIT)},
        "confirm": plain("Run it", CONFIRM_BUTTON_LIMIT),
        "deny": plain("Leave it", CONFIRM_BUTTON_LIMIT),
        "style": "danger",
    }
    return _button(Action.DRILL, f"Run drill {offer.name}", offer.name) | {"confirm": confirm}


def _button(action: Action, text: str, value: str) -> dict[str, Any]:
    return {"type": "button", "action_id": action.value, "text": plain(text, BUTTON_LIMIT), "value": value}
