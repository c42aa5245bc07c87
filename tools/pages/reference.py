"""The pages of `docs/reference/`: commands, exit codes, settings, metrics, endpoints."""

from collections.abc import Iterator

import click

from pages.markdown import page, table
from runbook.cli.root import cli
from runbook.errors import MEANINGS
from runbook.model.contract import ENDPOINTS, METRICS, Endpoint
from runbook.model.settings import CATALOGUE
from runbook.report.lines import shown


def every_command() -> Iterator[click.Context]:
    """A context for each command of the tree, in the order of their names."""
    yield from _below(cli, "runbook", None)


def _below(command: click.Command, name: str, parent: click.Context | None) -> Iterator[click.Context]:
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        max_content_width=100,
        terminal_width=100,
        help_option_names=["-h", "--help"],
    )
    yield context
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            if found is not None:
                yield from _below(found, each, context)


def commands() -> str:
    """Every command's help, as it prints it."""
    parts = ["Each command as `--help` prints it. Answers and conditions of all: [exit codes](exit-codes.md)."]
    for context in every_command():
        parts += [f"## `{context.command_path}`", f"```text\n{context.get_help().rstrip()}\n```"]
    return page("# Commands", parts)


def exit_codes() -> str:
    """The table of exit codes."""
    said = (
        "0-9 are answers, 10 and up are conditions. Codes are append-only. Several answers combine: any YES is 3, "
        "else any UNKNOWN is 4, else 0."
    )
    rows = [(str(int(code)), f"`{code.name}`", meaning) for code, meaning in MEANINGS.items()]
    return page("# Exit codes", [said, table(("code", "name", "meaning"), rows)])


def settings() -> str:
    """The table of flags and tunables."""
    said = "Flags are switched atomically with their peers; tunables are set one by one. Out of range is refused."
    rows = []
    for each in CATALOGUE.values():
        span = "" if each.minimum is None else f"{each.minimum:g} to {each.maximum:g}"
        rows.append((f"`{each.key}`", each.kind.value, each.type.value, span, f"`{shown(each.default)}`", each.summary))
    return page("# Settings of a node", [said, table(("key", "kind", "type", "range", "default", "meaning"), rows)])


def metrics() -> str:
    """What a node exports."""
    said = (
        "What a node exports at `GET /metrics/prometheus`, and what it is used for. Counters only rise within a "
        "process; a restart is seen by `process_start_time_seconds`. A histogram has the series `NAME_bucket`, "
        "`NAME_sum` and `NAME_count`. `group` is `control` or `treatment`. `runbook check --target NAME` asks a fleet "
        "whether it exports them all."
    )
    rows = [
        (f"`{each.name}`", each.kind.value, ", ".join(f"`{label}`" for label in each.labels), each.tells, each.used_by)
        for each in METRICS.values()
    ]
    return page("# Metrics", [said, table(("name", "type", "labels", "tells", "used by"), rows)])


def endpoints() -> str:
    """What a node answers."""
    said = (
        "What a node answers. Paths under `/api/v1/admin` need `Authorization: Bearer TOKEN`. A space is named by the "
        'header `X-Memory-Space`; an unknown one is 404. Errors are `{"error": {"code", "message", "hint"}}`. OPTIONS '
        "tells the methods of a path; `runbook check --target NAME` asks it of a whole fleet."
    )
    today = [each for each in ENDPOINTS if not each.planned]
    later = ", ".join(sorted({each.path.split("/")[4] for each in ENDPOINTS if each.planned}))
    planned = (
        f"Planned for later releases, and on no node yet: {later}. A document that names one of them fails the "
        "check until it is there."
    )
    parts = [said, table(("methods", "path", "purpose"), map(_endpoint, today))]
    return page("# Endpoints of a node", [*parts, planned] if later else parts)


def _endpoint(each: Endpoint) -> tuple[str, str, str]:
    return ", ".join(each.methods), f"`{each.path}`", each.purpose
