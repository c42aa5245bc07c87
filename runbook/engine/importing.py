"""An archive into a node: beside what is served, proven to be there to the last bit, and only then served.

Each deed is journaled as intended before it is done. What fails leaves the node as it was.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from runbook.archive.layout import Summary
from runbook.engine.backup.note import Note
from runbook.engine.switched import switched
from runbook.errors import DamagedError, RefusedError, RunbookError
from runbook.model.generation import Generation, State
from runbook.model.journal import Event
from runbook.ports import DataNode, Journal

RESIDUE, SINGLE = "residue", "single_memory"
DROP_HINT = "runbook import --drop drops it"


class Source(Protocol):
    """An archive that was read strictly once and can be read again."""

    name: str
    summary: Summary

    def chunks(self) -> AbstractContextManager[Iterator[bytes]]:
        """Its bytes, unpacked, from the beginning."""
        ...


@dataclass(frozen=True, slots=True)
class ImportPorts:
    """What an import is given.

    `strictly` reads chunks of an archive to their end; it is told a name for its messages, and about how many bytes.
    """

    data: DataNode
    journal: Journal
    strictly: Callable[[Iterable[bytes], str, int], Summary]


@dataclass(frozen=True, slots=True)
class Deed:
    """Under which id, on which target and why: as it is journaled."""

    run: str
    target: str
    reason: str

    def details(self, node: str, state: str, more: Mapping[str, Any]) -> dict[str, Any]:
        """Of one entry; `state` is intended, done, failed or unknown."""
        return {"target": self.target, "node": node, "state": state, "reason": self.reason, **more}


@dataclass(frozen=True, slots=True)
class Staged:
    """The generation that holds the archive; `reused` where an earlier try had filled it."""

    generation: str
    reused: bool


def check_importable(archive: Source, residue: Source | None) -> None:
    """May these be imported together?

    Raises:
        RefusedError: they are not a whole archive of data and the residue of a conversion.
    """
    header = archive.summary.header
    if header.kind == RESIDUE:
        raise RefusedError(f"{archive.name} is residue, not data", hint="runbook import DATA --residue RESIDUE")
    if header.since is not None:
        raise RefusedError(
            f"{archive.name} holds only what changed after {header.since}", hint="import a whole archive"
        )
    if residue is None:
        return
    other = residue.summary.header
    if other.kind != RESIDUE or other.since is not None:
        raise RefusedError(f"{residue.name} is no whole residue but {other.kind}")
    if header.kind != SINGLE:
        raise RefusedError(f"residue belongs to single_memory, and {archive.name} is {header.kind}")


def stage(ports: ImportPorts, deed: Deed, archive: Source, residue: Source | None = None) -> Staged:
    """Fill a staging generation, export it again, and compare the content. One that holds it already is used again.

    Raises:
        RefusedError: a staging generation of another content is there.
        DamagedError: what the node took in is not the archive; nothing is left of it.
        UnreachableError, LockedError, StorageError, NotSupportedError: as the node says; nothing is left of it.
    """
    staging = ports.data.holdings().of(State.STAGING)
    if staging is not None:
        _check_holds(ports, staging, archive)
        if residue is not None:
            _complete(ports, deed, staging.id, residue)
        return Staged(staging.id, reused=True)
    about = {"archive": _about(archive.summary)}
    with _journaled(ports, deed, Event.DATA_IMPORTED, about):
        with archive.chunks() as chunks:
            taken = ports.data.fill(chunks)
        try:
            _same(archive, taken.sha256)
            _prove(ports, taken.generation, archive)
            if residue is not None:
                _add_residue(ports, taken.generation, residue)
        except BaseException:
            with suppress(RunbookError):  # what comes first is told
                ports.data.drop(taken.generation)
            raise
    return Staged(taken.generation, reused=False)


def activate(ports: ImportPorts, deed: Deed, generation: str, if_sequence: int) -> int:
    """Serve that generation; the sequence number from which the node goes on.

    Raises:
        WrittenSinceError: something was written since; the old generation is served.
        UnreachableError: the node broke off; the message says which generation is served where that can be found out.
        RefusedError, LockedError, StorageError: as the node says; the old generation is served.
    """
    of = {"target": deed.target, "node": ports.data.name, "reason": deed.reason}
    about = {**of, "generation": generation, "if_sequence": if_sequence}
    with Note(ports.journal, Event.DATA_ACTIVATED, deed.run, about).kept() as facts:
        facts["sequence"] = sequence = switched(ports.data, generation, if_sequence)
    return sequence


def drop_staging(ports: ImportPorts, deed: Deed) -> str:
    """Drop the staging generation; its id.

    Raises:
        RefusedError: there is none.
    """
    staging = ports.data.holdings().of(State.STAGING)
    if staging is None:
        raise RefusedError(f"node {ports.data.name} has no staging generation: there is nothing to drop")
    about = {"generation": staging.id, "deed": "drop"}
    with _journaled(ports, deed, Event.DATA_IMPORTED, about, "dropped"):
        ports.data.drop(staging.id)
    return staging.id


@contextmanager
def _journaled(
    ports: ImportPorts, deed: Deed, event: Event, about: Mapping[str, Any], done: str = "done"
) -> Iterator[None]:
    """The intent before the block, what became of it behind it."""

    def note(state: str, **more: Any) -> None:
        ports.journal.append(event, deed.run, deed.details(ports.data.name, state, {**about, **more}))

    note("intended")
    try:
        yield
    except BaseException as error:
        note("failed", why=_why(error))
        raise
    note(done)


def _check_holds(ports: ImportPorts, staging: Generation, archive: Source) -> None:
    refusal = RefusedError(
        f"node {ports.data.name} is preparing the generation {staging.id} already, and it does not hold {archive.name}",
        hint=DROP_HINT,
    )
    if staging.kind != archive.summary.header.kind:
        raise refusal
    if _exported(ports, staging.id, archive).digest != archive.summary.digest:
        raise refusal


def _complete(ports: ImportPorts, deed: Deed, generation: str, residue: Source) -> None:
    found = _exported(ports, generation, residue)
    if found.digest == residue.summary.digest:
        return
    if any(found.counts.values()):
        raise RefusedError(f"the generation {generation} holds another residue than {residue.name}", hint=DROP_HINT)
    with _journaled(ports, deed, Event.DATA_IMPORTED, {"archive": _about(residue.summary), "generation": generation}):
        _add_residue(ports, generation, residue)


def _add_residue(ports: ImportPorts, generation: str, residue: Source) -> None:
    with residue.chunks() as chunks:
        taken = ports.data.add(generation, chunks)
    _same(residue, taken.sha256)
    _prove(ports, generation, residue)


def _same(source: Source, sha256: str) -> None:
    if sha256 != source.summary.sha256:
        raise DamagedError(f"{source.name} changed while it was read", hint="nothing was kept of it; run it again")


def _prove(ports: ImportPorts, generation: str, source: Source) -> None:
    wanted = source.summary
    found = _exported(ports, generation, source)
    if (found.digest, found.counts) != (wanted.digest, wanted.counts):
        raise DamagedError(
            f"node {ports.data.name} gives back other content than it was given: {found.digest}, not {wanted.digest}",
            hint="nothing was kept of it; the served generation is untouched",
        )


def _exported(ports: ImportPorts, generation: str, like: Source) -> Summary:
    """What the generation holds of the kind that this archive is."""
    wanted = like.summary
    with ports.data.export(wanted.header.kind, generation=generation) as chunks:
        return ports.strictly(chunks, f"generation {generation} of node {ports.data.name}", wanted.bytes)


def _about(summary: Summary) -> dict[str, Any]:
    header = summary.header
    of = {"kind": header.kind, "node": header.node, "snapshot": header.snapshot, "counts": dict(summary.counts)}
    return {**of, "sha256": summary.sha256, "content_digest": str(summary.digest)}


def _why(error: BaseException) -> str:
    return error.message if isinstance(error, RunbookError) else "interrupted"
