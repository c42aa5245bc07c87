"""Carry out `runbook backup verify`."""

from dataclasses import dataclass
from pathlib import Path

from runbook.cli import compose, signals
from runbook.cli.backup.create import ports_of
from runbook.cli.progress import ProgressTalk
from runbook.cli.screen import show, show_json
from runbook.engine.backup.verify import Failed, Verify, chosen, up_to_level_3, verify_each, worst_of
from runbook.errors import ExitCode, UsageError
from runbook.model.backup import HIGHEST
from runbook.ports.backups import BackupPorts
from runbook.report.backup import vault_data, verified_lines
from runbook.report.document import envelope


@dataclass(frozen=True, slots=True)
class VerifyWishes:
    """What was said on the command line."""

    names: tuple[str, ...]
    target: str | None
    config: Path | None
    everything: bool
    level: int
    folder: Path | None
    identities: tuple[Path, ...]
    progress: str
    as_json: bool


def verify_backups(wishes: VerifyWishes) -> ExitCode:
    """The whole of `backup verify`: every one is tried; damage of one is the exit code, whatever else failed.

    Raises:
        UsageError: names and --all; or there is no such backup.
        RunbookError: whatever the verification of a single one raises.
    """
    if wishes.names and wishes.everything:
        raise UsageError("names and --all: which?", hint="leave out one of them")
    current = compose.session()
    with ProgressTalk(wishes.progress) as talk:
        ports = ports_of(current, wishes.folder, talk)
        names = chosen(ports.vault, wishes.names, everything=wishes.everything)
        verify = _verify(ports, wishes, talk)
        with signals.way_on("what was proven before is remembered", "give the same command again"):
            answers = verify_each(ports, names, verify, current.new_run_id())
    failed = [each for each in answers if isinstance(each, Failed)]
    if len(answers) == 1 and failed:
        raise failed[0].error
    proofs = [each for each in answers if not isinstance(each, Failed)]
    short = any(not each.complete for each in proofs)
    code = worst_of(failed) if failed else ExitCode.COULD_NOT_TELL if short else ExitCode.DONE
    if wishes.as_json:
        show_json(envelope("backup", "runbook backup verify", code, vault_data(ports.vault.folder, answers=answers)))
    else:
        show(verified_lines(answers))
    return code


def _verify(ports: BackupPorts, wishes: VerifyWishes, talk: ProgressTalk) -> Verify:
    if wishes.level < HIGHEST:
        return up_to_level_3(ports, wishes.level, wishes.identities)
    from runbook.cli.backup.scratch_node import scratch_node  # noqa: PLC0415 - a node, and numpy: only for this level
    from runbook.engine.backup.proof import prove  # noqa: PLC0415 - same

    return lambda name: prove(ports, name, wishes.identities, lambda size: scratch_node(size, talk))
