"""Carry out `runbook rollout status`: where it is, for how long, what is left, each gate, the next command."""

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.rollout.asking import gates_by_journal
from runbook.cli.rollout.watched import watched
from runbook.cli.rollout.where import Where
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.rollout.state import current_of, newest_of
from runbook.errors import ExitCode, RunbookError
from runbook.model.rollout import Rollout, Standing
from runbook.report.document import envelope
from runbook.report.lines import Style, line
from runbook.report.rollout_status import Watch, status_data, status_lines


def tell_status(where: Where) -> ExitCode:
    """Print it. BAD_NEWS where it was rolled back, COULD_NOT_TELL where there never was one."""
    current = compose.session()
    target = compose.target_of(current, where.target, where.config)
    entries = [*current.journal.entries(), *current.journal.waiting()]
    rollout = current_of(entries, target.name) or newest_of(entries, target.name)
    code = _code(rollout)
    if rollout is None:
        if where.as_json:
            show_json(envelope("rollout_status", "runbook rollout status", code, {"rollout": None}))
        else:
            show(
                [
                    line(f"No rollout of {target.name} was ever started.", Style.UNSURE),
                    line("runbook rollout start", indent=2),
                ]
            )
        return code
    with ScreenTalk() as talk:
        facts, gates = gates_by_journal(current, target, talk, rollout)
    # Between two stages nothing else binds, and time and settings of the one before would be told of the one to come.
    shown = () if rollout.standing.is_over else tuple(gates[:1] if rollout.standing.is_between else gates)
    watch = _watch(current, rollout)
    if where.as_json:
        show_json(envelope("rollout_status", "runbook rollout status", code, status_data(facts, shown, watch)))
    else:
        show(status_lines(facts, shown, watch))
    return code


def _watch(current: Session, rollout: Rollout) -> Watch | None:
    """Whether anybody watches it; nobody needs to once it is over."""
    if rollout.standing.is_over:
        return None
    try:
        return Watch(watched(current, rollout.target, rollout.id), heard_of=True)
    except RunbookError as error:
        return Watch(f"{error.message}: {error.hint}", heard_of=False)


def _code(rollout: Rollout | None) -> ExitCode:
    if rollout is None:
        return ExitCode.COULD_NOT_TELL
    back = {Standing.ROLLED_BACK, Standing.REVERTING}
    return ExitCode.BAD_NEWS if rollout.standing in back else ExitCode.DONE
