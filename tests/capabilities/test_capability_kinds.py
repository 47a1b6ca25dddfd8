"""What each question for a capability asks, and what it makes of right, wrong, leaked and malformed answers."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from chaos.sandbox.pictures import colours_of
from monitor.exchange import Answer, Finding
from monitor.model import ProbeSpec, Reason, Tokens
from monitor.probes import KINDS
from monitor.probes.kind import FINE
from monitor.probes.picture import COLOURS

ASKING = ("tools", "structured", "vision", "long_context", "reasoning")
TOOLS, STRUCTURED, VISION, NEEDLE, THINKING = (KINDS[name] for name in ASKING)


def spec(kind: str, **settings: Any) -> ProbeSpec:
    usual = {"every": 60.0, "first_token": 15.0, "max_tokens": 64, "tokens": 2000, "depth": 0.5}
    return ProbeSpec(key=f"c/t:{kind}", chain="c", kind=kind, target=None, **(usual | settings))


def call(arguments: Any = '{"meter": "bakotemu", "day": 17}', name: str = "read_meter", ident: str = "call_1") -> Any:
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}


def judged(found: Finding, says: str | None) -> None:
    """``says`` None: nothing is wrong; else the model lacks what was asked, for this reason."""
    if says is None:
        assert found == FINE
    else:
        assert (found.reason, found.detail) == (Reason.MISSING_CAPABILITY, says)


@pytest.mark.parametrize("name", ASKING)
def test_every_run_asks_for_something_else_and_repeats_from_its_seed(name: str) -> None:
    kind, rng = KINDS[name], Random(1)
    drawn = {kind.nonce(rng) for _ in range(500)}
    assert len(drawn) > (490 if name != "vision" else 29)
    assert kind.nonce(Random(1)) == kind.nonce(Random(1))


@pytest.mark.parametrize("name", ASKING)
def test_a_question_keeps_its_bound_and_comes_in_one_piece(name: str) -> None:
    kind = KINDS[name]
    question = kind.question(spec(name), kind.nonce(Random(2)))
    assert (question.max_tokens, question.stream) == (64, False)


NONCE = "bakotemu 17 dorifesa"
CALLS: dict[str, tuple[Answer, str | None]] = {
    "right": (Answer(tool_calls=(call(),)), None),
    "with words beside it": (Answer(text="Let me see.", tool_calls=(call(),)), None),
    "in capitals": (Answer(tool_calls=(call('{"meter": "Bakotemu", "day": 17.0}'),)), None),
    "twice": (Answer(tool_calls=(call(), call(ident="call_2"))), None),
    "wrong value": (
        Answer(tool_calls=(call('{"meter": "bakotemu", "day": 71}'),)),
        "the call was made with wrong arguments: day is 71, asked for 17",
    ),
    "a number as text": (
        Answer(tool_calls=(call('{"meter": "bakotemu", "day": "17"}'),)),
        'the call was made with wrong arguments: day is "17", asked for 17',
    ),
    "a truth for a number": (
        Answer(tool_calls=(call('{"meter": "bakotemu", "day": true}'),)),
        "the call was made with wrong arguments: day is true, asked for 17",
    ),
    "an argument missing": (
        Answer(tool_calls=(call('{"day": 17}'),)),
        "the call was made with wrong arguments: meter is missing",
    ),
    "one of two is wrong": (
        Answer(tool_calls=(call(), call("{}", ident="call_2"))),
        "the call was made with wrong arguments: meter is missing; day is missing",
    ),
    "malformed": (
        Answer(tool_calls=(call('{"meter": "bakot'),)),
        'the arguments of the call are no JSON object: "{"meter": "bakot"',
    ),
    "no arguments": (Answer(tool_calls=(call(""),)), 'the arguments of the call are no JSON object: "nothing"'),
    "a list": (Answer(tool_calls=(call("[17]"),)), 'the arguments of the call are no JSON object: "[17]"'),
    "an object where a text belongs": (
        Answer(tool_calls=(call({"meter": "bakotemu", "day": 17}),)),
        "the arguments of the call are an object, not JSON in a string",
    ),
    "null arguments": (
        Answer(tool_calls=(call(None),)),
        "the arguments of the call are missing, not JSON in a string",
    ),
    "another function": (
        Answer(tool_calls=(call(name="get_weather"),)),
        'called "get_weather", which does not exist, instead of read_meter',
    ),
    "without id": (
        Answer(tool_calls=(call(ident=""),)),
        "the call has no id, so its result cannot be handed back",
    ),
    "an empty call": (Answer(tool_calls=({},)), 'called "", which does not exist, instead of read_meter'),
    "words": (
        Answer(text="I have no tools."),
        'asked for a tool call, answered in words: "I have no tools."',
    ),
    "cut": (
        Answer(text="First I will", finish="length"),
        'asked for a tool call, answered in words: "First I will", cut by the token limit',
    ),
}


@pytest.mark.parametrize(("answer", "says"), CALLS.values(), ids=CALLS)
def test_a_tool_call_is_made_with_the_arguments_that_were_asked(answer: Answer, says: str | None) -> None:
    judged(TOOLS.judge(answer, NONCE), says)


LEAKS = {
    "hermes": ('<tool_call>\n{"name": "read_meter", "arguments": {"day": 17}}\n</tool_call>', "<tool_call>"),
    "llama": ('<|python_tag|>{"name": "read_meter", "parameters": {}}', "<|python_tag|>"),
    "llama function": ('<function=read_meter>{"day": 17}</function>', "<function=read_meter>"),
    "mistral": ('[TOOL_CALLS][{"name": "read_meter", "arguments": {}}]', "[TOOL_CALLS]"),
    "deepseek": ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function", "<｜tool▁calls"),
    "anthropic": (
        '<invoke name="read_meter"><parameter name="day">17</parameter></invoke>',
        '<invoke name="read_meter">',
    ),
    "bare JSON": ('{"name": "read_meter", "arguments": {"meter": "bakotemu", "day": 17}}', '"name": "read_meter"'),
    "JSON in a fence": ('```json\n{"function": "x", "parameters": {"day": 17}}\n```', '"parameters": {'),
    "a namespace": ("functions.read_meter({day: 17})", "functions.read_meter("),
    "harmony": ('to=functions.read_meter: {"day": 17}', "functions.read_meter:"),
    "code": ('print(read_meter(meter="bakotemu", day=17))', "read_meter("),
}


@pytest.mark.parametrize(("text", "trace"), LEAKS.values(), ids=LEAKS)
def test_a_call_that_leaked_into_the_text_is_a_finding_of_its_own(text: str, trace: str) -> None:
    found = TOOLS.judge(Answer(text=text), NONCE)
    assert found.reason is Reason.MISSING_CAPABILITY
    assert found.detail.startswith(f'the call came as text and not as a call ("{trace}"): "')


@pytest.mark.parametrize(
    "text",
    ["I cannot call functions.", "Use the function read_meter for that.", 'The "name" of the meter is bakotemu.'],
)
def test_talk_about_a_tool_is_no_leak(text: str) -> None:
    assert TOOLS.judge(Answer(text=text), NONCE).detail.startswith("asked for a tool call, answered in words: ")


def test_the_second_turn_hands_back_what_came_with_a_result_for_each_call() -> None:
    signed = {**call(), "extra_content": {"google": {"thought_signature": "abc"}}}
    details = ({"type": "reasoning.encrypted", "data": "xyz"},)
    first = TOOLS.question(spec("tools"), NONCE)
    answer = Answer(text="", tool_calls=(signed, call(ident="call_2")), reasoning_details=details)
    follow_up = TOOLS.follow_up(first, answer, NONCE)
    assert follow_up is not None
    asked, made, *results = follow_up.messages
    assert asked == first.messages[0]
    assert made == {
        "role": "assistant", "content": None, "tool_calls": [signed, call(ident="call_2")],
        "reasoning_details": list(details),
    }  # fmt: skip
    assert [(one["role"], one["tool_call_id"]) for one in results] == [("tool", "call_1"), ("tool", "call_2")]
    assert json.loads(results[0]["content"]) == {"reading": "dorifesa"}
    assert (follow_up.extra, follow_up.max_tokens) == (first.extra, first.max_tokens)


SECOND: dict[str, tuple[Answer, str | None]] = {
    "made use of": (Answer(text="The meter showed Dorifesa."), None),
    "ignored": (
        Answer(text="I could not find out."),
        'the tool returned "dorifesa", and the answer makes no use of it: "I could not find out."',
    ),
    "called again": (
        Answer(tool_calls=(call(),)),
        'the tool returned "dorifesa", and instead of an answer another call came',
    ),
}


@pytest.mark.parametrize(("answer", "says"), SECOND.values(), ids=SECOND)
def test_the_second_turn_is_answered_with_the_tools_result(answer: Answer, says: str | None) -> None:
    judged(TOOLS.judge_follow_up(answer, NONCE), says)


RECORD = {"ticket": "bakotemu", "priority": 17, "state": "open"}


def written(**changes: Any) -> str:
    return json.dumps({**RECORD, **changes})


RECORDS: dict[str, tuple[str, str | None]] = {
    "right": (written(), None),
    "with blanks around it": (f"\n {json.dumps(RECORD, indent=2)}\n", None),
    "fenced": (
        f"```json\n{written()}\n```",
        (
            "the JSON came inside a code fence, which no parser takes: "
            '"```json {"ticket": "bakotemu", "priority": 17, "state": "op…"'
        ),
    ),
    "with words": (
        f"Sure! {written(ticket='x')}",
        'the JSON came with words around it: "Sure! {"ticket": "x", "priority": 17, "state": "open"}"',
    ),
    "words": ("I made a record.", 'the answer is not JSON: "I made a record."'),
    "malformed": ('{"ticket": "bakotemu",', 'the answer is not JSON: "{"ticket": "bakotemu","'),
    "an object missing": ("[]", "the answer breaks the schema: it is a list, not an object"),
    "a text": ('"open"', "the answer breaks the schema: it is a string, not an object"),
    "a property missing": (
        json.dumps({"ticket": "bakotemu", "priority": 17}),
        "the answer breaks the schema: state is missing",
    ),
    "a property too many": (written(note="!"), 'the answer breaks the schema: "note" is not in the schema'),
    "a number as text": (written(priority="17"), "the answer breaks the schema: priority is a string, not an integer"),
    "a fraction": (written(priority=1.5), "the answer breaks the schema: priority is a number, not an integer"),
    "a truth": (written(priority=True), "the answer breaks the schema: priority is a boolean, not an integer"),
    "null": (written(ticket=None), "the answer breaks the schema: ticket is null, not a string"),
    "not of the enum": (
        written(state="done"),
        'the answer breaks the schema: state is "done", which is none of open, closed, waiting',
    ),
    "wrong values": (
        written(state="closed", priority=71),
        (
            'the answer fits the schema and holds other values: priority 71, state "closed"; '
            'asked for priority 17, state "open"'
        ),
    ),
}


@pytest.mark.parametrize(("text", "says"), RECORDS.values(), ids=RECORDS)
def test_a_schema_is_obeyed_to_the_letter(text: str, says: str | None) -> None:
    judged(STRUCTURED.judge(Answer(text=text), "bakotemu 17 open"), says)


def test_the_schema_is_sent_as_a_strict_one() -> None:
    question = STRUCTURED.question(spec("structured"), "bakotemu 17 open")
    assert question.extra is not None
    sent = question.extra["response_format"]
    assert (sent["type"], sent["json_schema"]["strict"]) == ("json_schema", True)
    schema = sent["json_schema"]["schema"]
    assert (set(schema["required"]), schema["additionalProperties"]) == (set(schema["properties"]), False)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("red, blue", True),
        ("Red and Blue.", True),
        ("The left half is RED; the right half is blue", True),
        ("blue, red", False),
        ("red", False),
        ("red, yellow, green, blue, black, white", False),
        ("I see a redshift and bluebells", False),
        ("I cannot see images.", False),
        ("", False),
    ],
)
def test_both_colours_have_to_be_named_in_their_order(text: str, good: bool) -> None:
    says = f'the picture is red and blue, the answer was "{text or "nothing"}"'
    judged(VISION.judge(Answer(text=text), "red blue"), None if good else says)


def test_the_picture_shows_what_was_drawn() -> None:
    rng = Random(4)
    seen = set()
    for _ in range(200):
        nonce = VISION.nonce(rng)
        content = VISION.question(spec("vision"), nonce).messages[0]["content"]
        url = content[1]["image_url"]["url"]
        assert colours_of(url) == tuple(nonce.split(" "))
        assert len(url) < 600
        seen |= set(nonce.split(" "))
    assert seen == set(COLOURS)


@pytest.mark.parametrize(("depth", "share"), [(0.0, 0.0), (0.25, 0.25), (0.5, 0.5), (1.0, 1.0)])
@pytest.mark.parametrize("tokens", [500, 20_000])
def test_the_needle_is_at_its_depth_in_a_prompt_of_its_size(depth: float, share: float, tokens: int) -> None:
    question = NEEDLE.question(spec("long_context", tokens=tokens, depth=depth), "bakotemu")
    text, _, asked = question.messages[0]["content"].rpartition("\n\n")
    assert text.count("bakotemu") == 1
    assert "bakotemu" not in asked
    assert text.index("bakotemu") / len(text) == pytest.approx(share, abs=0.03)
    assert len(text) == pytest.approx(tokens * 4, rel=0.05)


def test_no_two_lines_around_the_needle_are_alike() -> None:
    lines = NEEDLE.question(spec("long_context", tokens=50_000), "bakotemu").messages[0]["content"].splitlines()
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bakotemu", None),
        ("The code is Bakotemu.", None),
        ("There is none.", '"bakotemu" stands in the prompt and was not found there, the answer was "There is none."'),
    ],
)
def test_the_needle_has_to_be_found(text: str, says: str | None) -> None:
    judged(NEEDLE.judge(Answer(text=text), "bakotemu"), says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(text="bakotemu 87"), None),
        (Answer(text="12 times 14 is 168 ...\n**bakotemu** 67"), None),
        (
            Answer(text="12 times 14 is", finish="length", tokens=Tokens(completion=64, reasoning=60)),
            (
                'the answer was to end with "bakotemu", and was "12 times 14 is", cut by the token limit, '
                "60 tokens of reasoning"
            ),
        ),
        (Answer(text="87"), 'the answer was to end with "bakotemu", and was "87"'),
    ],
)
def test_thinking_has_to_come_to_an_answer(answer: Answer, says: str | None) -> None:
    judged(THINKING.judge(answer, "12 14 33 bakotemu"), says)


def test_a_model_that_thinks_only_when_told_is_told() -> None:
    assert THINKING.question(spec("reasoning"), "12 14 33 bakotemu").extra == {"reasoning": {"enabled": True}}
