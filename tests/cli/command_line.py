"""The command line as tests type it: in this process, as a process, and on a terminal."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from forked import can_fork, run_forked
from jsonschema import Draft202012Validator

from runbook.cli.root import cli, run
from runbook.material import schema

WORDS = (sys.executable, "-m", "runbook")
Output = pytest.CaptureFixture[str]


def every_command(command: click.Command = cli, parent: click.Context | None = None) -> Iterator[click.Context]:
    """A context for each command of the tree, groups and the root too."""
    context = click.Context(command, info_name="runbook" if parent is None else command.name, parent=parent)
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from every_command(found, context)


def words_of(context: click.Context) -> list[str]:
    """What is typed after `runbook` to get there."""
    return context.command_path.split()[1:]


def document(capsys: Output, *words: str, expect: int = 0) -> dict[str, Any]:
    """What the command prints with `--json`, which fits the schema of reports; nothing else is on stdout."""
    code = run([*words, "--json"])
    told = capsys.readouterr()
    assert code == expect, told.err
    found: dict[str, Any] = json.loads(told.out)
    Draft202012Validator(schema("report.v1")).validate(found)
    assert found["exit_code"] == expect
    return found


def complaint(capsys: Output, *words: str, expect: int) -> dict[str, Any]:
    """The error that the command tells with `--json`: one object on stderr, nothing on stdout."""
    code = run([*words, "--json"])
    told = capsys.readouterr()
    assert (code, told.out) == (expect, ""), told.err
    (text,) = [line for line in told.err.splitlines() if line.startswith("{")]
    found: dict[str, Any] = json.loads(text)["error"]
    assert found["code"] == expect
    assert {"code", "name", "message", "hint"} <= set(found)
    return found


def as_process(
    *words: str, environment: Mapping[str, str], prefix: Sequence[str] = (), **options: Any
) -> subprocess.CompletedProcess[str]:
    """The real command, in exactly that environment, with something in front of it; without anything it is forked."""
    if not prefix and options.keys() <= {"cwd"} and can_fork(environment):
        return run_forked(words, environment, Path(options.get("cwd", ".")).absolute(), 60)
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
    command = [*prefix, *WORDS, *words]
    return subprocess.run(command, env=dict(environment), text=True, timeout=60, check=False, **options)


def plain_environment(state: Path) -> dict[str, str]:
    """This process's, less what would name another target or change what is printed."""
    dropped = ("RUNBOOK_", "LC_", "LANG", "NO_COLOR", "COLUMNS", "PYTHONUTF8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"RUNBOOK_STATE": str(state)}
