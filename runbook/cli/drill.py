"""Carry out `runbook drill`: rehearse on a fleet that is started for it, and keep the training record."""

import platform
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version

from runbook.cli import compose, signals
from runbook.cli.compose import Session
from runbook.cli.issue import known_issues
from runbook.cli.notify.starting import Telling
from runbook.cli.scratch import EPISODES, EmbeddedFleet, check_room, embedded_fleet, first_signal_only
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.drill import DrillOptions, Scene, rehearse
from runbook.engine.drill_record import chosen, drills_of, overdue, recorded, standings
from runbook.errors import ExitCode, InterruptedRunError, RunbookError
from runbook.model.drill import BRAKE, TOOL, Drill, Rehearsal
from runbook.model.runbook import Runbook
from runbook.ports import ChangePorts
from runbook.report.document import envelope
from runbook.report.drill import drill_data, drill_lines, training_data, training_lines

FEW_EPISODES = 60
"""The brake does not ask what the nodes hold."""


@dataclass(frozen=True, slots=True)
class IssueWishes:
    """What was said on the command line of a drill of an issue."""

    nodes: int
    window: timedelta
    watch: timedelta
    allow_disruptive: bool
    reason: str
    as_json: bool


def drill_issue(runbook: Runbook, wishes: IssueWishes) -> ExitCode:
    """Rehearse the issue, record it, tell it.

    Raises:
        StorageError, DamagedError: before anything was started.
        InterruptedRunError: the drill was interrupted; all that it started is gone.
        RunbookError: the fleet, or the tool, did not work.
    """

    def rehearsal(inner: Session, drill: Drill, fleet: EmbeddedFleet, ports: ChangePorts) -> Rehearsal:
        who = f"{inner.who}@{inner.where}"
        options = DrillOptions(drill.id, who, wishes.window, wishes.watch, wishes.allow_disruptive)
        return rehearse(Scene(runbook, known_issues(), ports, fleet, options, inner.store))

    return _drill(runbook.slug, runbook.drill, wishes.nodes, wishes.reason, rehearsal, as_json=wishes.as_json)


def drill_rollback(what: str, nodes: int, reason: str, *, as_json: bool) -> ExitCode:
    """Rehearse the emergency brake, record it, tell it.

    Raises:
        As `drill_issue`.
    """
    from runbook.cli.drill_brake import rehearse_brake  # noqa: PLC0415 - only this drill needs the brake

    def rehearsal(inner: Session, drill: Drill, fleet: EmbeddedFleet, ports: ChangePorts) -> Rehearsal:
        who = f"{inner.who}@{inner.where}"
        return rehearse_brake(what, fleet.target, ports, who, (drill.id, inner.new_run_id()))

    return _drill(BRAKE, what, nodes, reason, rehearsal, as_json=as_json)


def _drill(
    issue: str,
    fault: str,
    nodes: int,
    reason: str,
    rehearsal: Callable[[Session, Drill, EmbeddedFleet, ChangePorts], Rehearsal],
    *,
    as_json: bool,
) -> ExitCode:
    current = compose.session()
    deque(current.journal.entries(), maxlen=0)  # a drill that could not be recorded is not begun
    check_room(nodes)
    drill = Drill(current.new_run_id(), issue, fault, nodes, reason, versions())
    again = f"runbook drill {issue}"
    with ScreenTalk() as talk:

        def on_a_fleet() -> Rehearsal:
            with embedded_fleet(nodes, FEW_EPISODES if issue == BRAKE else EPISODES) as fleet:
                inner = Session(
                    fleet.state, current.who, current.where, current.clock, Telling(fleet.state, rehearsal=True)
                )
                ports = compose.change_ports(inner, fleet.target, compose.read_ports(inner, fleet.target, talk))
                return rehearsal(inner, drill, fleet, ports)

        try:
            with first_signal_only():
                result = recorded(current.journal, talk, drill, on_a_fleet)
        except (KeyboardInterrupt, InterruptedRunError) as error:
            raise _interrupted(error, again) from error
        except RunbookError as error:
            if error.run:  # of the fleet that is gone: there is nothing to resume
                error.run, error.hint = "", f"the drill's fleet is gone, and nothing else was touched; then: {again}"
            raise
    return _tell(current, drill, result, as_json=as_json)


def _interrupted(error: BaseException, again: str) -> InterruptedRunError:
    told = InterruptedRunError(
        "the drill was interrupted: its fleet is gone, and nothing else was touched", hint=f"to start it again: {again}"
    )
    code = signals.received() or getattr(error, "code", None)
    told.code = code if isinstance(code, ExitCode) else ExitCode.INTERRUPTED
    return told


def _tell(current: Session, drill: Drill, result: Rehearsal, *, as_json: bool) -> ExitCode:
    record = next(each for each in drills_of(current.journal.entries()) if each.drill.id == drill.id)
    if as_json:
        show_json(envelope("drill", f"runbook drill {drill.issue}", result.exit_code, drill_data(record)))
    else:
        show(drill_lines(record))
    return result.exit_code


def versions() -> dict[str, str]:
    """What takes part in a drill, by name."""
    found = {"python": platform.python_version()}
    for name in (TOOL, "ansible-core", "ansible-runner"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def rehearsable() -> tuple[str, ...]:
    """Everything that there is a drill for."""
    return (*(each.slug for each in known_issues()), BRAKE)


def report(since: timedelta | None, person: str | None, require: timedelta | None, *, as_json: bool) -> ExitCode:
    """Tell who rehearsed what, when, and what came of it; BAD_NEWS where a required drill is missing or too old."""
    current = compose.session()
    now = current.clock.now()
    records = chosen(drills_of(current.journal.entries()), None, person)
    shown = chosen(records, None if since is None else now - since, None)
    found = standings(records, rehearsable(), now)
    missing = () if require is None else overdue(found, require)
    code = ExitCode.BAD_NEWS if missing else ExitCode.DONE
    if as_json:
        data = training_data(shown, found, require, missing)
        show_json(envelope("drills", "runbook drill report", code, data))
    else:
        show(training_lines(shown, found, require, missing))
    return code
