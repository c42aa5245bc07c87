"""The port for the data of one node as a whole: streamed out, streamed in, switched."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from runbook.model.generation import Holdings, Remembered, Taken


class DataNode(Protocol):
    """One node. Archives pass as chunks of bytes, none empty, each of 1 MiB at most; nothing holds a whole one.

    Every method may raise:
        UnreachableError: the node does not answer, or the connection broke in the middle.
        NotSupportedError: the node does not have this part of the operations contract.
        RefusedError: the node says no; or its token is not kept as it must be.
    """

    name: str
    """As the inventory calls it."""

    def holdings(self) -> Holdings:
        """Its generations, and its own id."""
        ...

    def export(
        self, kind: str, *, since: int | None = None, generation: str = ""
    ) -> AbstractContextManager[Iterator[bytes]]:
        """One snapshot as an archive; of the served generation, unless another one is named.

        With `since` only what changed after that sequence number, tombstones included. The bytes are as the node sent
        them: whoever takes them reads them strictly. An interrupted stream raises while it is read.
        """
        ...

    def fill(self, chunks: Iterable[bytes]) -> Taken:
        """A whole archive into a new staging generation; when it fails, nothing is left of it.

        Raises:
            DamagedError: the node found the archive damaged.
            LockedError: another import is under way.
            StorageError: the node's disk refused.
        """
        ...

    def add(self, generation: str, chunks: Iterable[bytes]) -> Taken:
        """Residue, or what changed since, into the staging generation; all of it or nothing.

        Raises:
            DamagedError, LockedError, StorageError: as for `fill`.
        """
        ...

    def activate(self, generation: str, if_sequence: int) -> int:
        """Serve that generation, in one step; the sequence number from which it goes on. The served one is kept.

        Raises:
            WrittenSinceError: the served generation's last change is another one; nothing was switched.
            StorageError: the node's disk refused; the old one is served.
        """
        ...

    def drop(self, generation: str) -> None:
        """Let go of a generation that is not served."""
        ...

    def freeze(self, ttl: timedelta) -> int:
        """Have the node refuse writes for so long; the sequence number at which it stands. Asked again, it lasts longer.

        It ends by itself, and does not outlive a restart of the node.
        """
        ...

    def unfreeze(self) -> None:
        """Have it take writes again."""
        ...

    def recall(self, space: str, embedding: Sequence[float], count: int) -> tuple[Remembered, ...]:
        """What comes to mind, best first; changes no state and no metric of the node."""
        ...
