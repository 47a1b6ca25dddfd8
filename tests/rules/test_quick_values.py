"""Values that are made quickly are the frozen dataclasses that they would be without."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from monitor.model.quick import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """Three fields."""

    name: str
    number: int = 5
    rest: tuple[str, ...] = ()


def test_a_quick_value_has_what_it_was_given_and_its_defaults() -> None:
    assert (Quick(name="a").name, Quick(name="a").number, Quick(name="a", rest=("b",)).rest) == ("a", 5, ("b",))


def test_a_quick_value_is_compared_shown_copied_and_kept_like_any_other() -> None:
    value = Quick(name="a", number=6)
    assert value == Quick(name="a", number=6) != Quick(name="a")
    assert hash(value) == hash(Quick(name="a", number=6))
    assert repr(value) == "Quick(name='a', number=6, rest=())"
    assert replace(value, name="b") == Quick(name="b", number=6)
    assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value


def test_a_quick_value_stays_as_it_is() -> None:
    value = Quick(name="a")
    with pytest.raises(FrozenInstanceError):
        value.name = "b"  # type: ignore[misc]
    assert value.name == "a"


@pytest.mark.parametrize("given", [{}, {"name": "a", "other": 1}])
def test_what_is_missing_or_unknown_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Quick(**given)  # type: ignore[arg-type]


def test_a_quick_value_takes_names_alone() -> None:
    with pytest.raises(TypeError):
        Quick("a")  # type: ignore[misc]
