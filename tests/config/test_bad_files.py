"""One bad file per rule: ``# says:`` lines in it are the whole message. The other file is good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.errors import ConfigError

BAD = Path(__file__).parent / "bad"
CHAINS = sorted((BAD / "chains").glob("*.yaml"))
ALERTS = sorted((BAD / "alerts").glob("*.yaml"))


def says(text: str) -> str:
    return "\n".join(line.removeprefix("# says: ") for line in text.splitlines() if line.startswith("# says: "))


@pytest.mark.parametrize("path", CHAINS, ids=lambda path: path.stem)
def test_a_bad_chains_file_says_the_place_and_the_remedy(path: Path, load_texts: Callable[..., object]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_texts(chains=path.read_text())
    assert str(caught.value) == says(path.read_text())


@pytest.mark.parametrize("path", ALERTS, ids=lambda path: path.stem)
def test_a_bad_alerts_file_says_the_place_and_the_remedy(path: Path, load_texts: Callable[..., object]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_texts(alerts=path.read_text())
    assert str(caught.value) == says(path.read_text())


def test_every_bad_file_has_a_message_to_compare() -> None:
    assert CHAINS
    assert ALERTS
    assert not [path.name for path in (*CHAINS, *ALERTS) if not says(path.read_text())]
