"""Carry out `runbook rollback`. Nothing heavy is imported before the flags are on their way off."""

import os
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runbook.adapters.brake import HttpBrake
from runbook.adapters.clock import SystemClock
from runbook.adapters.inventory import read_inventory
from runbook.cli import signals
from runbook.cli.notify.starting import Telling
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.config import choose_target, load_config, state_folder
from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.rollback import rollback
from runbook.errors import ExitCode, RefusedError, RunbookError
from runbook.model.brake import FLAGS, Rollback
from runbook.model.target import Node, Target
from runbook.ports import BrakePorts
from runbook.report.lines import Line, Style, line
from runbook.report.rollback import curl_lines, rolled_data, rolled_lines
from runbook.wire.token import authorization, carries

if TYPE_CHECKING:
    from runbook.adapters.journal import FileJournal
    from runbook.ports import Journal, Plays

JOURNAL_PATIENCE_SECONDS = 1.0
"""How long a rollback waits for another process that is in the middle of an entry; usually one takes a millisecond."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    what: str
    yes: bool
    reason: str
    deadline: timedelta
    print_curl: bool
    target: str | None
    config: Path | None
    as_json: bool


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UsageError, DamagedError: who the nodes are cannot be found out.
        RefusedError: nobody can be asked, or the person said no.
    """
    what, state = Rollback(wishes.what), state_folder(os.environ)
    settings = choose_target(
        load_config(os.environ, wishes.config, quick=True), os.environ, state, wishes.target, quick=True
    )
    target = read_inventory(settings)
    if wishes.print_curl:
        return _print_curl(wishes, target, what)
    started = _process_start()
    if not wishes.yes:
        _confirm(target, what)
        started = time.monotonic()
    with ScreenTalk() as talk:
        wish = Wish(what, new_run(), wishes.reason, wishes.deadline.total_seconds())
        rolled = pull(target, wish, Telling(state, wishes.config), talk, started)
    return _tell(rolled, as_json=wishes.as_json)


def new_run() -> str:
    """An id for a run, as `Session.new_run_id` gives; a session is heavier."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def pull(target: Target, wish: Wish, telling: Telling, talk: ScreenTalk, started: float) -> Rolled:
    """Pull the brake; `started` is when the command was given, on the steady clock. People are told meanwhile."""
    with ExitStack() as held:
        journal = partial(_journal, telling, wish.run_id, held)
        ports = _ports(target, journal, talk, timedelta(seconds=wish.deadline_seconds), started)
        return rollback(ports, target, wish)


def _ports(
    target: Target, journal: "Callable[[], Journal]", talk: ScreenTalk, deadline: timedelta, started: float
) -> BrakePorts:
    def elapsed() -> float:
        return (time.monotonic() - started) * 1000

    def cancelled() -> ExitCode | None:
        late = elapsed() > deadline.total_seconds() * 1000
        return signals.received() or (ExitCode.PARTIAL if late else None)

    def plays() -> "Plays":
        return _plays(target, cancelled)

    brake = HttpBrake(_token_reader(target), elapsed)
    return BrakePorts(brake, journal, plays, SystemClock(), talk, elapsed)


def _token_reader(target: Target) -> Callable[[Node], str]:
    def token(node: Node) -> str:
        headers = authorization(node, allow_plain_http=target.allow_plain_http)
        return headers.get("Authorization", "").removeprefix("Bearer ")

    return token


def _journal(telling: Telling, run: str, held: ExitStack) -> "FileJournal":
    """The journal; and the lock by which others see that the run is at work, where the state folder can be written."""
    from runbook.adapters.journal import invoking_user, machine  # noqa: PLC0415 - the flags go off first
    from runbook.adapters.locks import FileLocks  # noqa: PLC0415 - same
    from runbook.cli.notify.journal import TellingJournal  # noqa: PLC0415 - same

    state, clock, by = telling.state, SystemClock(), (invoking_user(os.environ), machine())
    with suppress(RunbookError):
        held.enter_context(FileLocks(state / "locks", clock, *by).hold(f"run-{run}", run))
    return TellingJournal(state, clock, by, telling, brake=True, patience=JOURNAL_PATIENCE_SECONDS)


def _plays(target: Target, cancelled: Callable[[], ExitCode | None]) -> "Plays":
    from runbook.adapters.ansible import Access, AnsiblePlays  # noqa: PLC0415 - same

    files = {node.name: node.token_file for node in target.nodes if node.token_file is not None}
    return AnsiblePlays(target.inventory, Access(files, target.allow_plain_http), cancelled)


def _process_start() -> float:
    """When this process began, on the steady clock: what came before the first line of ours counts too."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - began
    except (OSError, ValueError, IndexError):
        age = time.process_time()
    return time.monotonic() - max(age, 0.0)


def _confirm(target: Target, what: Rollback) -> None:
    show(_question(target, what))
    if not sys.stdin.isatty():
        raise RefusedError("nobody can be asked without a terminal", hint="add --yes")
    if not click.confirm(f"Turn this off on all {len(target.nodes)} nodes of {target.name}?", default=False, err=True):
        raise RefusedError("not agreed to; nothing was changed")


def _question(target: Target, what: Rollback) -> list[Line]:
    names = ", ".join(node.name for node in target.nodes)
    title = line(f"Rollback {what.value} on {target.name} ({target.environment})", Style.STRONG)
    return [title, *(line(f"{key} -> false", indent=2) for key in FLAGS[what]), line(f"on {names}", indent=2, hang=3)]


def _print_curl(wishes: Wishes, target: Target, what: Rollback) -> ExitCode:
    open_ = [node for node in target.nodes if not carries(node, allow_plain_http=target.allow_plain_http)]
    lines = curl_lines(target, what, [node.name for node in open_ if node.token_file is not None])
    if wishes.as_json:
        _show_json(f"rollback {what.value}", ExitCode.DONE, {"curl": list(lines)})
    else:
        for text in lines:
            click.echo(text)
    return ExitCode.DONE


def _tell(rolled: Rolled, *, as_json: bool) -> ExitCode:
    code = rolled.exit_code
    if as_json:
        _show_json(rolled.plan.command, code, rolled_data(rolled))
    else:
        show(rolled_lines(rolled))
    return code


def _show_json(command: str, code: ExitCode, data: dict[str, Any]) -> None:
    from runbook.report.document import envelope  # noqa: PLC0415 - 20 ms that the flags need not wait for

    show_json(envelope("rollback", f"runbook {command}", code, data))
