"""A node in this process, a folder of backups on this disk, and everything that a backup needs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded_data import EmbeddedData
from fleet_in_memory import SilentTalk
from migrate_scene import given
from whole_data import SPACE, read

from runbook.adapters.archives.bench import FileBench
from runbook.adapters.archives.vault import FolderVault
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.adapters.memory.locks import MemoryLocks
from runbook.engine.backup.create import Created, Wanted, create
from runbook.engine.backup.restore import Restored, Wish, look, restore
from runbook.model.journal import Event
from runbook.ports.backups import BackupPorts
from runbook.sandbox.embedding import embed
from runbook.sandbox.exporting import Export
from runbook.sandbox.records import Episode


class HeardTalk(SilentTalk):
    """Passes everything on."""

    def counted(self, label: str, chunks: Iterable[bytes], total: int | None = None) -> Iterator[bytes]:
        del label, total
        yield from chunks

    def passing(self, label: str, total: int) -> Callable[[int], None]:
        del label, total
        return lambda _: None


@dataclass
class VaultScene:
    """One node and one folder."""

    folder: Path
    talk: HeardTalk = field(default_factory=HeardTalk)
    clock: MemoryClock = field(default_factory=MemoryClock)

    def __post_init__(self) -> None:
        self.engine = given(self.folder / "node")
        self.node = EmbeddedData(self.engine)
        self.journal = MemoryJournal(self.clock)
        self.vault = FolderVault(self.folder / "backups")
        self.ports = BackupPorts(self.vault, FileBench(), self.journal, MemoryLocks(), self.clock, self.talk)

    def create(self, node: Any = None, **more: Any) -> Created:
        """Back the node up."""
        return create(self.ports, node or self.node, Wanted("r1", "prod", "test", **more))

    def name(self) -> str:
        """Of a backup that is made now."""
        return self.create().proof.backup.name

    def restore(self, name: str, node: Any = None, **more: Any) -> Restored:
        """Look, and then do it."""
        wish = Wish("r2", "prod", name, **more)
        outlook = look(self.ports, node or self.node, wish)
        return restore(self.ports, node or self.node, wish, outlook)

    def remember(self, id_: str, content: str) -> None:
        """Durably."""
        episode = Episode(SPACE, id_, content, 1, embed(content).tobytes(), 1)
        assert self.engine.memory.remember([episode]).result() == [True]

    def forget(self, *ids: str) -> None:
        """Durably."""
        assert set(self.engine.memory.forget(SPACE, list(ids)).result()) == set(ids)

    def served(self) -> bytes:
        """All of it."""
        return b"".join(Export(self.engine.holdings.origin(None), "dual_memory"))

    def ids(self) -> set[str]:
        """Of every episode that is served."""
        return {each["id"] for each in read(self.served())[1] if each["type"] == "episode"}

    def states(self) -> list[str]:
        """Of the generations, sorted."""
        return sorted(each.state.value for each in self.node.holdings().generations)

    def told(self) -> list[tuple[Event, object]]:
        """What was journaled, with its state."""
        return [(each.event, each.details.get("state")) for each in self.journal.entries()]
