"""A notice as a Slack message: what it says, and that Slack takes it whatever it says."""

from __future__ import annotations

import html
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Acknowledgement, Notice, NoticeCause, NoticeState, Severity
from monitor.notify.blocks import FACTS_FIRST, FACTS_SHOWN, HEADER_LIMIT, clip, lasted, render
from monitor.notify.model import DrillOffer
from monitor.notify.slack_buttons import buttons
from monitor.notify.slack_threads import render_reminder, reply
from tests.fakes.slack import texts, wrong_with
from tests.fakes.values import NOW, notice, resolved

SPITEFUL = "<!channel> <@U123> <https://evil.example|click> & *bold* _it_ ~no~ `code` :skull: @here\n> quote"

awkward = st.text(alphabet=st.sampled_from("a&<>😀\n*\ud800 ") | st.characters(), max_size=6000)
notices = st.builds(
    Notice,
    id=st.just("n1"),
    at=st.floats(NOW, NOW + 1e6),
    incident=st.text(max_size=3000),  # an id of our own
    alert=awkward,
    chain=awkward,
    severity=st.sampled_from(Severity),
    state=st.sampled_from(NoticeState),
    cause=st.sampled_from(NoticeCause),
    notifier=st.just("slack"),
    title=awkward,
    summary=awkward,
    facts=st.lists(st.tuples(awkward, awkward), max_size=60).map(tuple),
    since=st.floats(0, NOW),
    link=st.none() | st.text(max_size=3000).map(lambda text: f"http://x/{text}"),
    docs=st.none() | st.text(max_size=3000).map(lambda text: f"http://x/{text}"),
    acknowledged=st.none() | st.builds(Acknowledgement, by=awkward, at=st.just(NOW)),
    changes=st.lists(awkward, max_size=20).map(tuple),
    worse=st.booleans(),
    merged_into=st.none() | awkward,
)


def body(message: Any) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}


@given(value=notices, announced=st.booleans())
@settings(max_examples=60, deadline=None)
def test_slack_takes_any_notice_whatever(value: Notice, announced: bool) -> None:
    offer = {value.chain: DrillOffer(name="d", breaks=value.title)}
    row = buttons(value, offer, listening=True)
    assert wrong_with(body(render(value, announced=announced))) is None
    assert wrong_with(body(render(value, announced=announced, threaded=True, buttons=row, linked=False))) is None
    said = reply(value, announced=announced)
    assert said is None or wrong_with(body(said)) is None
    assert wrong_with(body(render_reminder(value))) is None


def test_the_longest_notice_of_all_is_within_every_limit() -> None:
    long = "&" * 10_000
    value = notice(title=long, summary=long, facts=((long, long),) * 500, incident=long, link=f"http://x/{'&' * 199}")
    message = render(value, announced=False)
    assert wrong_with(body(message)) is None
    assert "more facts left out" in message.blocks[-1]["elements"][1]["text"]


@given(text=awkward, limit=st.integers(1, 200))
def test_clipping_keeps_whole_characters_and_whole_entities(text: str, limit: int) -> None:
    short = clip(text, limit)
    assert len(short.encode("utf-16-le")) // 2 <= limit
    plain = text.encode("utf-8", "replace").decode()
    assert html.unescape(short).removesuffix("…") == plain[: len(html.unescape(short).removesuffix("…"))]
    assert "<" not in short
    assert ">" not in short


@pytest.mark.parametrize(
    ("value", "announced", "headline"),
    [
        (notice(), False, "🔴 Critical: chat is down"),
        (notice(severity=Severity.WARNING, cause=NoticeCause.CHANGED), True, "🟠 Warning: chat is down"),
        (notice(severity=Severity.INFO), False, "🔵 Info: chat is down"),
        (resolved(), True, "✅ Resolved after 4m12s (critical): chat is down"),
        (resolved(), False, "✅ Fired and resolved after 4m12s (critical): chat is down"),
        (resolved(merged_into="i2"), True, "↪️ Not over, part of another incident now (critical): chat is down"),
        (resolved(merged_into="i2"), False, "↪️ Not over, part of another incident now (critical): chat is down"),
        (notice(cause=NoticeCause.TEST), False, "🔔 Test: chat is down"),
    ],
)
def test_the_headline_says_how_bad_it_is_and_whether_it_is_over(value: Notice, announced: bool, headline: str) -> None:
    message = render(value, announced=announced)
    assert message.blocks[0]["text"]["text"] == headline
    assert message.text.startswith(headline)


