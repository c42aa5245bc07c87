"""Recent concepts, to be looked at by a person: what were they made of?"""

import sqlite3
from typing import Any

from runbook.sandbox.records import timestamp


def recent(connection: sqlite3.Connection, since: float, limit: int) -> list[dict[str, Any]]:
    """Concepts formed after that moment (seconds since 1970), the newest first, with the texts of their members."""
    found = connection.execute(
        "SELECT id, space, formed_at, instance_count, coherence, confidence FROM concept WHERE formed_at > ? "
        "ORDER BY formed_at DESC, id LIMIT ?",
        (int(min(since * 1e6, 2**62)), limit),
    ).fetchall()
    return [
        {
            "id": id_,
            "space": space,
            "formed_at": timestamp(formed_at),
            "size": size,
            "coherence": coherence,
            "confidence": confidence,
            "members": _members(connection, id_),
        }
        for id_, space, formed_at, size, coherence, confidence in found
    ]


def _members(connection: sqlite3.Connection, concept: str) -> list[dict[str, Any]]:
    """The episodes bound to it that are still remembered, the strongest first."""
    found = connection.execute(
        "SELECT b.episode_id, e.content, b.strength, b.contribution FROM binding b JOIN episode e "
        "ON e.space = b.space AND e.id = b.episode_id WHERE b.concept_id = ? ORDER BY b.strength DESC, b.episode_id",
        (concept,),
    )
    names = ("id", "content", "strength", "contribution")
    return [dict(zip(names, row, strict=True)) for row in found]
