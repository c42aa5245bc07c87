"""A part of a backup as an archive that a node takes in, without what must be held back; in constant memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from runbook.archive import canonical
from runbook.archive.digest import ContentDigest
from runbook.archive.forgetting import Forgotten
from runbook.archive.kinds import Record, archive_kind
from runbook.archive.writer import ArchiveWriter
from runbook.ports import DataNode
from runbook.ports.backups import BackupPorts, Bundle

See = Callable[[Iterable[Record]], None]


class Sent:
    """The bytes of one part; once they have passed, `digest` is that of what was in them, `held_back` what was not."""

    def __init__(self, bundle: Bundle, part: str, forgotten: Forgotten | None = None, see: See | None = None) -> None:
        self.digest = bundle.digest(part)
        self.held_back: Counter[str] = Counter()
        self._bundle = bundle
        self._part = part
        self._forgotten = forgotten
        self._see = see

    def __iter__(self) -> Iterator[bytes]:
        waiting: list[bytes] = []
        writer = ArchiveWriter(waiting.append, self._bundle.header(self._part))
        for batch in self.batches():
            for record in batch:
                writer.add(record)
            yield from waiting
            waiting.clear()
        writer.finish()
        yield from waiting

    def batches(self) -> Iterator[list[Record]]:
        """The records themselves."""
        if self._forgotten is not None:
            self._forgotten.again()
        for batch in self._bundle.batches(self._part):
            kept = batch if self._forgotten is None else self._kept(batch, self._forgotten)
            if self._see is not None:
                self._see(kept)
            yield kept

    def _kept(self, batch: list[Record], forgotten: Forgotten) -> list[Record]:
        kept: list[Record] = []
        gone: list[Record] = []
        for record in batch:
            (gone if forgotten.holds(record) else kept).append(record)
        if gone:
            kinds = archive_kind(self._bundle.header(self._part).kind).records
            lines = [canonical.encode(record, kinds[record["type"]]) for record in gone]
            self.digest -= ContentDigest().plus(lines)
            self.held_back.update(record["type"] for record in gone)
        return kept


def digest_of(ports: BackupPorts, node: DataNode, kind: str, generation: str) -> ContentDigest | None:
    """The content digest of what the node has, read strictly.

    Raises:
        DamagedError: what the node sent is damaged.
    """
    with node.export(kind, generation=generation) as chunks:
        counted = ports.talk.counted(f"read back {kind} of {node.name}", chunks)
        return ports.bench.reading(counted, f"the {kind} of {node.name}").read().digest
