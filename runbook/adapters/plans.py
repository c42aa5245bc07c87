"""Plans of migrations as files, checked against their schema whenever they come or go."""

from pathlib import Path

import orjson

from runbook.adapters.files import read_document, write_atomic
from runbook.engine.conversion_plan import document, parse
from runbook.errors import DamagedError, NotSupportedError, UsageError
from runbook.material import fits, unfit
from runbook.model.conversion_plan import ConversionPlan

VERSION = 1
_LIMIT_BYTES = 1 << 20
_HINT = "make a new one: runbook migrate ... --plan-out FILE"


def write_plan(path: Path, plan: ConversionPlan) -> None:
    """Write the plan to that path, whole or not at all.

    Raises:
        StorageError: the disk refused.
    """
    write_atomic(path, orjson.dumps(document(plan), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def read_plan(path: Path) -> ConversionPlan:
    """The plan in that file.

    Raises:
        UsageError: there is no such file.
        DamagedError: it is no plan, or was changed since it was written.
        NotSupportedError: it is of a newer version.
        StorageError: it cannot be read.
    """
    data = read_document(path, _LIMIT_BYTES)
    if data is None:
        raise UsageError(f"there is no file {path}", hint=_HINT)
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DamagedError(f"{path}: line {error.lineno}, byte {error.pos}: {error.msg}", hint=_HINT) from None
    version = found.get("version") if isinstance(found, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise NotSupportedError(f"{path} is a plan of version {version}; this tool reads {VERSION}", hint=_HINT)
    if not fits("plan.v1", found):
        _complain(path, found)
    return parse(found, str(path))


def _complain(path: Path, found: object) -> None:
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - 90 ms that only a complaint is worth

    wrong = best_match(unfit("plan.v1", found))
    if wrong is not None:
        place = wrong.json_path.removeprefix("$").removeprefix(".") or "the document"
        raise DamagedError(f"{path}: {place}: {wrong.message}"[:300], hint=_HINT)
