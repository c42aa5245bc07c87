"""What a count of an access log tells, strictly read: a host may tell anything."""

import math
import re
from collections.abc import Mapping
from typing import Any

from runbook.errors import DamagedError
from runbook.model.access import AccessLog, Calls, SpaceCalls
from runbook.model.cells import GROUPS

_COLUMNS = 8
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def access_log(source: str, document: Mapping[str, Any]) -> AccessLog:
    """The count of that name.

    Raises:
        DamagedError: it is not as `engram.ops.access_log` makes them.
    """
    try:
        return AccessLog(
            source,
            tuple(_space(row) for row in document["spaces"]),
            _by_group(document["unlisted"]),
            _by_group(document["nameless"]),
            _by_group(document["other"]),
            _calls(document["mirrored"]),
            _whole(document["lines"]),
            _whole(document["garbage"]),
            _whole(document["torn"]),
            None if document["newest"] is None else _moment(document["newest"]),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise DamagedError(f"what {source} tells of its access log is no such count: {error!r:.200}") from None


def _space(row: Any) -> SpaceCalls:
    if not isinstance(row, list) or len(row) != _COLUMNS or not _NAME.fullmatch(row[0]):
        raise ValueError(row)
    return SpaceCalls(row[0], _moment(row[1]), _calls(row[2:5]), _calls(row[5:8]))


def _by_group(calls: Any) -> Mapping[str, Calls]:
    return {group: _calls(calls[group]) for group in GROUPS}


def _calls(numbers: Any) -> Calls:
    return Calls(*(_whole(number) for number in numbers))


def _moment(number: Any) -> float:
    if not math.isfinite(number):
        raise ValueError(number)
    return float(number)


def _whole(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError(number)
    return number
