"""Carry out `runbook validate`: look, judge, journal, tell; and write the page for people."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from runbook.adapters.files import write_atomic
from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.cli.settings import chosen as named_nodes
from runbook.engine.validate.last import details_of
from runbook.engine.validate.run import Scope, Seen, all_silent, validate, watch
from runbook.errors import DamagedError, ExitCode, RunbookError, StorageError, UnreachableError
from runbook.model.journal import Event
from runbook.model.target import Target
from runbook.model.validation import Outcome, Validation
from runbook.model.validation_golden import Answered
from runbook.report.document import envelope
from runbook.report.lines import Style, line
from runbook.report.validation import validation_data, validation_lines
from runbook.report.validation_page import validation_page

WINDOW = timedelta(seconds=60)
_READABLE = 0o644  # a page is to be handed on


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    window: timedelta | None
    watch: timedelta | None
    html: Path | None
    nodes: tuple[str, ...]
    target: str | None
    config: Path | None
    as_json: bool


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UnreachableError: the source of the metrics, or every node, is silent.
        DamagedError: the journal or the baseline is damaged.
        StorageError: the journal or the page cannot be written.
    """
    current = compose.session()
    deque(current.journal.entries(), maxlen=0)  # a validation that cannot be recorded is not begun
    target = compose.target_of(current, wishes.target, wishes.config)
    baseline = current.store.load_baseline(target.name)
    with ScreenTalk() as talk:
        ports = compose.read_ports(current, target, talk)
        window = wishes.window or max(WINDOW, ports.probes.usual_window)
        scope = Scope(target, named_nodes(target, wishes.nodes), baseline, window, wishes.watch)
        seen = watch(ports, scope)
        _refuse_silence(target, seen)
        golds = compose.golden_queries(target, ports, talk)

        def ask() -> Answered | str:
            golden = None if baseline is None else baseline.golden
            return golds.ask(golden, scope.nodes, compose.golden_settings(target, scope.nodes, ports))

        validation = validate(ports, scope, seen, ask)
    return _tell(current, validation, scope, wishes)


def _refuse_silence(target: Target, seen: Seen) -> None:
    silent = all_silent(seen)
    if silent and not all(each.answered for each in silent):
        reasons = "; ".join(f"{each.node}: {each.reason}" for each in silent)
        raise UnreachableError(f"no node of {target.name} answered", hint=reasons)


def _tell(current: Session, validation: Validation, scope: Scope, wishes: Wishes) -> ExitCode:
    """Journal it, write the page, print it; what is refused on the way takes the report away from nobody."""
    stopped = validation.interrupted
    details = details_of(validation, whole=scope.whole and stopped is None)
    refused = [_kept(lambda: current.journal.append(Event.VALIDATED, "", details))]
    written = ""
    if wishes.html is not None:
        refused += [_page(validation, wishes.html)]
        written = "" if refused[-1] else str(wishes.html)
    code = exit_code(validation) if stopped is None else getattr(stopped, "code", ExitCode.INTERRUPTED)
    if wishes.as_json:
        show_json(envelope("validation", "runbook validate", code, validation_data(validation, written)))
    else:
        show(validation_lines(validation))
        show([line(f"page: {written}", Style.FAINT)] if written else [])
        show([line("again: runbook validate", Style.FAINT)] if stopped is not None else [])
    for error in refused:
        if error is not None:
            raise error
    return code


def _kept(write: Callable[[], object]) -> RunbookError | None:
    try:
        write()
    except (StorageError, DamagedError) as error:
        return error
    return None


def _page(validation: Validation, path: Path) -> RunbookError | None:
    """Write it, whole or not at all."""
    page = validation_page(validation).encode(errors="replace")
    return _kept(lambda: write_atomic(path, page, _READABLE))


def exit_code(validation: Validation) -> ExitCode:
    """BAD_NEWS where a check fails, else COULD_NOT_TELL where one is unknown."""
    outcomes = {each.outcome for each in validation.checks}
    if Outcome.FAIL in outcomes:
        return ExitCode.BAD_NEWS
    return ExitCode.DONE if outcomes == {Outcome.PASS} else ExitCode.COULD_NOT_TELL
