"""Writes the generated pages of `docs/reference/` from the code; with `--check` it only says whether they are in step.

Every command, exit code, setting and incident has its page by existing.
"""

import difflib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

os.environ["COLUMNS"] = "100"  # the same fold on every machine

import runbook.issues
from runbook.cli.issue import issue_of
from runbook.cli.root import cli
from runbook.errors import MEANINGS
from runbook.model.runbook import Runbook
from runbook.model.settings import CATALOGUE
from runbook.report.condition import condition_text
from runbook.report.lines import shown

DOCS = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by tools/write_reference.py from the code; do not edit. -->"


def commands() -> Iterator[str]:
    """Every command's help, as it prints it."""
    yield "# Commands"
    yield "Each command as `--help` prints it. Answers and conditions of all: [exit codes](exit-codes.md)."
    yield from _help(cli, "runbook", None)


def _help(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        max_content_width=100,
        terminal_width=100,
        help_option_names=["-h", "--help"],
    )
    yield f"## `{context.command_path}`"
    yield f"```text\n{command.get_help(context).rstrip()}\n```"
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            if found is not None:
                yield from _help(found, each, context)


def exit_codes() -> Iterator[str]:
    """The table of exit codes."""
    yield "# Exit codes"
    yield (
        "0-9 are answers, 10 and up are conditions. Codes are append-only. Several answers combine: any YES is 3, "
        "else any UNKNOWN is 4, else 0."
    )
    rows = [f"| {int(code)} | `{code.name}` | {meaning} |" for code, meaning in MEANINGS.items()]
    yield "\n".join(["| code | name | meaning |", "|---|---|---|", *rows])


def settings() -> Iterator[str]:
    """The table of flags and tunables."""
    yield "# Settings of a node"
    yield "Flags are switched atomically with their peers; tunables are set one by one. Out of range is refused."
    rows = []
    for setting in CATALOGUE.values():
        span = "" if setting.minimum is None else f"{setting.minimum:g} to {setting.maximum:g}"
        span = span if setting.longest is None else f"up to {setting.longest} characters"
        cells = (f"`{setting.key}`", setting.kind.value, setting.type.value, span, f"`{shown(setting.default)}`")
        rows.append(f"| {' | '.join(cells)} | {setting.summary} |")
    yield "\n".join(["| key | kind | type | range | default | meaning |", "|---|---|---|---|---|---|", *rows])


def incidents() -> Iterator[str]:
    """Every known issue."""
    yield "# Incidents"
    yield (
        "What each incident command asks, does and expects. It is *present* on a node when the leading symptom is YES "
        "and one supporting symptom is YES, or one that stands alone is YES."
    )
    for module in pkgutil.iter_modules(runbook.issues.__path__):
        yield from _incident(issue_of(module.name))


def _incident(issue: Runbook) -> Iterator[str]:
    yield f"## {issue.title}"
    yield f"`runbook {issue.slug}` - {issue.why}"
    rows = [
        f"| {each.title}{' (stands alone)' if each.alone else ''} | {condition_text(each.condition)} | {each.why} |"
        for each in issue.symptoms
    ]
    yield "\n".join(["| symptom (the leading one first) | YES when | why |", "|---|---|---|", *rows])
    checks = [f"| {each.title} | `{each.key}` | {shown(each.good)} | {each.hint} |" for each in issue.checks]
    yield "\n".join(["| check | setting | good without a baseline | hint |", "|---|---|---|---|", *checks])
    steps = [
        f"| {index} | {each.title}{' (emergency)' if each.emergency else ''} | `{each.do.key}` -> "
        f"{'the baseline, else ' if each.to_baseline else ''}`{shown(each.value)}` | {each.risk.name.lower()} "
        f"| `{each.do.playbook}` / `{each.undo.playbook}` |"
        for index, each in enumerate(issue.steps, start=1)
    ]
    yield "\n".join(["| step | | change | risk | playbook / undo |", "|---|---|---|---|---|", *steps])
    expected = "; ".join(condition_text(each) for each in issue.verify.expect)
    minutes = issue.verify.watch.total_seconds() / 60
    yield f"Recovered when, over a third of the watch ({minutes:g} minutes by default): {expected}."
    yield f"Escalation: {issue.escalate}"


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "commands.md": commands,
    "exit-codes.md": exit_codes,
    "settings.md": settings,
    "incidents.md": incidents,
}


def main() -> int:
    """Write the pages, or compare them; 1 where one is out of step."""
    stale = 0
    for name, write in PAGES.items():
        heading, *rest = write()
        text = "\n\n".join([heading, NOTE, *rest]) + "\n"
        path = DOCS / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old == text:
            continue
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.name}")
            continue
        stale = 1
        print(f"{path.name} is out of step; run: python tools/write_reference.py")
        print("\n".join(list(difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm=""))[:20]))
    return stale


sys.exit(main())
