"""How outcomes move the health of one target or of a chain's own end-to-end results."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.model import HealthConfig
from monitor.health import Confirm, SubjectState, advance, dump_state, load_state, may_ask, retain, should_confirm
from monitor.health.subject import FIRST_BACKOFF, LONGEST_BACKOFF, shortened
from monitor.model import Attempt, Health, Origin, Outcome, Path, Reason, Status, Transition

SETTINGS = HealthConfig(window=3, down_after=2, recover_after=2, confirm=2)
LETTERS = {
    "G": (Status.OK, Reason.NONE),
    "F": (Status.FAILED, Reason.SERVER_ERROR),
    "S": (Status.DEGRADED, Reason.TOO_SLOW),
    "L": (Status.FAILED, Reason.RATE_LIMITED),
    "W": (Status.FAILED, Reason.WRONG_MODEL),
    "E": (Status.ERROR, Reason.OURS),
}


def outcome(letter: str = "G", at: float = 0.0, **changes) -> Outcome:
    status, reason = LETTERS[letter]
    base = Outcome(
        id=f"o{at:g}",
        at=at,
        chain="chat",
        target="primary",
        probe="chat/primary:completion",
        kind="completion",
        origin=Origin.SCHEDULED,
        status=status,
        reason=reason,
    )
    return replace(base, **changes)


def run(letters: str, settings: HealthConfig = SETTINGS, **changes) -> tuple[SubjectState, list[Transition]]:
    state, transitions = None, []
    for at, letter in enumerate(letters):
        state, transition = advance(state, outcome(letter, float(at), **changes), settings)
        transitions += [transition] if transition else []
    return state, transitions


@pytest.mark.parametrize(
    ("letters", "health"),
    [
        ("G", Health.HEALTHY),
        ("F", Health.UNKNOWN),
        ("FF", Health.DOWN),
        ("FG", Health.HEALTHY),
        ("GF", Health.HEALTHY),
        ("GFF", Health.DOWN),
        ("GFGF", Health.DOWN),
        ("GFGGF", Health.HEALTHY),
        ("FGF", Health.HEALTHY),
        ("GFFG", Health.DOWN),
        ("GFFGFG", Health.DOWN),
        ("GFFGG", Health.HEALTHY),
        ("GFFGGF", Health.HEALTHY),
        ("GWW", Health.DOWN),
        ("S", Health.UNKNOWN),
        ("SS", Health.DEGRADED),
        ("GSS", Health.DEGRADED),
        ("GSF", Health.DEGRADED),
        ("GSSG", Health.DEGRADED),
        ("GSSGG", Health.HEALTHY),
        ("GSSFF", Health.DOWN),
        ("GFFSS", Health.DEGRADED),
        ("GFFSG", Health.DEGRADED),
        ("L", Health.LIMITED),
        ("GL", Health.LIMITED),
        ("GSSL", Health.LIMITED),
        ("LLLLLLLL", Health.LIMITED),
        ("GLG", Health.LIMITED),
        ("GLGG", Health.HEALTHY),
        ("GLGLG", Health.LIMITED),
        ("GLSG", Health.DEGRADED),
        ("GLFF", Health.DOWN),
        ("GFFL", Health.DOWN),
        ("GFFGLG", Health.DOWN),
        ("GFLF", Health.LIMITED),
        ("E", Health.UNKNOWN),
        ("GEEEE", Health.HEALTHY),
        ("GFEFE", Health.DOWN),
    ],
)
def test_a_target_moves_as_its_results_say(letters, health):
    assert run(letters)[0].health is health


@pytest.mark.parametrize(
    ("letters", "health"),
    [
        ("L", Health.LIMITED),
        ("GL", Health.LIMITED),
        ("GLLL", Health.LIMITED),  # 120 s
        ("GLLLL", Health.DOWN),  # 180 s
        ("GLLGL", Health.LIMITED),  # it answered in between: twice in a row is yet to come
        ("GLLGLL", Health.DOWN),
        ("GLGLGLGLGLGLG", Health.LIMITED),
        ("GLG", Health.LIMITED),
        ("GLLGG", Health.HEALTHY),
        ("GLLLLGG", Health.HEALTHY),
        ("GLSS", Health.DEGRADED),
        ("GLFF", Health.DOWN),
        ("GFLF", Health.LIMITED),
        ("GFFL", Health.DOWN),
        ("GWL", Health.LIMITED),
    ],
)
def test_a_chain_that_is_refused_by_rate_limits_alone_is_down_when_it_lasts(letters, health):
    state = None
    for number, letter in enumerate(letters):
        state, _ = advance(state, outcome(letter, number * 60.0, target=None, path=Path.EXHAUSTED), SETTINGS)
    assert state.health is health
    assert may_ask(state, 0.0), "applications go on asking, and so does whoever watches for them"


ATTEMPTS = {
    "every target said 429": (("L", "L"), None, Health.LIMITED),
    "nothing is known of the targets": ((), None, Health.LIMITED),
    "one of them is broken": (("F", "L"), None, Health.DOWN),
    "it is to pass soon": (("L", "L"), 60.0, Health.LIMITED),
    "it is said to last": (("L", "L"), 180.0, Health.DOWN),
}


@pytest.mark.parametrize(("tried", "retry_after", "health"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_whatever_else_than_a_short_limit_stands_in_a_chains_way_is_an_outage(tried, retry_after, health):
    attempts = tuple(Attempt(model="m", reason=LETTERS[letter][1]) for letter in tried)
    state, _ = run("GLL", target=None, attempts=attempts, retry_after=retry_after)
    assert state.health is health


def test_a_chain_that_is_refused_says_so_and_is_not_pressed():
    refused = outcome("L", 9.0, target=None, path=Path.EXHAUSTED)
    state, _ = run("G", target=None)
    assert should_confirm(state, refused, SETTINGS) is None
    state, change = advance(state, refused, SETTINGS)
    assert (change.after, change.detail) == (
        Health.LIMITED,
        "completion: nothing but 429 for an answer, 1 in a row",
    )


@pytest.mark.parametrize("origin", [Origin.DRILL, Origin.MANUAL])
def test_drills_and_people_change_no_health(origin):
    state, _ = run("G")
    assert advance(state, outcome("F", 1.0, origin=origin), HealthConfig(window=1, down_after=1)) == (state, None)


def test_live_traffic_counts():
    assert run("FF", origin=Origin.LIVE)[0].health is Health.DOWN


def test_a_change_is_a_record_with_its_cause():
    _, transitions = run("GFF", detail="upstream said no")
    assert [(t.before, t.after) for t in transitions] == [
        (Health.UNKNOWN, Health.HEALTHY),
        (Health.HEALTHY, Health.DOWN),
    ]
    change = transitions[1]
    assert (change.at, change.outcome, change.reason, change.subject.key) == (
        2.0,
        "o2",
        Reason.SERVER_ERROR,
        "chat/primary",
    )
    assert change.detail == "completion: 2 of the last 2 not good, last server_error: upstream said no"


def test_the_state_says_since_when_and_when_it_was_last_good_and_bad():
    state, _ = run("GGFGFF")
    assert (state.health, state.since, state.last_good, state.last_bad) == (Health.DOWN, 4.0, 3.0, 5.0)


def test_the_reason_follows_what_goes_wrong_now():
    state, _ = run("GFF")
    state, change = advance(state, outcome("F", 9.0, reason=Reason.TIMEOUT), SETTINGS)
    assert (change, state.reason, state.since) == (None, Reason.TIMEOUT, 2.0)


def test_a_long_detail_is_cut():
    assert len(run("FF", detail="x" * 5000)[0].detail) < 400


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("short", "short"),
        ("one thing; another thing; tried 503 from Anthropic", "one thing; another thing …"),
        ("503 from the provider that is called Anthropic", "503 from the provider that is …"),
        ("x" * 50, "x" * 32 + " …"),
    ],
)
def test_what_is_cut_is_cut_between_its_parts_or_words_and_says_so(text, cut):
    assert shortened(text, 34) == cut


def test_one_result_alone_is_no_count():
    assert run("FFF")[0].detail == "completion: server_error"
    assert run("FFFF")[0].detail == "completion: 2 of the last 2 not good, last server_error"


def test_a_stream_that_fails_is_seen_while_completions_work():
    state, _ = run("GG")
    for at in (10.0, 11.0):
        state, change = advance(state, outcome("F", at, kind="stream", reason=Reason.CUT), SETTINGS)
        state, _ = advance(state, outcome("G", at), SETTINGS)
    assert (state.health, state.kind, state.reason) == (Health.DOWN, "stream", Reason.CUT)
    assert change is not None
    assert change.detail.startswith("stream: 2 of the last 2 not good")


def test_of_equally_bad_kinds_the_one_that_has_been_so_the_longest_is_named():
    state = None
    for at, kind in enumerate(["stream", "stream", "completion", "completion"]):
        state, _ = advance(state, outcome("F", float(at), kind=kind), SETTINGS)
    assert (state.kind, state.since) == ("stream", 1.0)


def test_a_kind_that_is_no_longer_asked_holds_nothing_down():
    state, _ = run("GG")
    for at in (10.0, 11.0):
        state, _ = advance(state, outcome("F", at, kind="stream"), SETTINGS)
    assert retain(state, {"completion", "stream"}) is state
    kept = retain(state, {"completion"})
    assert (kept.health, [kind.kind for kind in kept.kinds]) == (Health.HEALTHY, ["completion"])
    assert retain(state, {"vision"}) is None


def test_a_smaller_window_after_a_reload_is_obeyed():
    state, _ = run("GFGGG", HealthConfig(window=10, down_after=2))
    state, change = advance(state, outcome("F", 9.0), HealthConfig(window=2, down_after=2))
    assert (state.health, change) == (Health.HEALTHY, None)


@pytest.mark.parametrize(
    ("letters", "retry_after", "until"),
    [
        ("L", 7.0, 7.0),
        ("L", None, FIRST_BACKOFF),
        ("LL", None, 1 + 2 * FIRST_BACKOFF),
        ("LLLLLLLLLLLLL", None, 12 + LONGEST_BACKOFF),
        ("L", 1e9, LONGEST_BACKOFF),
        ("FFL", 7.0, 9.0),
    ],
)
def test_a_rate_limit_says_until_when_to_leave_the_target_alone(letters, retry_after, until):
    state, _ = run(letters, retry_after=retry_after)
    assert state.limited_until == until
    assert not may_ask(state, until - 0.1)
    assert may_ask(state, until)


def test_a_target_that_answers_again_may_be_asked():
    state, _ = run("LG", retry_after=500.0)
    assert may_ask(state, 2.0)
    assert may_ask(None, 0.0)


@pytest.mark.parametrize(
    ("before", "letter", "confirm"),
    [
        ("", "F", Confirm.FIRST_FAILURE),
        ("G", "F", Confirm.FIRST_FAILURE),
        ("G", "W", Confirm.FIRST_FAILURE),
        ("SS", "F", Confirm.FIRST_FAILURE),
        ("L", "F", Confirm.FIRST_FAILURE),
        ("GFGG", "F", Confirm.FIRST_FAILURE),
        ("GF", "F", None),
        ("GFG", "F", None),
        ("GFF", "F", None),
        ("G", "G", None),
        ("G", "L", None),
        ("G", "E", None),
        ("G", "S", None),
        ("GFF", "G", Confirm.FIRST_RECOVERY),
        ("GFFG", "G", None),
        ("GL", "G", None),
        ("", "G", None),
    ],
)
def test_only_a_first_failure_and_a_first_recovery_are_asked_again(before, letter, confirm):
    state = run(before)[0] if before else None
    assert should_confirm(state, outcome(letter, 9.0), SETTINGS) is confirm


@pytest.mark.parametrize("before", ["GGGGG", "GFGG", "FGG", "GFGGG"])
def test_an_outage_is_confirmed_at_once_however_little_ago_a_hiccup_was(before):
    settings = HealthConfig()
    state = run(before, settings)[0]
    assert should_confirm(state, outcome("F", 9.0), settings) is Confirm.FIRST_FAILURE
    for at in range(10, 10 + 1 + settings.confirm):
        state, _ = advance(state, outcome("F", float(at)), settings)
    assert state.health is Health.DOWN


def test_one_bad_moment_of_two_targets_at_once_brings_no_chain_down_by_default():
    for letters in ("GFGG", "GFFG", "GFGF", "GFGGGF"):
        assert run(letters, HealthConfig(), target=None)[0].health is Health.HEALTHY
    assert run("GFFF", HealthConfig(), target=None)[0].health is Health.DOWN


@pytest.mark.parametrize(
    ("settings", "letters"),
    [
        (HealthConfig(confirm=0), "GF"),
        (HealthConfig(window=1, down_after=1), "GF"),
        (HealthConfig(window=3, down_after=2, recover_after=1), "GFFG"),
    ],
)
def test_nothing_is_confirmed_where_one_result_decides_or_nobody_wants_it(settings, letters):
    state, _ = run(letters[:-1], settings)
    assert should_confirm(state, outcome(letters[-1], 9.0), settings) is None


def test_a_drill_is_not_confirmed():
    assert should_confirm(None, outcome("F", origin=Origin.DRILL), SETTINGS) is None


def test_the_chain_remembers_who_serves_and_since_when():
    state = None
    for at, label, position, path in [
        (1.0, "primary", 0, Path.PRIMARY),
        (2.0, "second", 1, Path.FAILED_OVER),
        (3.0, "second", 1, Path.FILTERED),
    ]:
        answer = outcome("G", at, target=None, served_by=label, position=position, path=path)
        state, _ = advance(state, answer, SETTINGS)
    assert (state.serving.label, state.serving.position, state.serving.path) == ("second", 1, Path.FILTERED)
    assert (state.serving.since, state.serving.at) == (2.0, 3.0)
    state, _ = advance(state, outcome("F", 4.0, target=None, path=Path.EXHAUSTED), SETTINGS)
    assert (state.serving.label, state.serving.path, state.serving.since) == (None, Path.EXHAUSTED, 4.0)


def test_an_answer_from_outside_the_chain_is_kept_until_the_next_ones_are_right():
    stranger = outcome("W", 1.0, target=None, path=Path.WRONG_MODEL, model="acme/other", served_provider="Acme")
    state, _ = advance(None, stranger, SETTINGS)
    assert (state.wrong.model, state.wrong.provider, state.wrong.outcome) == ("acme/other", "Acme", "o1")
    state, _ = advance(state, outcome("F", 2.0, target=None), SETTINGS)
    state, _ = advance(state, outcome("G", 3.0, target=None), SETTINGS)
    assert state.wrong is not None
    state, _ = advance(state, outcome("G", 4.0, target=None, kind="stream"), SETTINGS)
    assert state.wrong is not None, "another kind shows nothing about this one"
    state, _ = advance(state, outcome("G", 5.0, target=None), SETTINGS)
    assert state.wrong is None


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", b"\xff\xfe", b'{"subject": 1}', b"[" * 10000])
def test_a_stored_state_that_cannot_be_read_is_dropped(raw):
    assert load_state(raw) is None


def test_a_stored_state_with_an_unknown_health_is_dropped():
    assert load_state(dump_state(run("G")[0]).replace(b"healthy", b"splendid")) is None


SCRIPTS = st.lists(
    st.tuples(st.sampled_from("GFSLWE"), st.sampled_from(["completion", "stream"]), st.sampled_from([None, "primary"])),
    max_size=30,
)


@given(SCRIPTS, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_a_restored_state_goes_on_as_if_nothing_had_happened(script, window, down_after, recover_after):
    settings = HealthConfig(window=max(window, down_after), down_after=down_after, recover_after=recover_after)
    states: dict = {}
    for at, (letter, kind, target) in enumerate(script):
        said = outcome(letter, float(at), kind=kind, target=target, path=Path.PRIMARY, served_by="primary")
        kept = states.get(target)
        restored = load_state(dump_state(kept)) if kept else None
        assert restored == kept
        before = kept.health if kept else Health.UNKNOWN
        state, change = advance(kept, said, settings)
        assert advance(restored, said, settings) == (state, change)
        assert (change is not None) == (state.health is not before)
        assert all(len(kind.window) <= settings.window for kind in state.kinds)
        states[target] = state


@given(st.text("GL", min_size=1, max_size=40))
def test_a_target_that_only_ever_answers_or_limits_is_never_down(letters):
    _, transitions = run(letters)
    assert Health.DOWN not in [change.after for change in transitions]


@given(st.text("GFSLE", max_size=20))
def test_enough_good_results_heal_everything(letters):
    assert run(letters + "G" * SETTINGS.recover_after * 2)[0].health is Health.HEALTHY
