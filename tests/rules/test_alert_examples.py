"""Marked examples of alerts, and the sentences that say why somebody was told or nobody."""

from __future__ import annotations

import itertools

from monitor.alerting import DecisionReason, example
from monitor.alerting.explained import EXPLAINED
from monitor.config.model import AlertsFile
from monitor.model import NoticeCause, NoticeState, Severity

FILE = AlertsFile.model_validate(
    {
        "notifiers": [{"name": name, "kind": "log"} for name in ("slack", "log", "pager")],
        "routes": [
            {"notify": ["slack", "log"]},
            {"match": {"severity": ["critical"]}, "notify": ["pager", "slack"]},
            {"match": {"chains": ["other"]}, "notify": ["pager"]},
        ],
        "rules": [
            {"name": "down", "when": "chain_down", "severity": "critical"},
            {"name": "degraded", "when": "chain_degraded"},
            {"name": "unwell", "when": "daemon_unwell"},
        ],
    }
)


def send(rule: int, *muted: str):
    numbers = itertools.count()
    return example(FILE.rules[rule], FILE, "chat", muted, 100.0, lambda: str(next(numbers)))


def test_an_example_goes_to_everybody_on_the_real_route_once() -> None:
    notices = send(0)
    assert [notice.notifier for notice in notices] == ["slack", "log", "pager"]
    assert [notice.notifier for notice in send(1)] == ["slack", "log"]
    assert [notice.notifier for notice in send(0, "slack")] == ["log", "pager"]


def test_an_example_is_marked_and_is_no_real_incident() -> None:
    notices = send(0)
    assert {(notice.cause, notice.state, notice.severity) for notice in notices} == {
        (NoticeCause.TEST, NoticeState.FIRING, Severity.CRITICAL)
    }
    assert {notice.incident for notice in notices} == {"test-0"}
    assert len({notice.id for notice in notices}) == 3
    assert all("Example" in notice.title and "Nothing is wrong" in notice.summary for notice in notices)


def test_an_example_of_what_is_about_fallbackd_itself_names_no_chain() -> None:
    notice = send(2)[0]
    assert (notice.chain, notice.title) == ("", "Example of alert unwell for fallbackd itself")
    assert [(member.key, member.chain) for member in notice.members] == [("unwell", "")]
    assert send(0)[0].title == "Example of alert down for chain chat"


def test_every_reason_has_its_sentence() -> None:
    assert set(EXPLAINED) == set(DecisionReason)
    assert len(set(EXPLAINED.values())) == len(EXPLAINED)
