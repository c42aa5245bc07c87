"""What a reader asked for in the address: read strictly, refused with the reason."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException

from runbook.report.lines import printable

LONGEST_WORD = 200
REFRESH_SECONDS = (10, 30, 60, 300)
_MOST_DIGITS = 12


def number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number from 1 on, or None where it is not asked for.

    Raises:
        HTTPException: it is none (400).
    """
    said = query.get(name, "")
    if not said:
        return None
    if not (said.isascii() and said.isdecimal()) or len(said) > _MOST_DIGITS or int(said) < 1:
        raise HTTPException(400, f"{name}: {_quoted(said)} is no whole number from 1 on.")
    return int(said)


def choice(query: Mapping[str, str], name: str, allowed: Mapping[str, object] | tuple[str, ...]) -> str | None:
    """One of the allowed words, or None where it is not asked for.

    Raises:
        HTTPException: it is another one (400).
    """
    said = query.get(name, "")
    if said and said not in allowed:
        raise HTTPException(400, f"{name}: there is no {_quoted(said)}.")
    return said or None


def word(query: Mapping[str, str], name: str) -> str | None:
    """A name of something, or None where it is not asked for.

    Raises:
        HTTPException: it cannot be one (400).
    """
    said = query.get(name, "").strip()
    if len(said) > LONGEST_WORD or not said.isprintable():
        raise HTTPException(400, f"{name}: {_quoted(said)} cannot be a name.")
    return said or None


def refresh(query: Mapping[str, str]) -> int | None:
    """After how many seconds the page is to be asked for again, or None.

    Raises:
        HTTPException: it is none of those that are offered (400).
    """
    said = choice(query, "refresh", tuple(map(str, REFRESH_SECONDS)))
    return None if said is None else int(said)


def _quoted(said: str) -> str:
    short = said if len(said) <= LONGEST_WORD else f"{said[:LONGEST_WORD]}..."
    return f"'{printable(short)}'"
