"""Times in texts: marked for the reader's zone, and nothing of the text becomes markup."""

from __future__ import annotations

import pytest

from monitor.web.moments import moments

NOW = 1_795_811_002.0
"""2026-11-27 20:23:22 UTC."""


def element(at: str, kind: str, said: str) -> str:
    return f'<time datetime="{at}" data-moment="{kind}" title="{said}">{said}</time>'


MARKED = [
    ("nothing", "nothing"),
    (
        "left alone until 2026-11-27T20:21:02Z.",
        f"left alone until {element('2026-11-27T20:21:02Z', 'whole', '2026-11-27 20:21:02 UTC')}.",
    ),
    ("down since 20:20 UTC", f"down since {element('2026-11-27T20:20:00Z', 'minute', '20:20 UTC')}"),
    ("down since 20:30 UTC", f"down since {element('2026-11-26T20:30:00Z', 'minute', '20:30 UTC')}"),
    ("<i>12:00 UTC</i>", f"&lt;i&gt;{element('2026-11-27T12:00:00Z', 'minute', '12:00 UTC')}&lt;/i&gt;"),
    ("it ended at 20:30 UTC", f"it ended at {element('2026-11-27T20:30:00Z', 'minute', '20:30 UTC')}"),
    ("until 02:00:07 UTC", f"until {element('2026-11-28T02:00:07Z', 'second', '02:00:07 UTC')}"),
    ("2026-13-27T20:21:02Z, 25:00 UTC & 12:00", "2026-13-27T20:21:02Z, 25:00 UTC &amp; 12:00"),
]


@pytest.mark.parametrize(("text", "marked"), MARKED)
def test_times_in_a_text_are_marked(text: str, marked: str) -> None:
    assert moments(text, NOW) == marked