def test_summary_evidence_and_origin_are_shown() -> None:
    message = render(notice(link="https://watch.example/alerts?chain=chat&x=1"), announced=False)
    _, summary, facts, context = message.blocks
    assert summary["text"]["text"] == "no target of chat answers"
    assert [field["text"] for field in facts["fields"]] == ["Last good\n12:03:04 UTC", "Dead\nprimary: timeout"]
    origin, since_and_link = (element["text"] for element in context["elements"])
    assert origin == "Incident i1 · chain-down · chat"
    assert since_and_link.split(" · ") == [
        "since <!date^1700000000^{date_short_pretty} {time_secs}|2023-11-14 22:13:20 UTC>",
        "<https://watch.example/alerts?chain=chat&amp;x=1|Open fallbackd>",
    ]


def test_facts_are_grouped_by_ten_and_never_left_out_silently() -> None:
    message = render(notice(facts=tuple((f"n{number}", "v") for number in range(35))), announced=False)
    assert [len(block["fields"]) for block in message.blocks if "fields" in block] == [10, 10, 10]
    assert f"{35 - FACTS_SHOWN} more facts left out" in message.blocks[-1]["elements"][1]["text"]


def test_no_text_of_others_is_read_as_markup_or_mention() -> None:
    value = notice(title=SPITEFUL, summary=SPITEFUL, facts=((SPITEFUL, SPITEFUL),), incident=SPITEFUL, alert=SPITEFUL)
    message = render(value, announced=False)
    for block in message.blocks:
        for part in [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]:
            if part and "evil" in part["text"]:
                assert (part["type"], part["emoji"]) == ("plain_text", False)
                assert "<" not in part["text"]
                assert "&lt;!channel&gt;" in part["text"]
    assert "<" not in message.text


def test_a_link_cannot_break_out_of_its_brackets() -> None:
    message = render(notice(link="https://x.example/a>b|c <!here>"), announced=False)
    assert message.blocks[-1]["elements"][1]["text"].endswith(
        "<https://x.example/a%3Eb%7Cc%20%3C!here%3E|Open fallbackd>"
    )


def test_a_notice_without_words_is_still_a_message() -> None:
    message = render(notice(title="", summary=" ", facts=(("", ""),)), announced=False)
    assert wrong_with(body(message)) is None
    assert all(text.strip() for text in texts(list(message.blocks)))


def test_a_resolved_message_says_that_its_facts_are_of_the_past_and_repeats_nothing() -> None:
    value = resolved(facts=(("serves now", "nobody"), ("lasted", "4m12s")))
    shown = texts(list(render(value, announced=True, threaded=True).blocks))
    assert shown[2:4] == ["How it was:", "serves now\nnobody"]
    assert not [text for text in shown if text.startswith("lasted")]


@pytest.mark.parametrize("cause", [NoticeCause.FIRST, NoticeCause.CHANGED, NoticeCause.ACKNOWLEDGED])
@pytest.mark.parametrize("more", [0, 1, 2])
def test_what_the_message_says_to_be_in_the_thread_is_there(cause: NoticeCause, more: int) -> None:
    count = FACTS_FIRST + more
    value = notice(cause=cause, facts=tuple((f"fact {number}", "text") for number in range(count)), changes=("x",))
    context = render(value, announced=False, threaded=True).blocks[-1]["elements"][1]["text"]
    said = reply(value, announced=True)
    names = (None, "1 more fact in the thread", "2 more facts in the thread")[more]
    assert ("in the thread" in context) is (names is not None)
    if names is not None:
        assert names in context
        assert said is not None
        assert f"fact {count - 1}\ntext" in texts(list(said.blocks))


def test_what_to_do_is_said_for_as_long_as_there_is_something_to_do() -> None:
    def shown(value: Notice) -> list[str]:
        return [text for text in texts(list(render(value, announced=True).blocks)) if text.startswith("What to do")]

    assert shown(notice(advice="Look & mend.")) == ["What to do: Look &amp; mend."]
    assert shown(resolved(advice="Look & mend.")) == []
    assert shown(notice()) == []


def test_a_long_title_is_cut_with_a_sign_that_it_was() -> None:
    header = render(notice(title="x" * 500), announced=False).blocks[0]["text"]["text"]
    assert header.endswith("x…")
    assert len(header) == HEADER_LIMIT - 1, "the icon counts double"


def test_an_incident_of_no_time_lasted_a_second() -> None:
    assert lasted(resolved(at=NOW)) == "1s"
