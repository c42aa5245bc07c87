"""Carry out `runbook import`: an archive into a staging generation, proven, and served only when that is asked for."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook.adapters.archives.held import STDIN, held_archive, strictly
from runbook.cli import compose
from runbook.cli.archive.data_nodes import one_node
from runbook.cli.compose import Session
from runbook.cli.progress import ProgressTalk
from runbook.cli.rails import check_reason, check_switch
from runbook.cli.screen import show, show_json
from runbook.cli.signals import way_on
from runbook.engine.apply import LEASE
from runbook.engine.importing import Deed, ImportPorts, activate, check_importable, drop_staging, stage
from runbook.errors import ExitCode, LockedError, RefusedError, RunbookError, UsageError
from runbook.model.generation import Holdings, State
from runbook.model.run import RunPlan
from runbook.model.target import Node, Target
from runbook.report.archives import Imported, counts_words, imported_data, imported_lines, summary_lines
from runbook.report.document import envelope
from runbook.report.lines import Line, Style, line, printable

if TYPE_CHECKING:
    from runbook.adapters.archives.held import HeldArchive
    from runbook.archive.layout import Summary


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    file: str | None
    residue: str | None
    activate: bool
    drop: bool
    yes: bool
    reason: str
    node: str | None
    target: str | None
    config: Path | None
    progress: str
    as_json: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the import goes, under which id it is journaled; `lost` tells who has taken the lease meanwhile."""

    current: Session
    target: Target
    ports: ImportPorts
    deed: Deed
    talk: ProgressTalk
    lost: Callable[[], str]


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UsageError: it is not said what is to be imported, or to which node.
        RefusedError: the rails, the node or the person say no.
        DamagedError: the archive is damaged, or the node gave back other content; nothing is left of it.
        RunbookError: as node, disk or journal say; the served generation is untouched.
    """
    _check(wishes)
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    node = one_node(target, wishes.node)
    check_reason(target, wishes.reason)
    began = time.monotonic()
    with ExitStack() as held:
        talk = held.enter_context(ProgressTalk(wishes.progress))
        again = "run the same command again: it goes on from what it finds on the node"
        held.enter_context(way_on("what is served was not changed, or was switched as a whole", again))
        archives = [
            held.enter_context(held_archive(file, talk.counted)) for file in (wishes.file, wishes.residue) if file
        ]
        if archives:
            check_importable(archives[0], archives[1] if wishes.residue else None)
        place = held.enter_context(_place(current, target, node, wishes.reason, talk))
        found = _import(wishes, place, *archives) if archives else _drop(wishes, place)
    found = replace(found, seconds=time.monotonic() - began)
    if wishes.as_json:
        show_json(envelope("import", "runbook import", ExitCode.DONE, imported_data(found)))
    else:
        show(imported_lines(found))
    return ExitCode.DONE


def _check(wishes: Wishes) -> None:
    if wishes.drop == (wishes.file is not None):
        raise UsageError("say what is to be imported, or --drop, and not both", hint="runbook import FILE")
    if wishes.drop and (wishes.activate or wishes.residue is not None):
        raise UsageError("--drop only lets go of a staging generation", hint="leave out the other options")
    if wishes.file == wishes.residue == STDIN:
        raise UsageError("standard input is one archive, not two", hint="name a file for the other")
    if STDIN in {wishes.file, wishes.residue} and sys.stdin.isatty():
        raise UsageError("standard input is a terminal: no archive comes from there", hint="runbook import - < FILE")
    if (wishes.activate or wishes.drop) and not wishes.yes and not sys.stdin.isatty():
        raise RefusedError("nobody can be asked without a terminal", hint="add --yes")


@contextmanager
def _place(current: Session, target: Target, node: Node, reason: str, talk: ProgressTalk) -> Iterator[Place]:
    """The ports, under the lock of the target on this machine and a lease on the node."""
    run, who = current.new_run_id(), f"{current.who}@{current.where}"

    def reading(chunks: Iterable[bytes], name: str, size: int) -> "Summary":
        return strictly(talk.counted(f"verify {name}", chunks, size), name)

    ports = ImportPorts(compose.data_node(target, node, talk), current.journal, reading)
    nodes = compose.read_ports(current, target, talk).nodes
    with current.locks.hold(f"target-{target.name}", run), nodes.lease((node,), who, run, LEASE) as lost:
        yield Place(current, target, ports, Deed(run, target.name, reason), talk, lost)


def _import(wishes: Wishes, place: Place, archive: "HeldArchive", residue: "HeldArchive | None" = None) -> Imported:
    before = place.ports.data.holdings()
    if wishes.activate:
        plan = RunPlan(place.deed.run, "import", "import", place.target.name, place.deed.reason, ())
        check_switch(place.current, place.target, plan)
        if not wishes.yes:
            _ask(_question(place, before, archive), f"Serve this instead of {before.active.id}?")
    staged = stage(place.ports, place.deed, archive, residue)
    generation = staged.generation
    found = Imported(place.target.name, place.ports.data.name, place.deed.run, archive.summary, generation)
    found = replace(found, reused=staged.reused)
    if not wishes.activate:
        return found
    if place.lost():
        raise LockedError(f"nothing was switched: {place.lost()}", hint="see what the other run does there")
    try:
        sequence = activate(place.ports, place.deed, generation, before.active.sequence)
    except RunbookError as error:
        error.hint += f"; {generation} waits: the same command again, or runbook import --drop"
        raise
    return replace(found, activated=True, sequence=sequence, replaced=before.active.id)


def _drop(wishes: Wishes, place: Place) -> Imported:
    staging = place.ports.data.holdings().of(State.STAGING)
    if staging is not None and not wishes.yes:
        told = f"{staging.id} of node {place.ports.data.name}: {staging.kind}, {counts_words(staging.counts)}"
        _ask([line(told)], f"Drop the staging generation {staging.id}?")
    dropped = drop_staging(place.ports, place.deed)
    return Imported(place.target.name, place.ports.data.name, place.deed.run, dropped=dropped)


def _question(place: Place, before: Holdings, archive: "HeldArchive") -> Iterator[Line]:
    served = before.active
    yield line(f"{archive.name} into node {place.ports.data.name} of {place.target.name}", Style.STRONG)
    yield from summary_lines(archive.summary)
    yield line(f"instead of {served.id}: {served.kind}, {counts_words(served.counts)}", indent=2)
    yield line(f"{served.id} is kept; what is written until then makes the switch fail", indent=2)


def _ask(lines: Iterable[Line], question: str) -> None:
    """Ask once.

    Raises:
        RefusedError: the answer is no.
    """
    for each in lines:
        click.echo(printable(each.text), err=True)
    if not click.confirm(question, default=False, err=True):
        raise RefusedError("not agreed to; nothing was changed")
