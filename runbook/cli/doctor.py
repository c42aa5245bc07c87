"""Carry out `runbook doctor`: one check after the other, none hides the next."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.open_runs import open_runs
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.config.document import found_receivers, load_config
from runbook.errors import ExitCode, RunbookError
from runbook.material import folder
from runbook.model.answer import Answer
from runbook.model.capabilities import Capabilities, Metrics
from runbook.model.measurement import Silence
from runbook.model.settings import Settings
from runbook.model.target import Node, Target
from runbook.report.document import envelope
from runbook.report.lines import Line, Style
from runbook.report.nodes import READ_ONLY, can_text, cannot_text, metrics_text, split_text
from runbook.report.notified import told_how
from runbook.report.rails import rails_text
from runbook.serve.webhook.credential import Credential

_UNWRITABLE = "is it yours, or its disk read-only? RUNBOOK_STATE names another one, whose journal knows of nothing yet"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    good: bool
    found: str
    hint: str = ""


def examine(target: str | None, config: Path | None, *, as_json: bool) -> ExitCode:
    """Look at everything; BAD_NEWS where anything is not as it must be."""
    current = compose.session()
    checks = list(_checks(current, target, config))
    code = ExitCode.DONE if all(check.good for check in checks) else ExitCode.BAD_NEWS
    if as_json:
        rows = [{"name": check.name, "good": check.good, "found": check.found, "hint": check.hint} for check in checks]
        show_json(envelope("doctor", "runbook doctor", code, {"checks": rows}))
    else:
        show(_lines(checks))
    return code


def _checks(current: Session, name: str | None, config: Path | None) -> Iterator[Check]:
    yield Check("version", good=True, found=f"runbook {version('engram-runbook')}, Python {sys.version.split()[0]}")
    yield _state(current.state)
    yield _try("journal", lambda: _journal(current))
    yield from _waiting(current)
    yield from _webhook(config)
    yield from _told(current, config)
    yield _try("playbooks", lambda: str(folder("playbooks")))
    yield _ansible()
    try:
        target = compose.target_of(current, name, config)
    except RunbookError as error:
        yield Check("target", good=False, found=error.message, hint=error.hint)
        return
    split = f", {_number(len(target.splitters), 'splitter')}" if target.splitters else ""
    found = f"{target.name}: {_number(len(target.nodes), 'node')}{split}, inventory {target.inventory}"
    yield Check("target", good=True, found=found)
    yield Check("rails", good=True, found=rails_text(target.rails))
    yield from _production(current, target, config)
    yield from (Check("open run", good=False, found=to_do) for to_do in open_runs(target.name).values())
    try:
        yield from _nodes(current, target)
    except RunbookError as error:
        yield Check("nodes", good=False, found=error.message, hint=error.hint)


def _try(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, good=True, found=look())
    except RunbookError as error:
        return Check(name, good=False, found=error.message, hint=error.hint)


def _production(current: Session, target: Target, config: Path | None) -> Iterator[Check]:
    from runbook.cli.doctor_production import questions  # noqa: PLC0415 - urllib3 comes with it

    try:
        yield from (_try(each.name, each.ask) for each in questions(current, target, config))
    except RunbookError:
        return  # said of the journal or of the configuration


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _state(path: Path) -> Check:
    place = next((parent for parent in (path, *path.parents) if os.path.exists(parent)), Path())  # noqa: PTH110  # never raises
    if os.access(place, os.W_OK):
        if full := _full(place):
            return Check(
                "state folder", good=False, found=f"{path}: {full}", hint="free some space: no run is recorded"
            )
        return Check("state folder", good=True, found=str(path) + ("" if path.exists() else " (made at first use)"))
    return Check("state folder", good=False, found=f"{place} cannot be written", hint=_UNWRITABLE)


def _full(place: Path) -> str:
    """What keeps its disk from taking anything more, in words; nothing where it takes it or does not tell."""
    try:
        disk = os.statvfs(place)
    except OSError:
        return ""
    free = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    if disk.f_blocks and not free:
        return "no space is left on the disk"
    return "no file can be made on the disk any more (no inodes)" if disk.f_files and not disk.f_favail else ""


def _journal(current: Session) -> str:
    state = current.journal.verify()
    if state.sound:
        return f"{state.entries} entries, sound"
    raise RunbookError(f"damaged: {state.damage[0].what}", hint="runbook audit verify")


def _waiting(current: Session) -> Iterator[Check]:
    """Told only where something waits."""
    count = len(list(current.journal.waiting()))
    if count:
        found = f"{count} entries of a rollback that the journal refused wait in its second place"
        yield Check("second place", good=False, found=found, hint="mend the journal; the next change adopts them")


def _told(current: Session, config: Path | None) -> Iterator[Check]:
    """Who is told of what; where it goes is a secret, and not shown."""
    from runbook.cli.notify.status import standings  # noqa: PLC0415 - urllib3 comes with it

    try:
        receivers = found_receivers(os.environ, config)
    except RunbookError:
        return  # said of the target
    for each in standings(current, receivers.good.values()):
        waiting = None if each.cursor is None else each.cursor.waiting
        problem = each.problem or ("" if waiting is None else f"the last message waits: {waiting.why}")
        found = told_how(each.settings) + (f"; {problem}" if problem else "")
        yield Check(f"notify {each.settings.name}", good=each.good, found=found, hint=_NOTIFY if problem else "")
    for name, why in receivers.broken.items():
        yield Check(f"notify {name}", good=False, found=why, hint="docs/how-to/get-notified.md")


def _webhook(config: Path | None) -> Iterator[Check]:
    """Can `runbook serve` take alerts, and what may they do? Told only where it is meant to."""
    try:
        found = load_config(os.environ, config)
    except RunbookError:
        return  # said of the target
    file = found.serve.webhook_token_file
    acts = {name: ", ".join(each.automatic.issues) for name, each in found.targets.items() if each.automatic.issues}
    told = "; ".join(f"an alert may do this on {name}: {issues}" for name, issues in acts.items())
    told = told or "an alert changes nothing"
    if file is not None:
        yield _try("webhook", lambda: _admitting(file, told))
    elif acts:
        hint = "[serve] webhook_token_file: docs/how-to/answer-alerts.md"
        yield Check("webhook", good=False, found=f"{told}; no alert is taken without a token", hint=hint)


def _admitting(file: Path, told: str) -> str:
    Credential(file).refresh()
    return f"takes alerts with the token in {file}; {told}"


_NOTIFY = "see: runbook notify status; then: runbook notify test"


def _ansible() -> Check:
    from runbook.adapters.ansible.environment import find_ansible  # noqa: PLC0415 - ansible_runner comes with it

    try:
        found = f"ansible-core {version('ansible-core')}, ansible-runner {version('ansible-runner')}"
    except PackageNotFoundError as error:
        return Check("ansible", good=False, found=f"{error.name} is not installed", hint="install the package again")
    return _try("ansible", lambda: f"{found}, {find_ansible()}")


def _nodes(current: Session, target: Target) -> Iterator[Check]:
    with ScreenTalk() as talk:
        settings = compose.read_ports(current, target, talk).nodes.settings(target.hosts)
    known = compose.surveyor(target).look(target.nodes)
    for node in target.nodes:
        yield _node(node, settings[node.name], known[node.name])
    for splitter in target.splitters:
        yield _splitter(splitter, settings[splitter.name])


def _splitter(splitter: Node, settings: Settings | Silence) -> Check:
    good = not isinstance(settings, Silence)
    hint = "" if good else "does nginx run there? the play split_traffic installs it: docs/how-to/split-traffic.md"
    return Check(splitter.name, good=good, found=f"{splitter.url}: {split_text(settings)}", hint=hint)


def _node(node: Node, settings: Settings | Silence, known: Capabilities | Silence) -> Check:
    if isinstance(known, Silence):
        hint = "is it running?" if not known.answered else "is its token file the right one?"
        return Check(node.name, good=False, found=f"{node.url}: {known.reason}", hint=hint)
    read = settings.reason if isinstance(settings, Silence) else f"{len(settings)} settings read"
    cannot = f"; cannot: {cannot_text(known)}" if cannot_text(known) else ""
    found = f"{node.url}: {read}; can: {can_text(known)}{cannot}; metrics: {metrics_text(known)}"
    able = not isinstance(settings, Silence) and known.metrics is Metrics.CONTRACT
    hint = READ_ONLY if known.changeable is Answer.NO else "is its token file the right one? see: runbook nodes"
    return Check(node.name, good=able, found=found, hint="" if able else hint)


def _lines(checks: list[Check]) -> Iterator[Line]:
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark = ("good  ", Style.GOOD) if check.good else ("BAD   ", Style.BAD)
        yield Line((mark, (f"{check.name:<{width}}  {check.found}", Style.PLAIN)), hang=width + 8)
        if check.hint:
            yield Line(((f"hint: {check.hint}", Style.FAINT),), indent=width + 8)
