"""MANIFEST.json: what a backup is of, and the size and the hash of every byte of it, its own included."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from typing import Any

import orjson

from runbook import material
from runbook.archive import explain, limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import damaged
from runbook.archive.digest import ContentDigest
from runbook.archive.kinds import MASK, VERSION
from runbook.archive.layout import Consistency
from runbook.archive.shards import Shard
from runbook.errors import NotSupportedError

NAME = "MANIFEST.json"


@dataclass(frozen=True, slots=True)
class Part:
    """The records of one kind: `name` is records or residue."""

    name: str
    kind: str
    counts: Mapping[str, int]
    content_digest: ContentDigest
    shards: tuple[Shard, ...]


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """A copy of a schema that lies in the backup."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class JournalPoint:
    """Where the tool's journal stood: how many entries, and the hash of the last."""

    entries: int
    head: str


@dataclass(frozen=True, slots=True)
class About:
    """What a backup is of; see `schemas/manifest.v1.schema.json`."""

    target: str
    created_at: str
    node: str
    snapshot: str
    written_by: str
    consistency: Consistency = "snapshot"
    parent: str | None = None
    journal: JournalPoint | None = None
    host: str = ""
    number: int = 0
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest; `sha256` is of itself, empty until it is rendered."""

    about: About
    parts: tuple[Part, ...]
    schemas: tuple[SchemaFile, ...]
    sha256: str = ""

    def sealed(self) -> "Manifest":
        """The same with its own hash."""
        return replace(self, sha256=sha256(_rendered(self._document())).hexdigest())

    def render(self) -> bytes:
        """The bytes of the file."""
        return _rendered({**self._document(), "sha256": self.sha256})

    def _document(self) -> dict[str, Any]:
        about = self.about
        return {
            "version": VERSION,
            "kind": "backup",
            "written_by": about.written_by,
            "target": about.target,
            **({"host": about.host} if about.host else {}),
            **({"number": about.number} if about.number else {}),
            "created_at": about.created_at,
            "source": {"node": about.node, "snapshot": about.snapshot, "consistency": about.consistency},
            "parent": about.parent,
            **({"encryption": {"format": "age", "recipients": list(about.recipients)}} if about.recipients else {}),
            "parts": [
                {
                    "name": part.name,
                    "kind": part.kind,
                    "counts": dict(part.counts),
                    "content_digest": part.content_digest.document(),
                    "shards": [asdict(shard) for shard in part.shards],
                }
                for part in self.parts
            ],
            "schemas": [asdict(schema) for schema in self.schemas],
            "limits": {"frame_bytes": limits.FRAME_BYTES, "line_bytes": limits.LINE_BYTES, "depth": limits.DEPTH},
            "journal": None if about.journal is None else asdict(about.journal),
        }


def parse(data: bytes, name: str) -> Manifest:
    """The manifest of these bytes; `name` is what messages call it.

    Raises:
        DamagedError: it is not valid, or its hash does not fit.
        NotSupportedError: it is of a newer version.
    """
    if len(data) > limits.MANIFEST_BYTES:
        raise damaged(name, Fault("", f"more than {limits.MANIFEST_BYTES} bytes"))
    if fault := explain.unreadable(data):
        raise damaged(f"{name}: byte {fault.offset or 0}", fault)
    document = orjson.loads(data)
    version = document.get("version") if isinstance(document, dict) else None
    if type(version) is int and version > VERSION:
        raise NotSupportedError(f"{name}: version {version}; this tool reads {VERSION}", hint="use a newer `runbook`")
    for error in _validator().iter_errors(document):
        path = ".".join(str(part) for part in error.instance_path)
        raise damaged(name, Fault(path, str(error.message).replace(f'"{MASK}"', MASK)[:200]))
    found = _manifest(document)
    if found.sealed().sha256 != found.sha256:
        raise damaged(name, Fault("sha256", "it is not the hash of this manifest: something in it was changed"))
    if (ours := found.render()) != data:
        pairs = enumerate(zip(data, ours, strict=False))
        offset = next((index for index, (there, here) in pairs if there != here), min(len(data), len(ours)))
        raise damaged(f"{name}: byte {offset}", Fault("", "not written as this format is"))
    return found


def _manifest(document: Mapping[str, Any]) -> Manifest:
    source, journal = document["source"], document["journal"]
    about = About(
        **{name: document[name] for name in ("target", "created_at", "written_by", "parent")},
        **source,
        journal=None if journal is None else JournalPoint(**journal),
        host=document.get("host", ""),
        number=document.get("number", 0),
        recipients=tuple(document.get("encryption", {}).get("recipients", ())),
    )
    schemas = tuple(SchemaFile(**schema) for schema in document["schemas"])
    return Manifest(about, tuple(_part(part) for part in document["parts"]), schemas, document["sha256"])


def _part(document: Mapping[str, Any]) -> Part:
    digest = ContentDigest(int(document["content_digest"]["sum"], 16), document["content_digest"]["count"])
    shards = (
        Shard(**{**shard, "first": tuple(shard["first"]), "last": tuple(shard["last"])}) for shard in document["shards"]
    )
    return Part(document["name"], document["kind"], document["counts"], digest, tuple(shards))


def _rendered(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@cache
def _validator() -> Any:
    import jsonschema_rs  # noqa: PLC0415 - heavy, and only those who read backups need it

    return jsonschema_rs.validator_for(material.schema(f"manifest.v{VERSION}"), mask=MASK)
