"""Carry out `runbook validate`: look, judge, journal, tell; and write the page for people."""

from collections import deque
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
from runbook.errors import ExitCode, StorageError, UnreachableError
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
            return golds.ask(golden, scope.nodes, ports.nodes.settings(scope.nodes))

        validation = validate(ports, scope, seen, ask)
    return _tell(current, validation, scope, seen, wishes)


def _refuse_silence(target: Target, seen: Seen) -> None:
    silent = all_silent(seen)
    if silent and not all(each.answered for each in silent):
        reasons = "; ".join(f"{each.node}: {each.reason}" for each in silent)
        raise UnreachableError(f"no node of {target.name} answered", hint=reasons)


def _tell(current: Session, validation: Validation, scope: Scope, seen: Seen, wishes: Wishes) -> ExitCode:
    whole = scope.whole and seen.interrupted is None
    current.journal.append(Event.VALIDATED, "", details_of(validation, whole=whole))
    code = exit_code(validation)
    if seen.interrupted is not None:
        code = getattr(seen.interrupted, "code", ExitCode.INTERRUPTED)
    refused = None if wishes.html is None else _page(validation, wishes.html)
    if wishes.as_json:
        written = "" if wishes.html is None or refused else str(wishes.html)
        show_json(envelope("validation", "runbook validate", code, validation_data(validation, written)))
    else:
        show(validation_lines(validation))
        if wishes.html is not None and refused is None:
            show([line(f"page: {wishes.html}", Style.FAINT)])
        if seen.interrupted is not None:
            show([line("again: runbook validate", Style.FAINT)])
    if refused is not None:
        raise refused
    return code


def _page(validation: Validation, path: Path) -> StorageError | None:
    """Write it, whole or not at all; a disk that refuses does not take the report away, too."""
    try:
        write_atomic(path, validation_page(validation).encode(errors="replace"), _READABLE)
    except StorageError as error:
        return error
    return None


def exit_code(validation: Validation) -> ExitCode:
    """BAD_NEWS where a check fails, else COULD_NOT_TELL where one is unknown."""
    outcomes = {each.outcome for each in validation.checks}
    if Outcome.FAIL in outcomes:
        return ExitCode.BAD_NEWS
    return ExitCode.DONE if outcomes == {Outcome.PASS} else ExitCode.COULD_NOT_TELL
