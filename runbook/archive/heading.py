"""The first line of an export: read strictly, and told apart from what other tools and newer versions write."""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson

from runbook import material
from runbook.archive import explain, layout, limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import damaged
from runbook.archive.kinds import MASK, NAMES, VERSION, archive_kind, schema_name
from runbook.archive.layout import Header
from runbook.errors import NotSupportedError

Where = Callable[[int], str]
"""Says where a byte of the line is."""


def header(line: bytes, where: Where) -> Header:
    """The header that this line is (without line end).

    Raises:
        DamagedError: it is none.
        NotSupportedError: it is one of a newer version.
    """
    if not line.startswith(layout.HEADER_START) or not line.endswith(b",") or len(line) > limits.LINE_BYTES:
        known = None if len(line) > limits.LINE_BYTES else explain.unreadable(line)
        if known is None or known.reason.startswith("not JSON"):
            known = Fault(
                "", "not an archive in the layout of this tool, which begins with " + layout.HEADER_START.decode(), 0
            )
        raise damaged(where(known.offset or 0), known)
    body = line[len(layout.HEADER_START) : -1]
    if fault := explain.unreadable(body):
        raise damaged(where((fault.offset or 0) + len(layout.HEADER_START)), fault)
    document = orjson.loads(body)
    if fault := _fault(document, where):
        raise damaged(where(0), fault)
    found = Header.of(document)
    if found.line() != line:
        raise damaged(where(0), Fault("archive", "not written as this format is (order of keys, spaces, digits)"))
    return found


def _fault(document: Any, where: Where) -> Fault | None:
    if not isinstance(document, dict):
        return Fault("archive", "not an object")
    version, kind = document.get("version"), document.get("kind")
    if type(version) is int and version > VERSION:
        raise NotSupportedError(
            f"{where(0)}: version {version} of the format; this tool reads {VERSION}", hint="use a newer `runbook`"
        )
    if kind not in NAMES:
        return Fault("archive.kind", f"no kind of archive that version {VERSION} has: {', '.join(NAMES)}")
    for error in _validator(kind).iter_errors(document):
        path = ".".join(["archive", *(str(part) for part in error.instance_path)])
        return Fault(path, str(error.message).replace(f'"{MASK}"', MASK)[:200])
    if document["schema_sha256"] != archive_kind(kind).schema_sha256:
        return Fault("archive.schema_sha256", f"not that of {schema_name(kind)}")
    return None


@cache
def _validator(kind: str) -> Any:
    import jsonschema_rs  # noqa: PLC0415 - heavy, and only those who read archives need it

    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/archive"}
    return jsonschema_rs.validator_for({**schema, "$defs": material.schema(schema_name(kind))["$defs"]}, mask=MASK)
