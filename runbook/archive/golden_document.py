"""The golden queries of a baseline as JSON and back; an embedding is Base64, as in an archive."""

import math
import struct
from base64 import b64decode, b64encode
from typing import Any

from runbook.model.validation_golden import Golden, GoldenQuery, Place


def golden_document(golden: Golden) -> dict[str, Any]:
    """As JSON."""
    return {
        "queries": [
            {
                "node": each.node,
                "space": each.space,
                "id": each.id,
                "text": each.text,
                "embedding": b64encode(struct.pack(f"<{len(each.embedding)}f", *each.embedding)).decode("ascii"),
                "nearest": [[id_, cosine] for id_, cosine in each.nearest],
                "recall": each.recall,
                "group": each.group,
            }
            for each in golden.queries
        ],
        "places": {
            name: {"generation": place.generation, "sequence": place.sequence} for name, place in golden.places.items()
        },
        "missing": dict(golden.missing),
        "read_bytes": golden.read_bytes,
        "seconds": round(golden.seconds, 3),
    }


def golden_of(document: dict[str, Any]) -> Golden:
    """From JSON that fits the schema.

    Raises:
        ValueError: an embedding is none.
    """
    return Golden(
        tuple(_query(each) for each in document["queries"]),
        {name: Place(place["generation"], place["sequence"]) for name, place in document["places"].items()},
        document["missing"],
        document["read_bytes"],
        document["seconds"],
    )


def _query(document: dict[str, Any]) -> GoldenQuery:
    try:
        raw = b64decode(document["embedding"], validate=True)
        embedding = struct.unpack(f"<{len(raw) // 4}f", raw)
    except (ValueError, struct.error) as error:
        raise ValueError(f"the embedding of {document['id']!r} is none: {error}") from None
    if not embedding or not all(map(math.isfinite, embedding)):
        raise ValueError(f"the embedding of {document['id']!r} holds a value that is no number")
    nearest = tuple((str(id_), float(cosine)) for id_, cosine in document["nearest"])
    named = {name: str(document[name]) for name in ("node", "space", "id", "text", "group")}
    return GoldenQuery(**named, embedding=embedding, nearest=nearest, recall=float(document["recall"]))
