"""Small documents that carry their own hash: one that does not fit it was never finished."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from runbook.adapters.files import read_document, write_atomic


def seal(path: Path, document: Mapping[str, Any]) -> None:
    """Write the document with its own hash.

    Raises:
        StorageError: the disk refused.
    """
    body = orjson.dumps(document)
    write_atomic(path, orjson.dumps({**document, "seal": sha256(body).hexdigest()}))


def sealed(path: Path) -> dict[str, Any] | None:
    """The document at that path; None where there is none that is whole.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        document: dict[str, Any] = orjson.loads(read_document(path) or b"")
        told = document.pop("seal")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    return document if sha256(orjson.dumps(document)).hexdigest() == told else None


def seal_quickly(path: Path, document: Mapping[str, Any]) -> None:
    """The same without any care: what a crash makes of it does not fit its hash. Raises `OSError`."""
    body = orjson.dumps(document)
    path.write_bytes(orjson.dumps({**document, "seal": sha256(body).hexdigest()}))
