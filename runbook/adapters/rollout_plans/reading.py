"""A rollout plan from its file. Everything wrong with it is named with its line and its place; nothing is guessed."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.adapters.files import read_document
from runbook.adapters.rollout_plans.lined import Lined, dotted, lined
from runbook.engine.rollout.plan.check import Fault, faults_of, name_faults, start_faults
from runbook.engine.rollout.plan.document import VERSION, plan_of
from runbook.errors import DamagedError, NotSupportedError, UsageError
from runbook.material import fits, unfit
from runbook.model.rollout import RolloutPlan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsonschema.exceptions import ValidationError

LIMIT_BYTES = 256 * 1024
_KEYS = "every key stands in docs/reference/rollout-plan.md; an example: runbook rollout plan --yaml"
_TYPES = {
    "string": "a text",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
}


def read_plan(path: Path) -> RolloutPlan:
    """The plan in that file.

    Raises:
        UsageError: there is no such file.
        StorageError: it cannot be read, is no regular file, or is larger than 256 KiB.
        DamagedError: it is no plan; file, line and place are named.
        NotSupportedError: it is of a newer version.
    """
    data = read_document(path, LIMIT_BYTES)
    if data is None:
        raise UsageError(f"there is no file {path}", hint="runbook rollout plan --yaml > FILE makes one to begin with")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DamagedError(f"{path}: line {line}, byte {error.start}: not UTF-8", hint="save it as UTF-8") from None
    return plan_in(str(path), text)


def plan_in(path: str, text: str) -> RolloutPlan:
    """The plan in that text; `path` is what it is called.

    Raises:
        DamagedError, NotSupportedError: as `read_plan`.
    """
    found = lined(path, text)
    document = found.document
    if not isinstance(document, dict):
        raise DamagedError(f"{path}: no rollout plan: the document is no mapping", hint=_KEYS)
    version = document.get("version")
    if type(version) is int and version > VERSION:
        raise NotSupportedError(f"{path} is a plan of version {version}; this tool reads {VERSION}")
    _check_schema(path, found)
    _first(path, found, name_faults(document))
    try:
        plan = plan_of(document)
    except DamagedError as error:
        raise DamagedError(f"{path}: {error.message}", hint=_KEYS) from None
    _first(path, found, faults_of(plan))
    _first(path, found, start_faults(plan))
    return plan


def _first(path: str, found: Lined, faults: "Iterable[Fault]") -> None:
    """Complain of the first one in the order of the document's lines, and say how many more there are."""
    every = sorted(faults, key=lambda fault: found.line(fault.place))
    if not every:
        return
    first, more = every[0], len(every) - 1
    others = f" (and {more} more)" if more else ""
    raise DamagedError(
        f"{path}: line {found.line(first.place)}: {dotted(first.place)}: {first.what}{others}", hint=first.hint or _KEYS
    )


def _check_schema(path: str, found: Lined) -> None:
    if not fits("rollout_plan.v1", found.document):
        _first(path, found, map(_fault, unfit("rollout_plan.v1", found.document)))


def _fault(error: "ValidationError") -> Fault:
    place, rule = tuple(error.absolute_path), error.schema if isinstance(error.schema, dict) else {}
    limit: Any = error.validator_value
    instance: Any = error.instance
    match error.validator:
        case "additionalProperties" if limit is False:
            from difflib import get_close_matches  # noqa: PLC0415  # only where something is wrong

            unknown = next(key for key in instance if key not in rule["properties"])
            close = get_close_matches(unknown, rule["properties"], n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(rule['properties'])}"
            return Fault((*place, unknown), "unknown key", hint)
        case "required":
            missing = next(key for key in limit if key not in instance)
            return Fault(place, f"{missing} is missing", _description(rule, missing))
        case "enum":
            return Fault(place, f"{_short(instance)} is not allowed", f"one of: {', '.join(map(str, limit))}")
        case _:
            return Fault(place, _words(error), str(rule.get("description", "")))


def _words(error: "ValidationError") -> str:
    limit: Any = error.validator_value
    shown = _short(error.instance)
    words = {
        "type": f"must be {_TYPES.get(str(limit), limit)}, not {shown}",
        "const": f"must be {limit}",
        "oneOf": "it must be exactly one condition",
        "minimum": f"{shown} is too small: at least {limit}",
        "exclusiveMinimum": f"{shown} is too small: above {limit}",
        "maximum": f"{shown} is too large: at most {limit}",
        "exclusiveMaximum": f"{shown} is too large: below {limit}",
        "pattern": f"{shown} does not have the right form",
    }
    return words.get(str(error.validator), error.message[:200])


def _description(rule: "dict[str, Any]", key: str) -> str:
    about = rule.get("properties", {}).get(key, {})
    return f"write version: {VERSION}" if key == "version" else str(about.get("description", ""))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004  # enough to know it again
