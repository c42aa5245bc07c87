"""Carry out `runbook backup restore`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from runbook.cli import compose, signals
from runbook.cli.archive.data_nodes import one_node
from runbook.cli.backup.create import ports_of
from runbook.cli.compose import Session
from runbook.cli.progress import ProgressTalk
from runbook.cli.rails import check_reason, check_switch
from runbook.cli.screen import show, show_json
from runbook.engine.apply import LEASE
from runbook.engine.backup.create import check_journal, writing
from runbook.engine.backup.restore import Outlook, Restored, Wish, look, restore
from runbook.errors import ExitCode, LockedError, RefusedError
from runbook.model.run import RunPlan
from runbook.model.target import Node, Target
from runbook.report.backup import backup_data
from runbook.report.document import envelope
from runbook.report.lines import Line, Style, line

_INTERRUPTED = (
    "what is served is as it was, unless `runbook audit show --last 4` has data.activated",
    "give the same command again: what was filled and not dropped is found, and proven",
)


@dataclass(frozen=True, slots=True)
class RestoreWishes:
    """What was said on the command line."""

    name: str
    target: str | None
    config: Path | None
    node: str | None
    folder: Path | None
    identities: tuple[Path, ...]
    activate: bool
    other_node: bool
    replace: bool
    yes: bool
    reason: str
    progress: str
    as_json: bool


def restore_backup(wishes: RestoreWishes) -> ExitCode:
    """The whole of `backup restore`: prove, ask where it will be served, fill, prove, and perhaps switch.

    Raises:
        RefusedError: nobody can be asked, or the person said no; or as `look` raises.
    """
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    chosen = one_node(target, wishes.node)
    check_reason(target, wishes.reason)
    with ProgressTalk(wishes.progress) as talk, ExitStack() as held:
        held.enter_context(signals.way_on(*_INTERRUPTED))
        ports = ports_of(current, wishes.folder, talk)
        run = current.new_run_id()
        check_journal(ports)
        if "/" not in wishes.name and ports.vault.folder.is_dir():
            held.enter_context(writing(ports, run, wait=False))  # nobody removes it meanwhile
        node = compose.data_node(target, chosen, talk)
        wish = _wish(wishes, target.name, run, _leased(held, current, target, chosen, talk, run))
        outlook = look(ports, node, wish)
        if wishes.activate:
            plan = RunPlan(wish.run, "restore", "backup restore", target.name, wishes.reason, ())
            check_switch(current, target, plan)
            if not wishes.yes:
                _confirm(outlook, chosen.name, seen=not wishes.as_json)
        restored = restore(ports, node, wish, outlook)
    if wishes.as_json:
        data = _data(restored, chosen.name)
        show_json(envelope("backup_restore", "runbook backup restore", ExitCode.DONE, data))
    else:
        show(_lines(restored, chosen.name))
    return ExitCode.DONE


def _wish(wishes: RestoreWishes, target: str, run: str, lost: Callable[[], str]) -> Wish:
    def still() -> None:
        if lost():
            raise LockedError(f"nothing was switched: {lost()}", hint="see what the other run does there")

    return Wish(
        run,
        target,
        wishes.name,
        wishes.reason,
        wishes.identities,
        activate=wishes.activate,
        other_node=wishes.other_node,
        replace=wishes.replace,
        still=still,
    )


def _leased(
    held: ExitStack, current: Session, target: Target, node: Node, talk: ProgressTalk, run: str
) -> Callable[[], str]:
    """The lock of the target on this machine, and a lease on the node; who has taken that meanwhile."""
    who = f"{current.who}@{current.where}"
    held.enter_context(current.locks.hold(f"target-{target.name}", run))
    nodes = compose.read_ports(current, target, talk).nodes
    return held.enter_context(nodes.lease((node,), who, run, LEASE))


def _confirm(outlook: Outlook, node: str, *, seen: bool) -> None:
    if seen:
        show(_outlook_lines(outlook, node))
    if not seen or not sys.stdin.isatty():
        raise RefusedError("nobody can be asked; nothing was changed", hint="add --yes")
    if not click.confirm(f"Have {node} serve this backup?", default=False, err=True):
        raise RefusedError("not agreed to; nothing was changed")


def _outlook_lines(outlook: Outlook, node: str) -> Iterator[Line]:
    backup, active = outlook.backup, outlook.active
    yield line(f"Restore {backup.name} to {node}", Style.STRONG)
    yield line(f"{backup.records} records of {backup.created_at} ({backup.kind})", indent=2)
    yield line(f"{node} serves generation {active.id} ({active.kind}); it will be kept", indent=2)
    if outlook.unknown:
        yield line(f"{outlook.unknown}: what was forgotten since cannot be told, and comes back", Style.BAD, 2, 2)
        return
    yield line(f"{outlook.written} texts were written or changed since: they will not be served", Style.UNSURE, 2, 2)
    yield line(f"{outlook.forgotten} were forgotten since, and stay forgotten", indent=2)


def _lines(restored: Restored, node: str) -> Iterator[Line]:
    outlook = restored.outlook
    yield line(f"Restored {outlook.backup.name}", Style.STRONG)
    how = "filled" if restored.filled else "found filled by an earlier run"
    yield line(f"generation {restored.generation} of {node}, {how}, and read back: the same content", Style.GOOD, 2, 2)
    if outlook.unknown:
        yield line(f"{outlook.unknown}: what was forgotten since could not be told", Style.BAD, 2, 2)
    held = ", ".join(f"{count} {type_}" for type_, count in restored.held_back.items())
    yield line(f"held back, since they were forgotten: {held or 'nothing'}", indent=2, hang=2)
    if restored.sequence is not None:
        yield line(f"it is served, from change {restored.sequence} on; {outlook.active.id} is kept", Style.GOOD, 2, 2)
        return
    yield line(f"{node} still serves {outlook.active.id}; {outlook.written} texts in it are newer", indent=2, hang=2)
    yield line("to serve it: the same command with --activate", indent=2, hang=2)


def _data(restored: Restored, node: str) -> dict[str, object]:
    outlook = restored.outlook
    return {
        "backup": backup_data(outlook.backup),
        "node": node,
        "generation": restored.generation,
        "filled": restored.filled,
        "activated": restored.sequence is not None,
        "sequence": restored.sequence,
        "kept": outlook.active.id,
        "held_back": restored.held_back,
        "written_since": outlook.written,
        "forgotten_unknown": outlook.unknown,
    }
