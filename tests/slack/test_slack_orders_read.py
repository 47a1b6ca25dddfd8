"""What is typed and pressed in Slack, as orders; who may give them; what is answered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import VerdictKind
from monitor.notify.slack import CommandsConfig
from monitor.notify.slack_buttons import Action
from monitor.slack import answers
from monitor.slack.orders import Misread, Order, Verb, read_command, read_press
from monitor.slack.permission import Person, permission
from tests.fakes.slack import wrong_with
from tests.fakes.values import verdict

ALLOWED = CommandsConfig(app_token_env="T", users=("U0ADA",), channels=("C0FAKE",))
ADA = Person(id="U0ADA", name="ada")
EVE = Person(id="U0EVE", name="ada")


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", Order(verb=Verb.HELP)),
        ("help me", Order(verb=Verb.HELP)),
        ("  STATUS ", Order(verb=Verb.STATUS)),
        ("status chat", Order(verb=Verb.STATUS, chain="chat")),
        ("drill", Order(verb=Verb.DRILLS)),
        ("drill chat", Order(verb=Verb.DRILLS, chain="chat")),
        ("drill chat primary-gone", Order(verb=Verb.DRILL, chain="chat", drill="primary-gone")),
        ("silence chat 1h", Order(verb=Verb.SILENCE, chain="chat", seconds=3600.0, why="asked for in Slack")),
        (
            "silence chat chain-down 1h30m moving  house",
            Order(verb=Verb.SILENCE, chain="chat", alert="chain-down", seconds=5400.0, why="moving house"),
        ),
        ("stop", Order(verb=Verb.STOP)),
        ("release", Order(verb=Verb.RELEASE)),
    ],
)
def test_a_command_is_read_as_it_is_written(text: str, order: Order) -> None:
    assert read_command(text) == order


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dance", "There is no such command; /fallbackd help: this list."),
        ("silence", "Write /fallbackd silence CHAIN [ALERT] 1h [why]: nobody is told of it meanwhile."),
        ("silence chat", "Write /fallbackd silence CHAIN [ALERT] 1h [why]: nobody is told of it meanwhile."),
        ("silence chat chain-down", "Write /fallbackd silence CHAIN [ALERT] 1h [why]: nobody is told of it meanwhile."),
        ("silence chat 31d", "A silence lasts from 1s to 30d."),
        ("silence chat 0s", "A silence lasts from 1s to 30d."),
        ("status chat now", "Write /fallbackd status [CHAIN]: how the chains are, what fires, what runs."),
        ("drill a b c", "Write /fallbackd drill CHAIN DRILL: break the chain on purpose, now; the verdict comes here."),
    ],
)
def test_what_is_no_command_is_answered_with_how_to_write_it(text: str, sentence: str) -> None:
    assert read_command(text) == Misread(because=sentence)


@given(text=st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_text_is_an_order_or_one_sentence(text: str) -> None:
    found = read_command(text)
    assert isinstance(found, Order) or (found.because.endswith(".") and "\n" not in found.because)


@pytest.mark.parametrize(
    ("action", "order"),
    [
        ({"action_id": "open"}, None),
        ({"action_id": "acknowledge", "value": "i1"}, Order(verb=Verb.ACKNOWLEDGE, incident="i1")),
        ({"action_id": "drill", "value": "primary-gone"}, Order(verb=Verb.DRILL, drill="primary-gone")),
    ],
)
def test_a_button_is_read(action: dict[str, Any], order: Order | None) -> None:
    assert read_press(action) == order


def test_the_silence_button_is_about_one_incident_for_an_hour() -> None:
    order = read_press({"action_id": Action.SILENCE, "value": "i1"})
    assert isinstance(order, Order)
    assert (order.verb, order.incident, order.chain, order.seconds) == (Verb.SILENCE, "i1", None, 3600.0)


@pytest.mark.parametrize(
    "action",
    [{}, {"action_id": "silence"}, {"action_id": "dance", "value": "i1"}, {"action_id": "drill"}],
)
def test_a_button_of_another_version_is_answered_and_does_nothing(action: dict[str, Any]) -> None:
    assert isinstance(read_press(action), Misread)


@pytest.mark.parametrize("verb", list(Verb))
def test_only_who_is_listed_changes_anything_and_only_in_a_listed_channel(verb: Verb) -> None:
    assert permission(verb, ADA, "C0FAKE", ALLOWED).allowed
    assert not permission(verb, ADA, "C0OTHER", ALLOWED).allowed
    assert permission(verb, EVE, "C0FAKE", ALLOWED).allowed is (not verb.changes), "ids count, names do not"
    nobody = CommandsConfig(app_token_env="T", channels=("C0FAKE",))
    refused = permission(verb, ADA, "C0FAKE", nobody)
    assert refused.allowed is (not verb.changes)
    assert refused.allowed or refused.because == (
        "Nobody may change anything from Slack: commands.users in alerts.yaml is empty."
    )


def test_a_name_cannot_forge_a_line_of_a_journal() -> None:
    assert str(Person(id="U1", name="ada\n(U0ROOT)" + "x" * 99)) == "slack:@ada(U0ROOT)" + "x" * 29 + " (U1)"
    assert str(Person(id="U1", name="")) == "slack:@nameless (U1)"


@given(lines=st.lists(st.text(max_size=5000), min_size=1, max_size=300))
@settings(max_examples=50, deadline=None)
def test_slack_takes_any_answer(lines: list[str]) -> None:
    message = answers.said("first", *lines)
    assert wrong_with({"text": message.text, "blocks": list(message.blocks)}) is None


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_a_verdict_says_how_it_ended_why_and_who_asked(kind: VerdictKind) -> None:
    message = answers.verdict(verdict(kind=kind, failover=1.5), str(ADA))
    shown = message.blocks[0]["text"]["text"]
    assert shown.splitlines()[1:] == [
        "secondary answered within 2s",
        "The failover took 1.500s.".replace("1.500", "1.5"),
        "Asked for by slack:@ada (U0ADA); run r1",
    ]
    assert shown.splitlines()[0].endswith(f"Drill primary-gone of chain chat: {kind.value}")
