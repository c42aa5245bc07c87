"""Everything that a node remembers: the store on the disk, and the spaces in memory, under one lock.

Memory follows the disk: a change reaches it after its commit, in the order of the sequence numbers. The lock is held
for lookups and for taking in what was committed, never while something waits for the disk.
"""

import sqlite3
import threading
from concurrent.futures import Future

from runbook.sandbox import rows, schema
from runbook.sandbox.cache import ConceptCache
from runbook.sandbox.gate import Gate
from runbook.sandbox.records import Binding, Concept, Episode, now
from runbook.sandbox.space import Space
from runbook.sandbox.store import Store, Transaction


class TakenError(Exception):
    """The id is taken by something else."""


class Memory:
    """The spaces of one node."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lock = threading.RLock()
        self.gate = Gate()
        self.cache = ConceptCache()
        self.kind = schema.kind_of(store.reader)
        self.spaces = load(store.reader)

    @property
    def single(self) -> bool:
        """Is it a single memory, without concepts?"""
        return self.kind == schema.SINGLE

    def take_over(self, kind: str, spaces: dict[str, Space]) -> None:
        """Serve these from now on; the store has been switched to where they are from."""
        with self.lock:
            self.kind, self.spaces, self.cache = kind, spaces, ConceptCache()

    def create_space(self, name: str) -> Future[int]:
        """Make the space, or find it; when it was created."""
        created_at = now()

        def write(transaction: Transaction) -> int:
            found = transaction.execute("SELECT created_at FROM space WHERE id = ?", (name,)).fetchone()
            if found is None:
                self.gate.check()
                transaction.execute("INSERT INTO space VALUES (?, ?, ?)", (name, created_at, transaction.next()))
            return created_at if found is None else int(found[0])

        def apply(moment: int) -> None:
            with self.lock:
                self.spaces.setdefault(name, Space(name, moment))

        return self.store.write(write, apply)

    def remember(self, episodes: list[Episode]) -> Future[list[bool]]:
        """Store them, all or none; for each, whether it is new (else it was there before, just the same).

        The future raises TakenError when an id is taken by another content, StorageError when the disk refused.
        """

        def write(transaction: Transaction) -> list[bool]:
            self.gate.check()  # here, where one thing is done after the other: what comes behind a freeze is refused
            fresh = [_insert(transaction, episode) for episode in episodes]
            for episode, is_new in zip(episodes, fresh, strict=True):
                if is_new:
                    rows.forget_bindings(transaction, episode.space, self._left_of(episode))
            return fresh

        def apply(fresh: list[bool]) -> None:
            with self.lock:
                for episode, is_new in zip(episodes, fresh, strict=True):
                    if is_new:
                        self.spaces[episode.space].add_episode(episode)
                        self._outdate_cached(self.spaces[episode.space], episode.id)

        return self.store.write(write, apply)

    def forget(self, space: str, ids: list[str]) -> Future[dict[str, int]]:
        """Forget the episodes; for each that was there, the sequence number of its tombstone."""

        def write(transaction: Transaction) -> dict[str, int]:
            self.gate.check()
            gone: dict[str, int] = {}
            for id_ in ids:
                found = transaction.execute("DELETE FROM episode WHERE space = ? AND id = ?", (space, id_))
                if found.rowcount:
                    gone[id_] = rows.forget(transaction, "episode", space, id_)
            return gone

        def apply(gone: dict[str, int]) -> None:
            with self.lock:
                for id_ in gone:
                    self.spaces[space].remove_episode(id_)
                    self._outdate_cached(self.spaces[space], id_)

        return self.store.write(write, apply)

    def _left_of(self, episode: Episode) -> list[tuple[str, str]]:
        """The bindings (concept, episode) that a forgotten episode of the same id left behind."""
        with self.lock:
            return [(concept, episode.id) for concept in self.spaces[episode.space].bound.get(episode.id, ())]

    def _outdate_cached(self, space: Space, episode: str) -> None:
        for concept in space.bound.get(episode, ()):
            self.cache.outdate(concept)


def _insert(transaction: Transaction, episode: Episode) -> bool:
    found = transaction.execute(
        "SELECT content, embedding FROM episode JOIN vector ON vector.episode = number WHERE space = ? AND id = ?",
        (episode.space, episode.id),
    ).fetchone()
    if found is None:
        rows.insert_episode(transaction, episode)
        return True
    if found != (episode.content, episode.embedding):
        raise TakenError(episode.id)
    return False


def load(connection: sqlite3.Connection) -> dict[str, Space]:
    """Read everything that is kept in memory; embeddings go from the page straight into their row."""
    spaces: dict[str, Space] = {}
    for name, created_at in connection.execute("SELECT id, created_at FROM space ORDER BY seq"):
        spaces[name] = Space(name, created_at)
    for space, id_, content, happened, confidence, embedding, consolidated in connection.execute(
        "SELECT space, id, content, happened, encoding_confidence, embedding, consolidated FROM episode "
        "JOIN vector ON vector.episode = number ORDER BY number"
    ):
        episode = Episode(space, id_, content, happened, embedding, 0, encoding_confidence=rows.real(confidence))
        spaces[space].add_episode(episode, consolidated=bool(consolidated))
    for space, id_, embedding, coherence, count, formed_at, confidence, created_at in connection.execute(
        "SELECT space, id, embedding, coherence, instance_count, formed_at, confidence, created_at "
        "FROM concept ORDER BY formed_at"
    ):
        sure = (rows.real(coherence), rows.unsigned(count), formed_at, rows.real(confidence), created_at)
        spaces[space].put_concept(Concept(space, id_, embedding, *sure))
    for space, episode_id, concept_id, strength, contribution, *moments in connection.execute(
        "SELECT space, episode_id, concept_id, strength, contribution, created_at, last_activated FROM binding"
    ):
        edge = Binding(space, episode_id, concept_id, rows.real(strength), rows.real(contribution), *moments)
        spaces[space].put_binding(edge)
    return spaces
