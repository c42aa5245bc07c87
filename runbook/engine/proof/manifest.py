"""The manifest of a bundle as bytes: JSON whose last member is the SHA-256 of all the bytes before it. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from runbook.errors import DamagedError, NotSupportedError
from runbook.model.bundle import CONTENTS, MANIFEST, VERSION, FileSeal, Manifest

_TAIL = b',"seal":"%s"}\n'
_TAIL_LENGTH = len(_TAIL) - 2 + 64


def sealed(about: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """The manifest of these files; `about` is the rest of it, as `about_of` makes it."""
    seals = {name: {"bytes": len(raw), "sha256": digest_of(raw)} for name, raw in sorted(files.items())}
    body = orjson.dumps({"version": VERSION, "kind": "evidence", **about, "files": seals})[:-1]
    return body + _TAIL % digest_of(body).encode()


def about_of(manifest: Manifest) -> dict[str, Any]:
    """Everything of it but the files."""
    return {
        "name": manifest.name,
        "tool": manifest.tool,
        "rollout": manifest.rollout,
        "target": manifest.target,
        "why": manifest.why,
        "written_at": manifest.written_at,
        "journal": {"first": manifest.first, "last": manifest.last, "head": manifest.head, "waiting": manifest.waiting},
    }


def read_manifest(raw: bytes) -> Manifest:
    """What these bytes say.

    Raises:
        DamagedError: they are not as they were written.
        NotSupportedError: another version of this tool wrote them.
    """
    body = raw[:-_TAIL_LENGTH]
    if raw[-_TAIL_LENGTH:] != _TAIL % digest_of(body).encode():
        raise damaged(MANIFEST, "its content does not fit its seal: it was edited, or cut off")
    document = json_of(MANIFEST, raw)
    if not isinstance(document, dict) or document.get("kind") != "evidence":
        raise damaged(MANIFEST, "it is no manifest of evidence")
    if document.get("version") != VERSION:
        told = f"this bundle is of version {document.get('version')}, and this tool reads {VERSION}"
        raise NotSupportedError(told, hint=f"it was written by engram-runbook {document.get('tool')}: use that one")
    try:
        journal = document["journal"]
        return Manifest(
            name=str(document["name"]),
            tool=str(document["tool"]),
            rollout=str(document["rollout"]),
            target=str(document["target"]),
            why=str(document["why"]),
            written_at=str(document["written_at"]),
            first=int(journal["first"]),
            last=int(journal["last"]),
            head=str(journal["head"]),
            waiting=int(journal["waiting"]),
            files={name: FileSeal(int(each["bytes"]), str(each["sha256"])) for name, each in document["files"].items()},
            digest=digest_of(raw),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(MANIFEST, f"it does not read as a manifest: {error!r}") from error


def check_files(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Is every file there, is none strange, and is each byte the one that was written?

    Raises:
        DamagedError: not so; which file, and what is wrong with it.
    """
    for name in CONTENTS:
        if name not in manifest.files:
            raise damaged(MANIFEST, f"it names no {name}, which belongs to every bundle")
    for name in sorted(files.keys() - manifest.files.keys() - {MANIFEST}):
        raise damaged(name, "it does not belong to the bundle: the manifest does not name it")
    for name, seal in manifest.files.items():
        if name not in CONTENTS:
            raise damaged(MANIFEST, f"it names {name!r}, which is no file of a bundle")
        if name not in files:
            raise damaged(name, "it is missing")
        raw = files[name]
        if len(raw) != seal.size:
            raise damaged(name, f"it has {len(raw)} bytes, and was written with {seal.size}")
        if digest_of(raw) != seal.sha256:
            raise damaged(name, f"its SHA-256 is {digest_of(raw)}, and was {seal.sha256}: some byte of it was changed")


def digest_of(raw: bytes) -> str:
    """The SHA-256 of the bytes."""
    return hashlib.sha256(raw).hexdigest()


def json_of(name: str, raw: bytes) -> Any:
    """The document in that file.

    Raises:
        DamagedError: it is not JSON.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise damaged(name, f"line {error.lineno}, column {error.colno}: it is not JSON: {error.msg}") from error


def damaged(name: str, what: str) -> DamagedError:
    """The error for a file of a bundle that is not as it was written."""
    return DamagedError(f"{name}: {what}", hint="take the bundle from where it was written, and compare")
