"""What was forgotten since: whose record of it is held back. In constant memory: keys are spilled, and merged in order.

A tombstone of an episode or a memory takes its residue with it, and every binding of it; one of a memory that was a
concept takes that concept.
"""

from runbook.archive.kinds import Key, Record
from runbook.archive.references import Spill

TEXTS = frozenset({"episode", "memory"})


class Forgotten:
    """The keys, to be added in their order; then asked for records in the order of an archive.

    Args:
        spill: opens a temporary file.
    """

    def __init__(self, spill: Spill) -> None:
        self.count = 0
        self._file = spill()
        self._next: Key | None = None
        self._type = ""
        self._concepts: set[Key] = set()

    def close(self) -> None:
        """Let the temporary file vanish."""
        self._file.close()

    def add(self, tombstone: Record) -> None:
        """That was forgotten; what is of no text is passed over: the node itself lets go of concepts and bindings."""
        if tombstone["of"] in TEXTS:
            self._file.write(f"{tombstone['space']}\t{tombstone['id']}\n".encode())
            self.count += 1

    def again(self) -> None:
        """From here on another archive is asked for."""
        self._type = ""

    def holds(self, record: Record) -> bool:
        """Must it be held back?"""
        if record["type"] != self._type:
            self._type = record["type"]
            self._file.seek(0)
            self._next = self._read()
        bound = self._type == "binding"
        key = (record["space"], record["episode_id" if bound else "id"])
        while self._next is not None and self._next < key:
            self._next = self._read()
        gone = self._next == key or (bound and (record["space"], record["concept_id"]) in self._concepts)
        if gone and self._type == "concept":
            self._concepts.add(key)
        return gone

    def _read(self) -> Key | None:
        line = self._file.readline()
        return tuple(line[:-1].decode().split("\t")) if line else None
