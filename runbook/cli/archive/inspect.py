"""Carry out `runbook inspect`: read an archive or a backup strictly to its end, and say what is in it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.adapters.archives.opened import STDIN, Reader, opened_archive
from runbook.adapters.archives.sealing import Identities
from runbook.archive.compare import differences
from runbook.archive.decode import decoded
from runbook.archive.kinds import Record
from runbook.archive.layout import Summary
from runbook.cli.archive.product import Write, to_stdout
from runbook.cli.progress import ProgressTalk
from runbook.cli.screen import show, show_json
from runbook.errors import ExitCode, UsageError
from runbook.model.backup import PROVES
from runbook.report.archives import compared_data, compared_lines, spaces_lines, summary_data, summary_lines
from runbook.report.document import envelope
from runbook.report.lines import Line, Style, line

if TYPE_CHECKING:
    from runbook.archive.compare import Difference

LEVEL = 3
"""What reading an archive to its end proves, on the ladder of `backup verify`."""
_MOST_SPACES = 10_000


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    file: str
    compare: str | None
    decode: bool
    identities: tuple[Path, ...]
    progress: str
    as_json: bool


@dataclass(slots=True)
class Spaces:
    """Records by space and type; `more` is how many are of spaces beyond the first 10 000."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    more: int = 0

    def add(self, batch: Iterable[Record]) -> None:
        """Count them."""
        for record in batch:
            found = self.counts.get(record["space"])
            if found is None:
                if len(self.counts) == _MOST_SPACES:
                    self.more += 1
                    continue
                found = self.counts.setdefault(record["space"], {})
            found[record["type"]] = found.get(record["type"], 0) + 1


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command; BAD_NEWS where two archives do not have the same content.

    Raises:
        UsageError: there is nothing of that name, or the options do not go together.
        DamagedError: it is damaged; the message names the line and byte, or the block.
        NotSupportedError: it is of a newer version.
        StorageError: it cannot be read.
        RefusedError: it is an encrypted backup, and not for any of the identities.
    """
    if wishes.decode and (wishes.compare is not None or wishes.as_json):
        raise UsageError("--decode prints the records and nothing else", hint="leave out --compare and --json")
    if wishes.file == wishes.compare == STDIN:
        raise UsageError("standard input is one archive, not two", hint="name a file for the other")
    with ProgressTalk(wishes.progress) as talk:
        if wishes.decode:
            return _decode(wishes, talk)
        if wishes.compare is not None:
            return _compare(wishes, wishes.compare, talk)
        return _inspect(wishes, talk)


def _decode(wishes: Wishes, talk: ProgressTalk) -> ExitCode:
    def produce(write: Write) -> None:
        with _opened(wishes, wishes.file) as reader:
            for text in decoded(_told(reader, talk)):
                write(text)

    to_stdout(produce, packed=False)
    return ExitCode.DONE


def _inspect(wishes: Wishes, talk: ProgressTalk) -> ExitCode:
    spaces = Spaces()
    with _opened(wishes, wishes.file) as reader:
        for batch in _told(reader, talk):
            spaces.add(batch)
        summary = _summary(reader)
    data = {**_about(reader.name, summary), "spaces": spaces.counts, "elsewhere": spaces.more, "compared": None}
    lines = [*_lines(reader.name, summary), *spaces_lines(spaces.counts, spaces.more), _proven()]
    _print(wishes, ExitCode.DONE, data, lines)
    return ExitCode.DONE


def _compare(wishes: Wishes, other: str, talk: ProgressTalk) -> ExitCode:
    with _opened(wishes, wishes.file) as first, _opened(wishes, other) as second:
        found: Mapping[str, Difference] = {}
        if first.header.kind == second.header.kind:
            found = differences(first.header.kind, _told(first, talk), second.batches())
        else:
            for reader in (first, second):
                for _ in _told(reader, talk):
                    pass
        ours, theirs = _summary(first), _summary(second)
    same = ours.header.kind == theirs.header.kind and ours.digest == theirs.digest
    code = ExitCode.DONE if same else ExitCode.BAD_NEWS
    compared = {**_about(second.name, theirs), **compared_data(found, same=same)}
    data = {**_about(first.name, ours), "spaces": None, "elsewhere": 0, "compared": compared}
    lines = [*_lines(first.name, ours), *_lines(second.name, theirs), *compared_lines(found, ours, theirs, same=same)]
    _print(wishes, code, data, lines)
    return code


def _opened(wishes: Wishes, file: str) -> AbstractContextManager[Reader]:
    return opened_archive(Path(file), Identities(wishes.identities) if wishes.identities else None)


def _told(reader: Reader, talk: ProgressTalk) -> Iterator[list[Record]]:
    """The records; how many have passed is told."""
    done = 0
    for batch in reader.batches():
        done += len(batch)
        talk.moved(f"read {reader.name}", done, None)
        yield batch
    talk.close()


def _summary(reader: Reader) -> Summary:
    if reader.summary is None:  # pragma: no cover - batches() ends by setting it or by raising
        raise AssertionError
    return reader.summary


def _about(name: str, summary: Summary) -> dict[str, Any]:
    return {"name": name, "level": LEVEL, "proves": PROVES[LEVEL], "archive": summary_data(summary)}


def _lines(name: str, summary: Summary) -> Iterator[Line]:
    yield line(name, Style.STRONG)
    yield from summary_lines(summary)


def _proven() -> Line:
    return line(f"verified at level {LEVEL}: {PROVES[LEVEL]}", Style.GOOD, indent=2, hang=2)


def _print(wishes: Wishes, code: ExitCode, data: Mapping[str, Any], lines: Iterable[Line]) -> None:
    if wishes.as_json:
        show_json(envelope("inspect", "runbook inspect", code, data))
    else:
        show(lines)
