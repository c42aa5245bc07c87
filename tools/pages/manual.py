r"""The manual page `runbook(1)`: every command with its options, exit codes, environment, files.

Made here and not by click-man, which leaves out what stands below the options (our exit codes) and writes the day of
the build into the page.
"""

import re
from collections.abc import Iterator

import click

from pages.reference import every_command
from runbook import __version__
from runbook.errors import MEANINGS

ENVIRONMENT = {
    "RUNBOOK_CONFIG": "the configuration file",
    "RUNBOOK_TARGET": "the fleet to work on",
    "RUNBOOK_STATE": "the state folder",
    "NO_COLOR": "no colour, whatever the terminal",
}
FILES = {
    "runbook.toml": "in the current folder, in ~/.config/engram-runbook/ or in /etc/engram-runbook/: the fleets",
    "/var/lib/engram-runbook": "the state folder, where it can be written: journal, baselines, locks",
    "~/.local/state/engram-runbook": "the state folder of everybody else",
}


def manual() -> str:
    """The page, in the man macros."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    root, *below = every_command()
    yield r".\" Written by tools/write_reference.py from the code; do not edit."
    yield f'.TH RUNBOOK 1 "" "engram-runbook {__version__}" "User Commands"'
    yield ".SH NAME\nrunbook \\- executable runbooks for an Engram fleet with dual memory"
    yield ".SH SYNOPSIS\n.B runbook\n.I COMMAND\n.RI [ OPTIONS ]"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(root.command.help or "")
    yield ".SH COMMANDS"
    for context in below:
        yield from _command(context)
    yield ".SH EXIT STATUS"
    for code, meaning in MEANINGS.items():
        yield f".TP\n.B {int(code)}\n{_escaped(meaning)}"
    for title, entries in (("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        yield f".SH {title}"
        for name, meaning in entries.items():
            yield f".TP\n.B {_escaped(name)}\n{_escaped(meaning)}"


def _command(context: click.Context) -> Iterator[str]:
    usage = " ".join(context.command.collect_usage_pieces(context))
    yield f'.SS "{_escaped(context.command_path)} {_escaped(usage)}"'
    yield from _paragraphs(context.command.help or "")
    for each in context.command.get_params(context):
        record = each.get_help_record(context)
        if record is not None and record[1] and "--help" not in each.opts:
            yield f".TP\n.B {_escaped(record[0])}\n{_escaped(record[1])}"
    codes = re.findall(r"^  (\d+) ", context.command.epilog or "", re.MULTILINE)
    if codes:
        yield f".PP\nExit status: {', '.join(codes)}."


def _paragraphs(text: str) -> Iterator[str]:
    for part in re.split(r"\n\s*\n", text.replace("\b", "").strip()):
        yield f".PP\n{_escaped(' '.join(part.split()))}"


def _escaped(text: str) -> str:
    """No character of the text is a command of the formatter, and none of its dashes may break a copied option."""
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    plain = plain.replace('"', "\\(dq")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
