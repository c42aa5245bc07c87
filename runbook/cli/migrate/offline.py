"""Carry out `runbook migrate` on files: a plan of what would be done, or from a file to a file, without any node."""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from runbook import material
from runbook.adapters.archives.conversion.opening import residue_in
from runbook.adapters.archives.publishing import publish, residue_beside
from runbook.adapters.files import private_folder, read_document, write_atomic
from runbook.adapters.locks import FileLocks
from runbook.adapters.plans import read_plan, write_plan
from runbook.cli import compose
from runbook.cli.migrate.newer import newer_writes
from runbook.cli.migrate.wishes import Wishes
from runbook.cli.progress import ProgressTalk
from runbook.cli.screen import show, show_json
from runbook.engine.conversion import Conversion, ConversionPorts, carry_out, converted_details
from runbook.engine.conversion_plan import document, plan_of, refuse_unless_same
from runbook.errors import DamagedError, ExitCode, NotSupportedError, RefusedError, UsageError
from runbook.model.conversion import Converted, Job
from runbook.model.conversion_plan import ConversionPlan, Places
from runbook.report.conversion import converted_lines, newer_lines, plan_lines
from runbook.report.document import envelope

if TYPE_CHECKING:
    from runbook.model.migration import Migration
    from runbook.ports import Converter

_RUN = "run"
_INPUT = Path("-")


