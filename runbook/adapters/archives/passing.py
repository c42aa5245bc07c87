"""Archives on their way from a node to whoever asked: read strictly while they pass, and never ended when damaged.

What was read already cannot be taken back from a pipe. So the last pieces wait until the footer was found to fit:
where anything is wrong, what went out has no end, and no reader takes it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from runbook.adapters.archives.exports import spill
from runbook.archive.layout import Header, Summary
from runbook.archive.reader import ArchiveReader
from runbook.archive.writer import ArchiveWriter
from runbook.errors import DamagedError, RefusedError

Write = Callable[[bytes], object]
Tell = Callable[[int], object]
"""Is told how many records have passed."""

_HELD = 2
"""Chunks: the one that is being read, and the one before it, whose last line may end in this one."""
_NAMED_SPACES = 8


class NoSuchSpaceError(RefusedError):
    """Not one record is of that space."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: only what changed after `since` (of that generation, if named), only records of `space`."""

    kind: str
    since: int | None = None
    space: str | None = None
    generation: str = ""

    def check(self, header: Header, name: str) -> None:
        """Is it that?

        Raises:
            DamagedError: it is another kind of archive.
            RefusedError: it has not got so far that anything can have changed since, or is of another generation.
        """
        if (header.kind, header.since) != (self.kind, self.since):
            raise DamagedError(f"{name} gave another archive than it was asked for: {header.kind}, {header.since}")
        served = header.snapshot.rpartition(":")[0]
        if self.generation and self.generation != served:
            raise RefusedError(
                f"{name} serves the generation {served}, not {self.generation}: what changed between them is not told",
                hint="export all of it, without --since",
            )
        sequence = sequence_of(header)
        if self.since is not None and sequence is not None and self.since > sequence:
            raise RefusedError(
                f"{name} stands at {sequence}: nothing can have changed after {self.since}",
                hint="--since takes the sequence of an earlier export of this very node; inspect shows it",
            )


def sequence_of(header: Header) -> int | None:
    """The sequence number of the snapshot, where it has one."""
    number = header.snapshot.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdecimal() else None


def pass_on(chunks: Iterable[bytes], name: str, wanted: Wanted, write: Write, tell: Tell) -> Summary:
    """Read the archive strictly and write it as it comes; what is written has its end only if all of it is right.

    Args:
        chunks: the archive, plain.
        name: of its source, for messages.
        wanted: with a space, an archive of that space alone is written.
        write: takes all that it is given.
        tell: is told the number of records, now and then.

    Returns:
        What was written.

    Raises:
        DamagedError: it is no whole archive, or not what was wanted.
        RefusedError: not one record is of that space.
        Whatever `chunks` and `write` raise.
    """
    if wanted.space is None:
        return _whole(chunks, name, wanted, write, tell)
    return _of_space(chunks, name, wanted, write, tell)


def _whole(chunks: Iterable[bytes], name: str, wanted: Wanted, write: Write, tell: Tell) -> Summary:
    held: deque[bytes] = deque()

    def passing() -> Iterator[bytes]:
        for chunk in chunks:
            held.append(chunk)
            yield chunk
            while len(held) > _HELD - 1:
                write(held.popleft())

    reader = ArchiveReader(passing(), name, spill)
    wanted.check(reader.header, name)
    done = 0
    for batch in reader.batches():
        done += len(batch)
        tell(done)
    if reader.summary is None:  # pragma: no cover - batches() ends by setting it or by raising
        raise AssertionError
    for chunk in held:
        write(chunk)
    return reader.summary


def _of_space(chunks: Iterable[bytes], name: str, wanted: Wanted, write: Write, tell: Tell) -> Summary:
    reader = ArchiveReader(chunks, name, spill)
    wanted.check(reader.header, name)
    writer = ArchiveWriter(write, reader.header)
    seen: dict[str, None] = {}
    done = 0
    for batch in reader.batches():
        done += len(batch)
        for record in batch:
            seen[record["space"]] = None
            if record["space"] == wanted.space:
                writer.add(record)
        tell(done)
    if wanted.space not in seen and wanted.since is None:
        known = ", ".join([*seen][:_NAMED_SPACES]) or "none"
        raise NoSuchSpaceError(
            f"{name} has no record of the space {wanted.space!r}", hint=f"spaces with records: {known}"
        )
    return writer.finish()
