"""The document of a fleet's backup: rendered in one form only, sealed with its own hash, read strictly."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Any

import orjson

from runbook import material
from runbook.archive import explain, limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import damaged
from runbook.archive.kinds import MASK
from runbook.errors import NotSupportedError
from runbook.model.fleet_backup import PER_NODE, FleetBackup, Missing, NodeBackup

VERSION = 1
KIND = "fleet_backup"
_NODE = {
    "host": "host",
    "node": "node",
    "folder": "folder",
    "backup": "backup",
    "kind": "kind",
    "snapshot": "snapshot",
    "consistency": "consistency",
    "manifest": "manifest_sha256",
    "digest": "content_digest",
    "counts": "counts",
    "stored_bytes": "stored_bytes",
    "level": "level",
}
"""What a part of a `NodeBackup` is called in the document, in its order."""


def sealed(backup: FleetBackup) -> FleetBackup:
    """The same with its own hash."""
    return replace(backup, sha256=sha256(_rendered(_document(backup))).hexdigest())


def render(backup: FleetBackup) -> bytes:
    """The bytes of the file."""
    return _rendered({**_document(backup), "sha256": backup.sha256})


def fault_of(node: NodeBackup) -> str:
    """What is wrong with that part, by the schema; empty where nothing is. A host may tell anything."""
    alone = _document(FleetBackup("x", 1, "2026-01-01T00:00:00.000000Z", "x", (node,))) | {"sha256": "0" * 64}
    for error in _validator().iter_errors(alone):
        return f"{error.instance_path[-1]}: {error.message}"[:200]
    return ""


def parse(data: bytes, name: str) -> FleetBackup:
    """The backup of these bytes; `name` is what messages call it.

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
    found = _backup(document)
    if sealed(found).sha256 != found.sha256 or document["complete"] is not found.complete:
        raise damaged(name, Fault("sha256", "it is not the hash of this document: something in it was changed"))
    if render(found) != data:
        raise damaged(name, Fault("", "not written as this format is"))
    hosts = [each.host for each in found.nodes] + [each.host for each in found.missing]
    if len(set(hosts)) != len(hosts):
        raise damaged(name, Fault("nodes", "a host stands there twice"))
    return found


def _document(backup: FleetBackup) -> dict[str, Any]:
    journal = None if backup.journal is None else dict(zip(("entries", "head"), backup.journal, strict=True))
    return {
        "version": VERSION,
        "kind": KIND,
        "written_by": backup.written_by,
        "target": backup.target,
        "number": backup.number,
        "created_at": backup.created_at,
        "complete": backup.complete,
        "consistency": PER_NODE,
        "nodes": [_node_document(each) for each in backup.nodes],
        "missing": [{"host": each.host, "why": each.why} for each in backup.missing],
        "journal": journal,
    }


def _node_document(node: NodeBackup) -> dict[str, Any]:
    found = {called: getattr(node, name) for name, called in _NODE.items()}
    return {**found, "counts": dict(node.counts)}


def _backup(document: Mapping[str, Any]) -> FleetBackup:
    journal = document["journal"]
    return FleetBackup(
        target=document["target"],
        number=document["number"],
        created_at=document["created_at"],
        written_by=document["written_by"],
        nodes=tuple(NodeBackup(**{name: each[called] for name, called in _NODE.items()}) for each in document["nodes"]),
        missing=tuple(Missing(**each) for each in document["missing"]),
        journal=None if journal is None else (journal["entries"], journal["head"]),
        sha256=document["sha256"],
    )


def _rendered(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@cache
def _validator() -> Any:
    import jsonschema_rs  # noqa: PLC0415 - heavy, and only those who read backups need it

    return jsonschema_rs.validator_for(material.schema(f"fleet.v{VERSION}"), mask=MASK)
