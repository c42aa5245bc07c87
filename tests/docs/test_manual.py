"""The manual page: every command with its options and exit codes, in step with the code, and fit for the formatter."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from runbook.cli.root import cli
from runbook.errors import MEANINGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "man" / "runbook.1"


def every_command(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Each with what is typed for it."""
    yield context.command_path, command
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        found = command.get_command(context, name)
        assert found is not None
        yield from every_command(found, click.Context(found, info_name=name, parent=context))


@pytest.fixture(scope="module")
def page() -> str:
    """Its text, with the dashes that a reader sees."""
    return PAGE.read_text(encoding="utf-8").replace("\\-", "-")


def test_every_command_and_option_is_in_it(page: str) -> None:
    """By name."""
    for path, command in list(every_command(cli, click.Context(cli, info_name="runbook")))[1:]:
        assert f'.SS "{path} ' in page
        section = page.partition(f'.SS "{path} ')[2].partition("\n.S")[0]
        options = [each for each in command.params if isinstance(each, click.Option)]
        assert [each.opts for each in options if each.opts[-1] not in section] == []


def test_every_exit_code_is_in_it(page: str) -> None:
    """With its number."""
    listed = re.findall(r"^\.B (\d+)$", page.partition(".SH EXIT STATUS")[2], re.MULTILINE)
    assert listed == [str(int(code)) for code in MEANINGS]


def test_no_text_is_taken_for_a_command_of_the_formatter(page: str) -> None:
    """Every line that begins with a dot is one of the macros that are meant, and man itself has nothing to say."""
    macros = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert macros <= {'.\\"', ".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".I", ".RI"}
    if shutil.which("man"):
        done = subprocess.run(
            ["man", "--warnings", "-l", PAGE], capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_the_generated_documents_are_in_step() -> None:
    """As the checks before a commit ask as well."""
    command = [sys.executable, ROOT / "tools" / "write_reference.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd="/")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_wheel_brings_it() -> None:
    """Where `man` looks."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    shared = build["targets"]["wheel"]["shared-data"]
    assert shared == {str(PAGE.relative_to(ROOT)): "share/man/man1/runbook.1"}
