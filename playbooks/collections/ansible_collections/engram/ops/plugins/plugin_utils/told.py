"""What a node says of itself where it has no runtime settings: its health and its metrics, without the token."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.engram.ops.plugins.plugin_utils.exchange import LARGEST_ANSWER
from ansible_collections.engram.ops.plugins.plugin_utils.http_node import HttpNode
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError

OK = 200
# Each with one way to match only: a hostile megabyte is read in a moment.
_SAMPLE = re.compile(r"^(engram_feature_enabled|engram_config_value)\{([^}\n]*)\} (\S+)", re.MULTILINE)
_NAME = re.compile(r'(?:^|,)\s*name="([^"]+)"')
_STARTED = re.compile(r"^process_start_time_seconds(?:\{[^}]*\})? (\S+)", re.MULTILINE)
_FLAG = "engram_feature_enabled"


@dataclass(frozen=True, slots=True)
class Told:
    """The settings that the metrics tell, as numbers, flags as booleans; and when the process started."""

    values: Mapping[str, float | bool]
    started_at: float | None


def told_by(node: HttpNode) -> Told:
    """What the node's metrics say; nothing where it has none.

    Raises:
        UnreachableNodeError: it did not answer.
        WayError: its answer is too long to be trusted.
    """
    answer = node.look("/metrics/prometheus")
    if len(answer.body) >= LARGEST_ANSWER:
        raise WayError(f"the node's metrics have {LARGEST_ANSWER >> 20} MiB or more, and were cut off")
    if answer.status != OK:
        return Told({}, None)
    text = answer.body.decode("utf-8", errors="replace")
    values: dict[str, float | bool] = {}
    for metric, labels, number in _SAMPLE.findall(text):
        value, key = _number(number), _NAME.search(labels)
        if value is not None and key is not None:
            values[key.group(1)] = value != 0 if metric == _FLAG else value
    started = _STARTED.search(text)
    return Told(values, _number(started.group(1)) if started else None)


def is_healthy(node: HttpNode) -> bool:
    """Does the node answer that it is well?

    Raises:
        UnreachableNodeError: it did not answer.
    """
    return node.look("/health").status == OK


def as_like(value: Any, like: Any) -> Any:
    """A metric's number as a value of the type of `like`: a boolean or an integer is told as a number."""
    if value is None or isinstance(value, bool):
        return value
    is_flag = isinstance(like, bool) or (isinstance(like, str) and like.strip().lower() in {"true", "false"})
    if is_flag and value in {0.0, 1.0}:
        return value == 1.0
    return int(value) if isinstance(like, int) and value.is_integer() else value


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
