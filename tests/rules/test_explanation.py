"""The sentences in which it is told what happened."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.config.model import ChainConfig
from monitor.explanation import Sentence, Topic, explain_chain, explain_outcome
from monitor.findings import CatalogueFinding, Drift, Use
from monitor.health import ChainState, SubjectState, Trouble
from monitor.model import Attempt, Health, Mode, Origin, Outcome, Path, Reason, Status, Subject, Target
from tests.fakes.values import outcome

NOW = 1_791_028_980.0  # 2026-10-03 12:03 UTC
CHAT = ChainConfig.model_validate(
    {
        "name": "chat",
        "endpoint": "router",
        "mode": "server",
        "targets": [{"label": "primary", "model": "a/one"}, {"label": "secondary", "model": "b/two"}],
        "probes": [{"kind": "completion", "every": "60s"}],
    }
)
FAILED = Attempt(model="a/one", provider="X", position=0, status_code=503, reason=Reason.OVERLOADED, duration=0.5)
LIMITED = Attempt(model="a/one", provider="Y", position=0, status_code=429, reason=Reason.RATE_LIMITED)
GOOD = Attempt(model="b/two", provider="Z", position=1, status_code=200)
SECOND: dict[str, Any] = {"served_by": "secondary", "position": 1, "model": "b/two", "served_provider": "Z"}


def chat(**changed: Any) -> Outcome:
    return outcome(**{"id": "o1", "at": NOW, "duration": 0.5, **changed})


def known(health: Health) -> list[tuple[Target, SubjectState | None]]:
    state = SubjectState(subject=Subject(chain="chat", target="primary"), health=health, since=NOW)
    return [(CHAT.target(0), state), (CHAT.target(1), None)]


def told(sentences: tuple[Sentence, ...], topic: Topic) -> list[str]:
    return [sentence.text for sentence in sentences if sentence.topic is topic]


ANSWERS: list[tuple[str, Outcome, str]] = [
    (
        "good",
        chat(path=Path.PRIMARY, served_by="primary", position=0, model="a/one", served_provider="X"),
        "primary (a/one at X) answered in 0.50 s.",
    ),
    (
        "slow",
        chat(path=Path.PRIMARY, served_by="primary", status=Status.DEGRADED, reason=Reason.TOO_SLOW, model="a/one"),
        "primary (a/one) answered in 0.50 s, which is worse than promised (too_slow).",
    ),
    (
        "no good",
        chat(path=Path.FELL_BACK, status=Status.FAILED, reason=Reason.EMPTY, **SECOND),
        "secondary (b/two at Z) answered in 0.50 s, and the answer is no good: empty.",
    ),
    (
        "stranger",
        chat(path=Path.WRONG_MODEL, status=Status.FAILED, reason=Reason.WRONG_MODEL, model="c/three"),
        "c/three answered in 0.50 s, which is no target of the chain.",
    ),
    (
        "nobody",
        chat(path=Path.EXHAUSTED, status=Status.FAILED, reason=Reason.TIMEOUT),
        "Nobody answered (timeout); it was given up after 0.50 s.",
    ),
    (
        "refused",
        chat(path=Path.EXHAUSTED, status=Status.FAILED, reason=Reason.MODEL_GONE),
        "Nobody answered (model_gone); that was known after 0.50 s.",
    ),
    (
        "ours",
        chat(status=Status.ERROR, reason=Reason.OURS, detail="no memory"),
        "Nobody can be judged: no memory.",
    ),
]


@pytest.mark.parametrize(("of", "says"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_who_answered(of: Outcome, says: str) -> None:
    assert told(explain_outcome(of, CHAT), Topic.ANSWERED) == [says]


FILTERED = "Filtered: primary was never called. The router left it out before it called anybody."
UNTOLD = (
    "The endpoint named no attempts, so it cannot be told whether primary was called and failed, or was left out "
    "before any call."
)
WHYS: list[tuple[str, Outcome, Health, list[str]]] = [
    ("primary", chat(path=Path.PRIMARY), Health.HEALTHY, ["primary answered itself: no fallback was needed."]),
    (
        "primary at its second provider",
        chat(path=Path.PRIMARY, attempts=(FAILED,)),
        Health.HEALTHY,
        ["primary answered itself after 503 from X: no fallback was needed."],
    ),
    (
        "failed over",
        chat(path=Path.FAILED_OVER, attempts=(FAILED, LIMITED, GOOD), **SECOND),
        Health.DOWN,
        ["Failed over: primary was called and failed (503 from X, 429 from Y)."],
    ),
    (
        "filtered, and healthy alone",
        chat(path=Path.FILTERED, attempts=(GOOD,), **SECOND),
        Health.HEALTHY,
        [FILTERED, "Asked on its own primary answers: a rule or a limit keeps it out, not an outage."],
    ),
    (
        "filtered, and down alone",
        chat(path=Path.FILTERED, attempts=(GOOD,), **SECOND),
        Health.DOWN,
        [FILTERED, "It is down on its own too, so the router avoids what does not work."],
    ),
    ("filtered, and not known", chat(path=Path.FILTERED, **SECOND), Health.UNKNOWN, [FILTERED]),
    (
        "fell back",
        chat(path=Path.FELL_BACK, **SECOND),
        Health.LIMITED,
        [UNTOLD, "Asked on its own primary answers with rate limits."],
    ),
    (
        "exhausted",
        chat(path=Path.EXHAUSTED, status=Status.FAILED, attempts=(FAILED, LIMITED)),
        Health.DOWN,
        ["Every target was passed over: 503 from X, 429 from Y."],
    ),
    (
        "refused as a whole",
        chat(path=Path.EXHAUSTED, status=Status.FAILED, reason=Reason.MODEL_GONE, status_code=400),
        Health.HEALTHY,
        ["The endpoint refused the request as a whole (400): it called no target, the fallbacks neither."],
    ),
    (
        "not reached",
        chat(path=Path.EXHAUSTED, status=Status.FAILED, reason=Reason.DNS),
        Health.HEALTHY,
        ["The endpoint itself was not reached, so that no target was called."],
    ),
    (
        "exhausted, nobody knows how",
        chat(path=Path.EXHAUSTED, status=Status.FAILED, reason=Reason.TIMEOUT),
        Health.HEALTHY,
        ["The endpoint named no attempts, so it cannot be told which targets were called."],
    ),
    ("a target", chat(target="primary"), Health.HEALTHY, []),
]


@pytest.mark.parametrize(("of", "health", "says"), [row[1:] for row in WHYS], ids=[row[0] for row in WHYS])
def test_why_the_primary_was_passed_over(of: Outcome, health: Health, says: list[str]) -> None:
    assert told(explain_outcome(of, CHAT, known(health)), Topic.WHY) == says


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (chat(), "At 2026-10-03T12:03:00Z chain chat was asked end to end (completion, on schedule)."),
        (
            chat(target="primary", provider="x", origin=Origin.MANUAL),
            "At 2026-10-03T12:03:00Z target primary of chat was asked on its own, pinned to x (completion, by hand).",
        ),
        (
            chat(origin=Origin.DRILL, drill="d1"),
            "At 2026-10-03T12:03:00Z chain chat was asked end to end (completion, during drill d1).",
        ),
    ],
)
def test_who_was_asked(of: Outcome, says: str) -> None:
    assert told(explain_outcome(of, CHAT), Topic.ASKED)[0] == says


def test_the_order_and_the_walker_are_told() -> None:
    order = "The order is primary (a/one), then secondary (b/two); "
    assert told(explain_outcome(chat(), CHAT), Topic.ASKED)[1] == f"{order}the endpoint walks it."
    walked = CHAT.model_copy(update={"mode": Mode.CLIENT})
    assert told(explain_outcome(chat(), walked), Topic.ASKED)[1].endswith(
        "fallbackd itself walks it, as the application would."
    )


def test_the_evidence_are_the_attempts_and_the_names_of_the_records() -> None:
    of = chat(path=Path.FAILED_OVER, attempts=(FAILED, GOOD), generation="gen-1", detail="what was seen", **SECOND)
    assert told(explain_outcome(of, CHAT), Topic.EVIDENCE) == [
        "Attempt 1: primary, a/one at X failed: overloaded (503) after 0.50 s.",
        "Attempt 2: secondary, b/two at Z answered (200).",
        "Noted then: what was seen.",
        "The endpoint's record of it is gen-1; the outcome is o1.",
    ]


@pytest.mark.parametrize(
    ("of", "has"),
    [
        (chat(path=Path.PRIMARY), []),
        (chat(path=Path.FILTERED, **SECOND), ["Look at what leaves it out: routing"]),
        (chat(path=Path.FAILED_OVER, attempts=(LIMITED, GOOD), **SECOND), ["Rate limits: ask for a higher limit"]),
        (chat(path=Path.FELL_BACK, **SECOND), ["`fallbackd probe CHAIN` asks each target"]),
        (chat(path=Path.FILTERED, drill="d1", **SECOND), ["It was broken on purpose by drill d1"]),
        (chat(path=Path.EXHAUSTED, status=Status.FAILED, reason=Reason.MODEL_GONE), ["The id is not known any more"]),
    ],
)
def test_what_to_do(of: Outcome, has: list[str]) -> None:
    advice = told(explain_outcome(of, CHAT, known(Health.HEALTHY)), Topic.ADVICE)
    assert len(advice) == len(has)
    assert all(text.startswith(start) for text, start in zip(advice, has, strict=True))


def test_every_reason_can_be_explained() -> None:
    for reason in Reason:
        for path in (None, *Path):
            for status in Status:
                said = explain_outcome(chat(reason=reason, path=path, status=status), None)
                assert all(one.text.endswith(".") for one in said)


def test_an_outcome_of_a_chain_that_is_gone_speaks_for_itself() -> None:
    said = explain_outcome(chat(path=Path.FAILED_OVER, attempts=(FAILED, GOOD), **SECOND), None)
    assert "Chain chat is no longer configured, so its targets are not known here." in told(said, Topic.ASKED)
    assert told(said, Topic.WHY) == ["Failed over: the primary was called and failed (503 from X)."]


def test_a_chain_is_explained_with_its_state_its_findings_and_what_the_endpoint_says() -> None:
    trouble = Trouble(
        label="primary", position=0, health=Health.DOWN, reason=Reason.TIMEOUT, since=NOW, detail="no answer"
    )
    state = ChainState(chain="chat", health=Health.DEGRADED, since=NOW, detail="primary down", troubles=(trouble,))
    uses = (Use(chain="chat", label="primary", position=0),)
    found = CatalogueFinding(drift=Drift.PRICE_CHANGED, endpoint="r", subject="s", detail="dearer", uses=uses)
    other = CatalogueFinding(drift=Drift.PRICE_CHANGED, endpoint="r", subject="s", detail="not ours")
    reported = {"primary": "primary: x 70 % over 30m", "secondary": "secondary: z 100 % over 30m"}
    said = explain_chain(CHAT, state, chat(path=Path.PRIMARY), [], [found, other], reported)
    assert said[0].text == "Chain chat is degraded since 2026-10-03T12:03:00Z: primary down."
    assert told(said, Topic.EVIDENCE)[-2:] == [
        "The catalogue: dearer.",
        "The endpoint says of primary: x 70 % over 30m.",
    ]
    assert [one.topic for one in said] == sorted((one.topic for one in said), key=list(Topic).index)


def test_a_chain_of_which_nothing_is_known_says_so() -> None:
    assert [one.text for one in explain_chain(CHAT, None, None, [])] == [
        "Chain chat has not been judged yet.",
        "No end-to-end answer of it is kept, so nobody can be named.",
    ]
