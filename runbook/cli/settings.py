"""Carry out `runbook flags` and `runbook config`: what the nodes have, what was set, what has drifted."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.drift import compare
from runbook.engine.setting_history import changes_of, last_of
from runbook.errors import ExitCode, NotSupportedError, UnreachableError, UsageError
from runbook.model.journal import Entry
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.setting_names import COMMANDS, named, names_of
from runbook.model.settings import Kind
from runbook.model.target import Node, Target
from runbook.report.document import envelope
from runbook.report.lines import Style, line
from runbook.report.settings import (
    correction_lines,
    drift_data,
    drift_lines,
    history_data,
    history_lines,
    values_data,
    values_lines,
)


@dataclass(frozen=True, slots=True)
class Where:
    """Which settings of which nodes, as the command line said it."""

    kind: Kind
    target: str | None
    config: Path | None
    nodes: tuple[str, ...]
    as_json: bool

    @property
    def command(self) -> str:
        """The command that was typed: `flags` or `config`."""
        return COMMANDS[self.kind]


def get_settings(where: Where, words: Sequence[str]) -> ExitCode:
    """Print the values. PARTIAL where a node was silent, COULD_NOT_TELL where one does not tell what was asked for.

    Raises:
        UsageError: no such setting, or no such node.
        UnreachableError: no node answered.
    """
    keys = _keys(where.kind, words)
    target = compose.target_of(compose.session(), where.target, where.config)
    settings = read_settings(target, chosen(target, where.nodes))
    answering = [known for known in settings.values() if not isinstance(known, Silence)]
    code = ExitCode.PARTIAL if len(answering) < len(settings) else ExitCode.DONE
    if words and any(key not in known for key in keys for known in answering):
        code = ExitCode.COULD_NOT_TELL
    if where.as_json:
        show_json(envelope("settings", f"runbook {where.command} get", code, values_data(target.name, settings, keys)))
    else:
        show(values_lines(settings, keys))
    return code


def show_history(where: Where, words: Sequence[str], last: int | None) -> ExitCode:
    """Print every change that the journal knows; the nodes are not asked."""
    keys = _keys(where.kind, words)
    current = compose.session()
    target = compose.target_name(current, where.target, where.config)
    found = [
        change
        for change in changes_of(_entries(current), target)
        if change.key in keys and (not where.nodes or change.node in where.nodes)
    ]
    found = found if last is None else found[-last:]
    if where.as_json:
        data = {"target": target} | history_data(found)
        show_json(envelope("settings_history", f"runbook {where.command} history", ExitCode.DONE, data))
    else:
        show(history_lines(found) if found else [line(f"No change of it on {target} is journaled.", Style.FAINT)])
    return ExitCode.DONE


def show_drift(where: Where) -> ExitCode:
    """Compare the nodes with what was last set, with the baseline, and with each other.

    Raises:
        UnreachableError: no node answered.
    """
    keys = names_of(where.kind)
    current = compose.session()
    target = compose.target_of(current, where.target, where.config)
    intended = last_of(changes_of(_entries(current), target.name))
    baseline = current.store.load_baseline(target.name)
    report = compare(read_settings(target, chosen(target, where.nodes)), keys, intended, baseline)
    code = ExitCode.DONE
    if report.drifts:
        code = ExitCode.BAD_NEWS
    elif report.silent:
        code = ExitCode.COULD_NOT_TELL
    if where.as_json:
        data = drift_data(target.name, report)
        show_json(envelope("settings_drift", f"runbook {where.command} drift", code, data))
    else:
        show(drift_lines(report))
        show(correction_lines(where.command, target.name, report, reason=target.rails.require_reason))
    return code


def read_settings(target: Target, nodes: Sequence[Node]) -> NodeSettings:
    """What the nodes have.

    Raises:
        UnreachableError: none of them answered.
        NotSupportedError: those that did have no settings at run time.
    """
    with ScreenTalk() as talk:
        settings = compose.read_ports(compose.session(), target, talk).nodes.settings(nodes)
    silent = [known for known in settings.values() if isinstance(known, Silence)]
    if len(silent) == len(settings):
        reasons = "; ".join(f"{each.node}: {each.reason}" for each in silent)
        if all(each.answered for each in silent):
            raise NotSupportedError(f"no node of {target.name} tells its settings", hint=reasons)
        raise UnreachableError(f"no node of {target.name} answered", hint=reasons)
    return settings


def chosen(target: Target, names: Sequence[str]) -> tuple[Node, ...]:
    """The nodes of those names, or all where none was named.

    Raises:
        UsageError: the target has no such node.
    """
    known = [node.name for node in target.nodes]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"one of: {', '.join(known)}"
            raise UsageError(f"{target.name} has no node {name!r}", hint=hint)
    return tuple(node for node in target.nodes if not names or node.name in names)


def _entries(current: Session) -> Iterator[Entry]:
    """The journal, and what it refused while a rollback went on."""
    journal = current.journal
    yield from journal.entries()
    yield from journal.waiting()


def _keys(kind: Kind, words: Sequence[str]) -> tuple[str, ...]:
    """The whole names of those settings, or all of that kind."""
    return tuple(dict.fromkeys(named(word, kind).key for word in words)) or names_of(kind)
