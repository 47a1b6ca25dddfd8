from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.quantity import format_duration, format_percent, parse_duration, parse_percent


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("1m30s", 90), ("1.5h", 5400), ("2d", 172800), ("0s", 0), ("1h1m1s1ms", 3661.001)],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", [30, 30.5, "30", "", "s", "30 s", "-30s", "30S", "1m 30s", "٣s", "1e3s", True, None, []]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"has no unit|is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (0.25, "250ms"), (90, "1m30s"), (86400, "1d"), (1.5, "1.5s")])
def test_a_duration_is_written_as_short_as_it_can_be(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=3650 * 86_400_000))
def test_a_duration_survives_being_written_and_read(millis: int) -> None:
    assert parse_duration(format_duration(millis / 1000)) == pytest.approx(millis / 1000, abs=5e-4)


@given(st.integers(min_value=0, max_value=100_000))
def test_a_percentage_survives_being_written_and_read(thousandths: int) -> None:
    share = thousandths / 100_000
    assert parse_percent(format_percent(share)) == pytest.approx(share)


@pytest.mark.parametrize("text", [0.5, "0.5", "101%", "-1%", "%", "", None, True])
def test_what_is_no_percentage_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not a percentage|is more than 100%"):
        parse_percent(text)
