"""The layout of an export: one JSON document, and within it one line per record.

{"archive":{...},
"records":[
{...},
{...}
],
"footer":{...}}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from runbook.archive import limits
from runbook.archive.digest import ContentDigest
from runbook.archive.kinds import VERSION, archive_kind

HEADER_START = b'{"archive":'
RECORDS_LINE = b'"records":['
RECORDS_END = b"],"
FOOTER_START = b'"footer":'

Consistency = Literal["snapshot", "fuzzy"]


@dataclass(frozen=True, slots=True)
class Header:
    """What an archive is of.

    Args:
        kind: dual_memory, single_memory or residue.
        created_at: when the last change in it was committed; RFC 3339 in UTC with microseconds.
        node: the id of the node.
        snapshot: GENERATION:SEQUENCE of that last change.
        consistency: `fuzzy` where the node changed while it was read.
        since: only what changed after this sequence number is in it; None where everything is.
    """

    kind: str
    created_at: str
    node: str
    snapshot: str
    consistency: Consistency = "snapshot"
    since: int | None = None

    def line(self) -> bytes:
        """The first line, without its end."""
        source: dict[str, object] = {"node": self.node, "snapshot": self.snapshot, "consistency": self.consistency}
        if self.since is not None:
            source["since"] = self.since
        document = {
            "version": VERSION,
            "kind": self.kind,
            "created_at": self.created_at,
            "source": source,
            "embedding": {"encoding": "base64-f32le", "dim": limits.DIMENSIONS},
            "schema_sha256": archive_kind(self.kind).schema_sha256,
        }
        return HEADER_START + orjson.dumps(document) + b","

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Header":
        """The header of a document that is valid by its schema."""
        source = document["source"]
        named = {name: document[name] for name in ("kind", "created_at")}
        return cls(**named, **{name: source[name] for name in source})


@dataclass(frozen=True, slots=True)
class Summary:
    """What a whole archive was found to hold; `digest` is None where it was written and not read back."""

    header: Header
    counts: Mapping[str, int]
    bytes: int
    sha256: str
    digest: ContentDigest | None = None


def footer_line(counts: Mapping[str, int], size: int, blocks: Sequence[str], sha256: str) -> bytes:
    """The last line, without its end."""
    document = {"counts": dict(counts), "bytes": size, "blocks": list(blocks), "sha256": sha256, "complete": True}
    return FOOTER_START + orjson.dumps(document) + b"}"
