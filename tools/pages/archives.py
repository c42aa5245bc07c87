"""The page of the archive format, from the schemas and the limits that the reader enforces."""

from collections.abc import Iterator, Mapping
from typing import Any

from pages.markdown import page, table
from runbook import material
from runbook.archive import limits
from runbook.archive.kinds import NAMES, VERSION, archive_kind, schema_name

_SAID = """\
What `runbook export` writes, and the only layout that is read: one valid JSON document, one record a line, compact, in
UTF-8, with `\\n` behind each line, members in the order of the tables. One state has one form: two exports are the
same bytes. What was cut has no footer, is no JSON, and is refused.

```text
{"archive":{"version":1,"kind":"dual_memory","created_at":"...","source":{...},"embedding":{...},"schema_sha256":"..."},
"records":[
{"type":"episode","id":"ep_1","space":"default", ...},
{"type":"concept", ...},
{"type":"binding", ...}
],
"footer":{"counts":{...},"bytes":12345,"blocks":["..."],"sha256":"...","complete":true}}
```

The **content digest** is the sum modulo 2^256 of the SHA-256 of each record's line (without comma and line end), and
their number. It does not depend on the order, the header, or how the file is packed.

A file may be packed with zstd: frames of 8 MiB, each with size and checksum, and behind them a skippable frame with the
SHA-256 of everything stored. It is told by its first bytes, not by its name.

Refused, with line and byte: what is not UTF-8, a byte order mark, lone surrogates, NaN and infinities, numbers out of
range, keys that are there twice, unknown members, records out of order or twice, a binding to what is not there, two
headers, two footers, bytes behind the end. A changed byte within a value is named by the block whose hash does not fit.
A newer version is another condition (exit code 17).

For other tools `runbook inspect FILE --decode` prints JSON lines with embeddings as arrays of numbers."""
_LIMITS = (
    ("a record, a header", f"{limits.LINE_BYTES} bytes"),
    ("a footer", f"{limits.FOOTER_BYTES} bytes"),
    ("an archive, unpacked", f"{limits.ARCHIVE_BYTES >> 40} TiB"),
    ("nesting within a record", f"{limits.DEPTH} levels"),
    ("an id", f"{limits.ID_BYTES} bytes"),
    ("a count", f"{limits.LARGEST_COUNT}"),
    ("an embedding", f"{limits.DIMENSIONS} float32, exactly"),
    ("a block of the footer's hashes", f"{limits.BLOCK_BYTES >> 20} MiB; behind the first GiB 16 MiB"),
    ("the window of a zstd frame", f"{limits.WINDOW_BYTES >> 20} MiB"),
)


def archive_format() -> str:
    """Layout, limits, words, and every member of every record."""
    parts = [_SAID, "## Limits", table(("of", "at most"), _LIMITS), "## Words", _words()]
    first = material.schema(schema_name(NAMES[0]))["$defs"]
    parts += ["## Header", _members(first["archive"]), "## Footer", _members(first["footer"])]
    for kind in NAMES:
        document = material.schema(schema_name(kind))
        parts += [f"## {kind}, version {VERSION}", document["description"].split(" One JSON")[0]]
        for type_ in archive_kind(kind).records:
            found = document["$defs"][type_]
            parts += [f"### {type_} of {kind}", found.get("description", ""), _members(found)]
    return page("# The archive format", [part for part in parts if part])


def _words() -> str:
    rows: dict[str, tuple[str, str]] = {}
    for kind in NAMES:
        for name, found in material.schema(schema_name(kind))["$defs"].items():
            if "properties" not in found:
                rows[name] = (f"`{name}`", found.get("description") or _plain(found))
    return table(("word", "meaning"), rows.values())


def _plain(found: Mapping[str, Any]) -> str:
    return f"text that matches `{found['pattern']}`" if "pattern" in found else _kind(found)


def _members(found: Mapping[str, Any]) -> str:
    return table(("member", "is", ""), _rows(found, ""))


def _rows(found: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    for name, member in found["properties"].items():
        optional = "" if name in found["required"] else "; may be missing"
        yield f"`{path}{name}`", _kind(member) + optional, member.get("description", "")
        if "properties" in member:
            yield from _rows(member, f"{path}{name}.")


def _kind(member: Mapping[str, Any]) -> str:
    if "$ref" in member:
        return str(member["$ref"].rpartition("/")[2])
    if "const" in member:
        return f"`{str(member['const']).lower() if isinstance(member['const'], bool) else member['const']}`"
    if "enum" in member:
        return " or ".join(f"`{each}`" for each in member["enum"])
    if "oneOf" in member:
        return " or ".join(_kind(each) for each in member["oneOf"])
    types = member["type"] if isinstance(member["type"], list) else [member["type"]]
    return " or ".join(_typed(each, member) for each in types)


def _typed(type_: str, member: Mapping[str, Any]) -> str:
    if type_ == "array":
        return f"list of {_kind(member['items'])}"
    if type_ == "object" and isinstance(member.get("additionalProperties"), dict):
        return f"object of name to {_kind(member['additionalProperties'])}"
    return {"string": "text"}.get(type_, type_)
