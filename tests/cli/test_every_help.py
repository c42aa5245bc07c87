"""The help of every command, found by walking."""

import os
import re
import subprocess
from pathlib import Path

import click
import pytest
from command_line import WORDS, Output, as_process, every_command, words_of

from runbook.cli.root import run, summary_of
from runbook.errors import MEANINGS, ExitCode

EVERY = list(every_command())
NAMES = [context.command_path for context in EVERY]


@pytest.mark.parametrize("context", EVERY, ids=NAMES)
def test_help_says_what_it_is_for_and_ends_with_its_exit_codes(context: click.Context, capsys: Output) -> None:
    """Every command's own codes with their meanings; a group says where they stand."""
    assert run([*words_of(context), "--help"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    usage, summary, *_ = told.out.split("\n\n")
    assert usage.startswith(f"Usage: {context.command_path}")
    assert len(summary.split()) > 2
    codes = told.out.rpartition("Exit codes:")[2]
    if isinstance(context.command, click.Group):
        assert "--help" in codes
        return
    listed = {int(code): meaning for code, meaning in re.findall(r"^ +(\d+) +(\S.*)$", codes, re.MULTILINE)}
    assert {0, 1, 2} <= set(listed)
    for code, meaning in listed.items():
        assert MEANINGS[ExitCode(code)].startswith(meaning)
    assert told.out.rstrip().splitlines()[-1].split()[0] == str(max(listed))


@pytest.mark.parametrize("context", EVERY, ids=NAMES)
def test_every_option_is_explained(context: click.Context) -> None:
    """Each option has a help of its own."""
    options = [each for each in context.command.params if isinstance(each, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("context", [each for each in EVERY if not isinstance(each.command, click.Group)])
def test_every_command_speaks_json(context: click.Context) -> None:
    """All but the one that prints a script for a shell."""
    options = {name for each in context.command.params for name in each.opts}
    assert "--json" in options or context.command_path == "runbook completion"


@pytest.mark.parametrize("context", [each for each in EVERY if each.parent is not None and each.parent.parent is None])
def test_the_summary_in_the_list_is_a_whole_sentence(context: click.Context, capsys: Output) -> None:
    """It is the first line of the command's file, and stands in the list as it is."""
    assert run(["--help"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    folder = "issues" if "Without --act" in (context.command.help or "") else "cli/commands"
    name = str(context.info_name).replace("-", "_")
    source = Path(__file__).parents[2] / "runbook" / folder / f"{name}.py"
    summary = summary_of(source)
    assert summary.endswith(".")
    assert summary in listed


@pytest.mark.parametrize("words", [[], ["sandbox"], ["audit"], ["baseline"]])
def test_a_group_alone_shows_its_help_and_is_a_usage_error(words: list[str], capsys: Output) -> None:
    """On stderr, since nobody asked for it."""
    assert run(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"Usage: {' '.join(['runbook', *words])}")


def test_version(tmp_path: Path) -> None:
    """As the package says."""
    done = as_process("--version", environment=os.environ, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"runbook, version \d+\.\d+\.\d+\S*\n", done.stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_parse(shell: str, capsys: Output, tmp_path: Path) -> None:
    """And bash itself takes its one; the others are parsed where their shell is installed."""
    assert run(["completion", shell]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    assert "_RUNBOOK_COMPLETE" in script.read_text()
    try:
        subprocess.run([shell, "-n", str(script)], check=True)
    except FileNotFoundError:
        assert shell != "bash"


def test_completion_completes(tmp_path: Path) -> None:
    """What the script calls: commands by their beginning."""
    asked = os.environ | {"_RUNBOOK_COMPLETE": "bash_complete", "COMP_WORDS": "runbook high", "COMP_CWORD": "1"}
    done = subprocess.run(WORDS, env=asked, capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path)
    assert "high-formation-rate" in done.stdout
