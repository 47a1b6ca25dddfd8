"""A journal can be judged again: nothing that the judge looks at is lost, and what is damaged is said to be so."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.evidence import Evidence
from chaos.hypothesis import check
from chaos.journals import (
    JournalError,
    asker_of,
    differences,
    evidence_of,
    journal_from_json,
    journal_json,
    judged_again,
)
from chaos.judge import judge
from chaos.model import Check, Event, Expect, Journal, Phase
from monitor.model import Attempt, Path, Reason, Status, Verdict, VerdictKind

from .drill_samples import by_secondary, drill, failed, outcome
from .drill_stage import Stage

LABELS = ("primary", "secondary", "last-resort")
times = st.floats(0, 4e9, allow_nan=False)
words = st.text(max_size=12)
whole = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
attempts = st.builds(
    Attempt,
    model=whole,
    provider=st.none() | whole,
    position=st.none() | st.integers(0, 2),
    status_code=st.none() | st.integers(100, 599),
    reason=st.sampled_from(Reason),
    duration=st.none() | times,
)
outcomes = st.builds(
    outcome,
    at=times,
    status=st.sampled_from(Status),
    reason=st.sampled_from(Reason),
    served_by=st.sampled_from([None, *LABELS]),
    position=st.none() | st.integers(0, 2),
    path=st.none() | st.sampled_from(Path),
    attempts=st.lists(attempts, max_size=3).map(tuple),
    duration=times,
    detail=whole,
    cost=st.none() | st.floats(0, 10),
)
some = st.lists(outcomes, max_size=4).map(tuple)
expects = st.builds(
    Expect,
    served_by=st.sampled_from([None, "secondary", "last-resort"]),
    within=st.floats(0.1, 100),
    rejected=st.booleans(),
    path=st.none() | st.sampled_from(Path),
)


@st.composite
def journals(draw: st.DrawFn) -> Journal:
    evidence = Evidence(
        drill=drill(expect=draw(expects), requests=draw(st.integers(1, 5))),
        run=draw(st.text("0123456789abcdef", min_size=1, max_size=26)),
        labels=LABELS,
        baseline=draw(some),
        broken=draw(some),
        recovered=draw(some),
        injected=draw(st.integers(0, 9)),
        refused=draw(st.none() | whole),
        aborted=draw(st.none() | whole),
        crash=draw(st.none() | whole),
    )
    started = draw(times)
    state = evidence.drill.hypothesis.whole
    checks: tuple[Check, ...] = (check(state, evidence.baseline, phase=Phase.BASELINE, now=started),)
    return Journal(
        **{each.name: getattr(evidence, each.name) for each in fields(evidence)},
        asked_by=draw(whole),
        seed=draw(st.integers(0, 2**32 - 1)),
        started=started,
        ended=started + draw(st.floats(0, 1e4)),
        events=tuple(Event(at=started, phase=phase, text=draw(whole)) for phase in Phase),
        verdict=judge(evidence, draw(times)),
        checks=checks,
    )


@given(journals())
def test_a_journal_comes_back_whole_and_is_judged_the_same(journal: Journal) -> None:
    again = journal_from_json(journal_json(journal))
    assert again == journal
    assert judged_again(again) == journal.verdict
    assert differences(journal.verdict, judged_again(again)) == ()


@given(journals(), st.dictionaries(whole.filter(lambda name: name not in ("format", "version")), st.integers()))
def test_what_a_later_version_adds_is_skipped(journal: Journal, added: dict[str, int]) -> None:
    document = json.loads(journal_json(journal))
    news = {name: value for name, value in added.items() if name not in document}
    changed = {**document, **news, "verdict": {**document["verdict"], "verdict_of_2031": [1]}}
    assert journal_from_json(json.dumps(changed).encode()) == journal


@given(journals(), st.data())
def test_whatever_is_cut_off_or_changed_is_read_or_refused_in_a_sentence(journal: Journal, data: st.DataObject) -> None:
    written = bytearray(journal_json(journal))
    if data.draw(st.booleans()):
        del written[data.draw(st.integers(0, len(written))) :]
    else:
        written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    try:
        judged_again(journal_from_json(bytes(written)))
    except JournalError as error:
        said = str(error)
    else:
        said = "this could be read"
    assert said.startswith("this ")
    assert "\n" not in said


def test_all_that_is_judged_is_in_the_journal() -> None:
    assert {each.name for each in fields(Evidence)} <= {each.name for each in fields(Journal)}


@given(st.builds(lambda text: text.replace("\ud800", ""), whole), words)
def test_who_asked_is_found_whatever_else_the_journal_says(name: str, text: str) -> None:
    event = Event(at=1.0, phase=Phase.GUARD, text=f'"asked_by":"{text}"')
    verdict = Verdict(at=1.0, run="r", drill="d", chain="c", kind=VerdictKind.PASSED, because="so", fault="stall")
    one = Journal(
        run='"asked_by":"nobody"', drill=drill(), asked_by=name, seed=1, started=1.0, ended=2.0, events=(event,),
        baseline=(), broken=(), recovered=(), injected=0, verdict=verdict,
    )  # fmt: skip
    assert asker_of(journal_json(one)) == name
    assert asker_of(b"{}") is None


@pytest.mark.anyio
async def test_half_a_surrogate_from_an_upstream_costs_one_letter_and_not_the_journal() -> None:
    journal = await Stage([outcome(), failed(detail="broken \ud800 text")]).runner.run(drill(), asked_by="a person")
    assert journal_from_json(journal_json(journal)).broken[0].detail == "broken ? text"


@pytest.mark.anyio
async def test_a_run_that_was_refused_is_judged_again_as_refused() -> None:
    stage = Stage()
    stage.runner.stop("stopped by a person")
    journal = await stage.runner.run(drill(), asked_by="a person")
    assert journal.refused == "all drills are stopped until they are released: stopped by a person"
    assert judged_again(journal_from_json(journal_json(journal))) == journal.verdict


@pytest.mark.anyio
async def test_a_verdict_that_the_record_does_not_bear_out_is_found() -> None:
    journal = await Stage().runner.run(drill(requests=1), asked_by="a person")
    forged = replace(journal, broken=(failed(Reason.TIMEOUT, duration=3.0),))
    again = judged_again(forged)
    assert again.kind is VerdictKind.DEVIATED
    changed = {part: (then, now) for part, then, now in differences(forged.verdict, again)}
    assert changed["kind"] == (VerdictKind.PASSED, VerdictKind.DEVIATED)


def _sample() -> dict[str, Any]:
    evidence = Evidence(
        drill=drill(), run="r1", labels=LABELS, baseline=(outcome(),), broken=(by_secondary(),), injected=1
    )
    journal = Journal(
        **{each.name: getattr(evidence, each.name) for each in fields(evidence)},
        asked_by="a person", seed=Random(1).getrandbits(32), started=1.0, ended=2.0, events=(),
        verdict=judge(evidence, 2.0),
    )  # fmt: skip
    return dict(json.loads(journal_json(journal)))


DAMAGES: list[tuple[Any, str]] = [
    (b"", "this is no whole JSON document (Expecting value in line 1, column 1): is the file complete?"),
    (b"\xff{}", "this is no journal: byte 0 is no UTF-8 text"),
    (b"[1]", 'this is no journal of a drill: it has no "format": "fallbackd journal"'),
    (b'{"format": "other"}', 'this is no journal of a drill: it has no "format": "fallbackd journal"'),
    (b"[" * 100_000, "this is no journal: it is nested too deep"),
    (
        {"version": 2},
        (
            "this journal was written by a newer fallbackd (version 2 of the format; this one reads up to 1): "
            "upgrade fallbackd"
        ),
    ),
    ({"seed": "many"}, 'this journal is damaged: seed: "many" is not a whole number'),
    ({"drill": {"chain": 7}}, 'this journal is damaged: drill.chain: 7 is a number, not text; write it in quotes: "7"'),
    ({"labels": []}, "this journal does not say what the chain's targets were called, so it cannot be judged again"),
    (
        {"labels": ["a"], "drill": {"strikes": [{"positions": [4], "fault": "ignore"}]}},
        "this journal is damaged: the drill breaks a target that the chain did not have",
    ),
]


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES)
def test_damage_is_said_in_one_sentence(damage: Any, sentence: str) -> None:
    if isinstance(damage, dict):
        document = _sample()
        inner = {key: {**document[key], **value} if isinstance(value, dict) else value for key, value in damage.items()}
        damage = json.dumps(document | inner).encode()
    with pytest.raises(JournalError) as caught:
        evidence_of(journal_from_json(damage))
    assert str(caught.value) == sentence
