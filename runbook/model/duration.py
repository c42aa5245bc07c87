"""Lengths of time as people write them (`10m`, `1h30m`) and read them (`1 hour 30 minutes`)."""

import re
from datetime import timedelta

from runbook.errors import UsageError

_UNITS = ("days", "hours", "minutes", "seconds", "milliseconds")
_NUMBER = r"([0-9]{1,6}(?:\.[0-9]{1,6})?)"
_PATTERN = re.compile("".join(rf"(?:{_NUMBER} *{unit} *)?" for unit in ("d", "h", "m", "s", "ms")))


def duration(text: str) -> timedelta:
    """The length of time that a person wrote: days, hours, minutes, seconds, milliseconds, in that order.

    Raises:
        UsageError: it is no length of time; a bare number is none, because its unit would be a guess.
    """
    found = _PATTERN.fullmatch(text.strip().lower())
    parts = {unit: float(part) for unit, part in zip(_UNITS, found.groups(), strict=True) if part} if found else {}
    if not parts:
        raise UsageError(f"{text!r} is not a length of time", hint="write it like 30s, 10m or 1h30m")
    return timedelta(**parts)


def as_text(length: timedelta) -> str:
    """The length as `duration` reads it back, to the microsecond: `14d`, `48h`, `1h30m`, `0s`.

    Under three days it is in hours. A length below nothing has no such text; it is written as nothing.
    """
    rest = max(length, timedelta(0))
    days, rest = divmod(rest, timedelta(days=1)) if rest >= timedelta(days=3) else (0, rest)
    hours, rest = divmod(rest, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    seconds = f"{rest.seconds}.{rest.microseconds:06d}".rstrip("0").rstrip(".")
    parts = ((str(days), "d"), (str(hours), "h"), (str(minutes), "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number != "0") or "0s"


def in_words(length: timedelta) -> str:
    """The length for people, in its two largest units; below a minute with one decimal where there is one."""
    if length < timedelta(0):
        return f"-{in_words(-length)}"
    if length < timedelta(minutes=1):
        return _counted(round(length.total_seconds(), 1), "second")
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(_counted(count, unit) for count, unit in parts[first : first + 2] if count)


def _counted(count: float, unit: str) -> str:
    number = int(count) if count == int(count) else count
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
