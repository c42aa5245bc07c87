"""What recall leaves behind: activation, counts and times, collected and written in the background, in batches."""

from collections.abc import Iterable

from runbook.sandbox.records import now
from runbook.sandbox.store import Store, Transaction

_FADE = 0.9
"""Each recall closes a tenth of the distance to full activation."""


class Access:
    """Recalls since the last flush. The event loop alone uses it; a crash loses at most what was not flushed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._episodes: dict[tuple[str, str], int] = {}
        self._concepts: dict[str, int] = {}
        self._bindings: set[tuple[str, str]] = set()

    def recalled(
        self, space: str, episodes: Iterable[str], concepts: Iterable[str], bindings: Iterable[tuple[str, str]]
    ) -> None:
        """These came to mind, once each; a binding is (concept, episode)."""
        self._bindings.update(bindings)
        for id_ in episodes:
            key = (space, id_)
            self._episodes[key] = self._episodes.get(key, 0) + 1
        for id_ in concepts:
            self._concepts[id_] = self._concepts.get(id_, 0) + 1

    def flush(self) -> None:
        """Hand what was collected to the writer."""
        if not self._episodes and not self._concepts:
            return
        episodes, self._episodes = self._episodes, {}
        concepts, self._concepts = self._concepts, {}
        bindings, self._bindings = self._bindings, set()
        moment = now()

        def write(transaction: Transaction) -> None:
            transaction.executemany(
                "UPDATE episode SET activation = 1.0 - (1.0 - activation) * ?, last_recall = ?, "
                "recall_count = recall_count + ?, seq = ? WHERE space = ? AND id = ?",
                [(_FADE**n, moment, n, transaction.next(), space, id_) for (space, id_), n in episodes.items()],
            )
            transaction.executemany(
                "UPDATE concept SET activation = 1.0 - (1.0 - activation) * ?, last_access = ?, seq = ? WHERE id = ?",
                [(_FADE**n, moment, transaction.next(), id_) for id_, n in concepts.items()],
            )
            transaction.executemany(
                "UPDATE binding SET last_activated = ?, seq = ? WHERE concept_id = ? AND episode_id = ?",
                [(moment, transaction.next(), *pair) for pair in sorted(bindings)],
            )

        self._store.write(write)