def convert(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UsageError: what was said does not go together.
        Whatever the converter raises.
    """
    migration, backup = material.migration(str(wishes.kind)), _backup(wishes)
    residue = _residue(wishes, backup)
    if wishes.dry_run or wishes.output is None:
        with tempfile.TemporaryDirectory(prefix="runbook-") as name:
            job = _job(wishes, migration, backup, residue, Path(name) / "work")
            plan = _plan(wishes, migration, job, compose.converter())
            return _show_plan(wishes, plan, None if wishes.output is not None else newer_writes(wishes, plan.source))
    output = _output(wishes, wishes.output, backup)
    work = output.with_name(f".{output.name}.migration")
    began = (work / _RUN).exists()
    if not began:
        _refuse_what_is_there(wishes, output, migration)
    job = _job(wishes, migration, backup, residue, work)
    return _convert(wishes, migration, job, output)


def check_plan(wishes: Wishes) -> None:
    """For a node: is the conversion of that backup the one of `--apply`? It is written where `--plan-out` says.

    Raises:
        RefusedError: it is another one.
        Whatever reading the backup or the plan raises.
    """
    migration, backup = material.migration(str(wishes.kind)), _backup(wishes)
    with tempfile.TemporaryDirectory(prefix="runbook-") as name:
        _plan(wishes, migration, _job(wishes, migration, backup, None, Path(name) / "work"), compose.converter())


def _backup(wishes: Wishes) -> Path:
    if wishes.backup is None:
        raise UsageError("what shall be converted?", hint="add --backup FILE, or --backup - for standard input")
    if wishes.backup == _INPUT and sys.stdin.isatty():
        raise UsageError("there is nothing on standard input", hint="runbook export ... | runbook migrate --backup -")
    return wishes.backup


def _residue(wishes: Wishes, backup: Path) -> Path | None:
    """The residue of an earlier conversion: the one that was named, else the one that lies there."""
    if wishes.kind != "dual_memory":
        if wishes.residue is not None:
            raise UsageError("residue is read on the way back only", hint="--to dual_memory")
        return None
    if wishes.residue is not None or backup == _INPUT:
        return wishes.residue
    if backup.is_dir():
        return backup if residue_in(backup) else None
    beside = residue_beside(backup)
    return beside if beside.exists() else None


def _output(wishes: Wishes, output: Path, backup: Path) -> Path:
    if output == _INPUT:
        raise UsageError("-o needs the name of a file: the residue is kept beside it")
    if not output.parent.is_dir():
        raise UsageError(f"there is no folder {output.parent}", hint="make it first")
    if output.is_dir():
        raise UsageError(f"{output} is a folder", hint="name a file")
    for path in (output, residue_beside(output)):
        for source in (backup, wishes.residue):
            if source is not None and source.exists() and path.exists() and path.samefile(source):
                raise UsageError(f"{path} would be written over what it is made of", hint="choose another name")
    return output


def _refuse_what_is_there(wishes: Wishes, output: Path, migration: "Migration") -> None:
    makes = [output, residue_beside(output)] if _leaves_residue(migration) else [output]
    there = next((path for path in makes if path.is_symlink() or path.exists()), None)
    if there is not None and not wishes.yes:
        raise RefusedError(f"{there} is there already", hint="choose another name, or replace it with --yes")


def _leaves_residue(migration: "Migration") -> bool:
    return any(field.kept == "residue" for field in migration.fields)


def _job(wishes: Wishes, migration: "Migration", backup: Path, residue: Path | None, work: Path) -> Job:
    return Job(backup, migration.name, work, residue, wishes.concepts, wishes.processes)


def _plan(wishes: Wishes, migration: "Migration", job: Job, converter: "Converter") -> ConversionPlan:
    """The plan; it is the one that `--apply` names, and is written where `--plan-out` says."""
    wanted = None if wishes.plan is None else read_plan(wishes.plan)
    places = Places()
    if wishes.output is not None:
        residue = str(residue_beside(wishes.output.absolute())) if _leaves_residue(migration) else ""
        places = Places(output=str(wishes.output.absolute()), residue=residue)
    plan = plan_of(migration, converter.survey(job), wishes.concepts, places)
    if wanted is not None:
        refuse_unless_same(wanted, plan)
    if wishes.plan_out is not None:
        write_plan(wishes.plan_out, plan)
    return plan


def _show_plan(wishes: Wishes, plan: ConversionPlan, newer: int | None) -> ExitCode:
    if wishes.as_json:
        data = {"plan": document(plan), "newer_writes": newer}
        show_json(envelope("migration_plan", "runbook migrate", ExitCode.DONE, data))
    else:
        show([*plan_lines(plan), *newer_lines(newer)])
    return ExitCode.DONE


def _convert(wishes: Wishes, migration: "Migration", job: Job, output: Path) -> ExitCode:
    current = compose.session()
    private_folder(job.work)
    run, resumed = _run_of(job.work, current.new_run_id())
    locks = FileLocks(job.work, current.clock, current.who, current.where)
    with (
        locks.hold("conversion", run),
        ProgressTalk(wishes.progress) as talk,
        _left_only_to_go_on(job.work, resumed=resumed),
    ):
        converter = compose.converter()
        plan = _plan(wishes, migration, job, converter)
        _check_disk(plan, job.work)
        write_atomic(job.work / _RUN, run.encode())
        ports = ConversionPorts(
            converter, current.journal, partial(publish, output=output), partial(talk.moved, "converting")
        )
        conversion = Conversion(plan, job, run, wishes.reason, shlex.join(["runbook", *sys.argv[1:]]), resumed)
        found = carry_out(ports, conversion)
    shutil.rmtree(job.work, ignore_errors=True)
    return _tell(wishes, plan, found, run)


def _run_of(work: Path, new: str) -> tuple[str, bool]:
    """The run that goes on, or a new one."""
    found = read_document(work / _RUN)
    return (new, False) if found is None else (found.decode(errors="replace"), True)


@contextmanager
def _left_only_to_go_on(work: Path, *, resumed: bool) -> Iterator[None]:
    """Leave nothing behind of what was refused at once, or never began; what an earlier try has done stays."""
    try:
        yield
    except BaseException as error:
        refused = not resumed and isinstance(error, DamagedError | RefusedError | NotSupportedError)
        if refused or not (work / _RUN).exists():
            with suppress(OSError):
                shutil.rmtree(work)
        raise


def _check_disk(plan: ConversionPlan, work: Path) -> None:
    used = sum(path.stat().st_size for path in work.iterdir())
    free = compose.archives().free_bytes(work)
    if free + used < plan.disk_bytes:
        raise RefusedError(
            f"{free} bytes are free beside the output, {plan.disk_bytes - used} are needed",
            hint="make room, or write to another disk",
        )


def _tell(wishes: Wishes, plan: ConversionPlan, found: Converted, run: str) -> ExitCode:
    if wishes.as_json:
        data = {"run": run, "plan": document(plan), **converted_details(found)}
        show_json(envelope("migration", "runbook migrate", ExitCode.DONE, data))
    else:
        show(converted_lines(plan, found, run))
    return ExitCode.DONE
