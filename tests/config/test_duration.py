"""Lengths of time, as typed and as shown."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.errors import UsageError
from runbook.model.duration import duration, in_words


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("1h30m", 5400), (" 1H 30M ", 5400), ("2d", 172_800), ("500ms", 0.5), ("0s", 0)],
)
def test_what_people_write_is_read(text: str, seconds: float) -> None:
    """Units in falling order, spaces and capitals allowed."""
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "10x", "-5m", "1m1h", "1e3s", "\u0661m", "1h30", "9999999999d", "nan s"]
)
def test_nonsense_is_refused_with_a_hint(text: str) -> None:
    """A bare number is nonsense too: its unit would be a guess."""
    with pytest.raises(UsageError) as caught:
        duration(text)
    assert "1h30m" in caught.value.hint


@given(some.text(max_size=12))
def test_no_text_ends_in_another_error(text: str) -> None:
    """Whatever is typed is a length of time or a usage error."""
    with contextlib.suppress(UsageError):
        assert duration(text) >= timedelta(0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (0.5, "0.5 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (5400, "1 hour 30 minutes"),
        (5401, "1 hour 30 minutes"),
        (90_000, "1 day 1 hour"),
        (86_460, "1 day"),
        (-30, "-30 seconds"),
    ],
)
def test_lengths_are_said_in_their_two_largest_units(seconds: float, words: str) -> None:
    """Nobody needs the seconds of a day."""
    assert in_words(timedelta(seconds=seconds)) == words
