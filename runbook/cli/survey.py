"""Carry out `runbook diagnose`: every known issue on one reading of the fleet, ranked; once or again and again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from runbook.adapters.alerts import Payload, read_payload
from runbook.cli import compose
from runbook.cli.compose import Session, command_for
from runbook.cli.incident import EXIT_OF, span_of
from runbook.cli.issue import known_issues
from runbook.cli.open_runs import open_runs
from runbook.cli.screen import ScreenTalk, show, show_json, show_json_line
from runbook.cli.streams import reader_left
from runbook.engine.alerts import understood
from runbook.engine.alerts.keeping import TARGET_LABELS
from runbook.engine.diagnose import silent_nodes, survey
from runbook.engine.rank import ranked
from runbook.errors import ExitCode, UnreachableError
from runbook.model.alert import Alert
from runbook.model.answer import Answer, any_of
from runbook.model.finding import Diagnosis
from runbook.model.target import Target
from runbook.ports import ReadPorts
from runbook.report.document import envelope
from runbook.report.lines import EMPTY, Style, line
from runbook.report.survey import alert_lines, survey_data, survey_lines

_LABEL = TARGET_LABELS[0]  # no other: whoever asks a file here would not know which fleet was asked


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    alerts: Path | None
    watch: bool
    every: timedelta
    window: timedelta | None
    target: str | None
    config: Path | None
    as_json: bool
    said: Mapping[str, int]


def look(wishes: Wishes) -> ExitCode:
    """Once, or until Ctrl-C, or until nobody reads stdout any more.

    Raises:
        UnreachableError: no node of the target answered; while watching that is only told.
        RunbookError: as the ports raise.
    """
    payload = Payload((), 0) if wishes.alerts is None else read_payload(wishes.alerts)
    given = payload.alerts
    current = compose.session()
    target = compose.target_of(current, wishes.target or _target_of(given), wishes.config)
    alerts = understood(given, known_issues(), target.nodes)
    if alerts and not wishes.as_json:
        show(alert_lines(alerts))
    with ScreenTalk() as talk:
        if payload.left_out:
            talk.say(f"{payload.left_out} alerts were left out by Alertmanager (max_alerts of its receiver)")
        ports = compose.read_ports(current, target, talk)
        if not wishes.watch:
            return _once(current, target, ports, wishes, alerts)
        while True:
            begin, code = current.clock.monotonic(), ExitCode.UNREACHABLE
            try:
                code = _once(current, target, ports, wishes, alerts)
            except UnreachableError as error:
                talk.say(f"{error.message}: {error.hint}")
            if reader_left():
                return code
            current.clock.sleep(max(wishes.every.total_seconds() - (current.clock.monotonic() - begin), 0.0))


def _target_of(alerts: tuple[Alert, ...]) -> str | None:
    """The target that the alerts themselves name, where they name one and the same."""
    named = {alert.labels[_LABEL] for alert in alerts if _LABEL in alert.labels}
    return named.pop() if len(named) == 1 else None


def _once(current: Session, target: Target, ports: ReadPorts, wishes: Wishes, alerts: tuple[Alert, ...]) -> ExitCode:
    baseline = current.store.load_baseline(target.name)
    found, _ = survey(known_issues(), target, ports, baseline, span_of(ports, wishes.window), wishes.said)
    if all(diagnosis.all_silent for diagnosis in found):
        reasons = "; ".join(f"{each.node}: {each.reason}" for each in silent_nodes(found[0]))
        raise UnreachableError(f"no node of {target.name} answered", hint=reasons)
    code = EXIT_OF[any_of(each.present for each in found)]
    explains = {each.slug: each.explains for each in known_issues()}
    _tell(current, ranked(found, explains), wishes, alerts, code)
    return code


def _tell(
    current: Session, found: tuple[Diagnosis, ...], wishes: Wishes, alerts: tuple[Alert, ...], code: ExitCode
) -> None:
    runbooks = {each.slug: each for each in known_issues()}
    command = command_for(found[0].issue, found[0].target)
    if wishes.as_json:
        document = envelope("survey", "runbook diagnose", code, survey_data(runbooks, found, alerts, command))
        (show_json_line if wishes.watch else show_json)(document)
        return
    if wishes.watch:
        show([line(f"{current.clock.now():%Y-%m-%d %H:%M:%S} UTC", Style.FAINT)])
    show(survey_lines(runbooks, found, command))
    if any(alert.firing for alert in alerts) and found[0].present is not Answer.YES:
        show([line("An alert fires, and the nodes show no known issue: look at the alert itself.", Style.UNSURE)])
    show(line(text, Style.UNSURE) for text in open_runs(found[0].target).values())
    if wishes.watch:
        show([EMPTY])
