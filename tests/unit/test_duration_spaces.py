"""Spaces in lengths of time: between numbers and units, never within a number."""

from datetime import timedelta

import pytest

from runbook.errors import UsageError
from runbook.model.duration import duration


@pytest.mark.parametrize("text", ["1h30m", " 1h 30m ", "1 h 30 m", "1H30M"])
def test_spaces_between_parts_are_no_matter(text: str) -> None:
    """As people write it."""
    assert duration(text) == timedelta(hours=1, minutes=30)


@pytest.mark.parametrize("text", ["1 0m", "3 0", "1. 5h", "5 m s", "1 2 3s"])
def test_a_number_is_not_put_together_from_pieces(text: str) -> None:
    """`1 0m` is a slip, not ten minutes of watching."""
    with pytest.raises(UsageError, match="not a length of time"):
        duration(text)
