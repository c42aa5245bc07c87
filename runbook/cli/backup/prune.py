"""Carry out `runbook backup prune` and `pin`."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from runbook.cli import compose, signals
from runbook.cli.backup.create import ports_of
from runbook.cli.progress import ProgressTalk
from runbook.cli.screen import show, show_json
from runbook.engine.backup.create import writing
from runbook.engine.backup.prune import pin, plan, prune
from runbook.engine.backup.retention import Retained, Rule
from runbook.errors import ExitCode
from runbook.report.backup import backup_data, vault_data
from runbook.report.document import envelope
from runbook.report.lines import Line, Style, line


@dataclass(frozen=True, slots=True)
class PruneWishes:
    """What was said on the command line."""

    daily: int
    weekly: int
    monthly: int
    folder: Path | None
    apply: bool
    wait: bool
    as_json: bool


def prune_backups(wishes: PruneWishes) -> ExitCode:
    """The whole of `backup prune`: a plan, unless it is to be applied."""
    current = compose.session()
    rule = Rule(wishes.daily, wishes.weekly, wishes.monthly)
    with ProgressTalk() as talk:
        ports = ports_of(current, wishes.folder, talk)
        run = current.new_run_id()
        if wishes.apply and ports.vault.folder.is_dir():
            left = "what was not removed yet is whole"
            with signals.way_on(left, "give the same command again"), writing(ports, run, wait=wishes.wait):
                found = prune(ports, rule, run)
        else:
            found = plan(ports, rule)
    if wishes.as_json:
        data = _data(found, ports.vault.folder, applied=wishes.apply)
        show_json(envelope("backup_prune", "runbook backup prune", ExitCode.DONE, data))
    else:
        show(_lines(found, applied=wishes.apply))
    return ExitCode.DONE


def pin_backup(name: str, folder: Path | None, *, on: bool, as_json: bool) -> ExitCode:
    """The whole of `backup pin`."""
    current = compose.session()
    with ProgressTalk() as talk:
        ports = ports_of(current, folder, talk)
        run = current.new_run_id()
        with writing(ports, run, wait=False) if ports.vault.folder.is_dir() else nullcontext():
            backup = pin(ports, name, run, on=on)
    if as_json:
        data = vault_data(ports.vault.folder, [backup])
        show_json(envelope("backup", "runbook backup pin", ExitCode.DONE, data))
    else:
        show([line(f"{name} is {'pinned: prune never removes it' if on else 'not pinned any more'}")])
    return ExitCode.DONE


def _lines(found: Sequence[Retained], *, applied: bool) -> Iterator[Line]:
    gone = [each.backup for each in found if not each.reasons]
    for each in found:
        if each.reasons:
            yield line(f"keep    {each.backup.name}", indent=2)
            yield line("; ".join(each.reasons), Style.FAINT, indent=10, hang=2)
        else:
            yield line(f"{'removed' if applied else 'remove'}  {each.backup.name}".ljust(8), Style.BAD, indent=2)
    if not gone:
        yield line(f"Nothing to remove: {len(found)} kept.", Style.GOOD)
    elif applied:
        yield line(f"{len(gone)} removed, {len(found) - len(gone)} kept.", Style.GOOD)
    else:
        yield line(f"{len(gone)} would be removed, {len(found) - len(gone)} kept. Nothing was changed.")
        yield line("to do it: the same with --apply", indent=2)


def _data(found: Sequence[Retained], folder: Path, *, applied: bool) -> dict[str, object]:
    rows = [({"backup": backup_data(each.backup), "reasons": list(each.reasons)}, each.reasons) for each in found]
    kept, gone = [row for row, why in rows if why], [row for row, why in rows if not why]
    return {"folder": str(folder), "applied": applied, "kept": kept, "removed": gone}
