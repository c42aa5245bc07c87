"""The `runbook` command: finds its commands by walking, and turns every error into a message and an exit code."""

import errno
import gc
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

import runbook.cli.commands
import runbook.issues
from runbook.cli import signals
from runbook.cli.streams import abandon_stdout, prepare
from runbook.errors import ExitCode, InterruptedRunError, RunbookError, StorageError, UsageError

_DISK_REFUSALS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})

_GARBAGE_AT = 50_000
"""How many objects more make Python look for garbage. What imports make is none: to look 80 times costs 5 %."""


def summary_of(source: Path) -> str:
    """The first line of a module's docstring, read without importing it: the help must start fast."""
    with source.open(encoding="utf-8") as lines:
        return next(lines, "").strip().strip('"')


class Commands(click.Group):
    """One command per file of `cli/commands/`, and one per file of `issues/`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        del ctx
        return sorted(_sources())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import that one command, and no other."""
        del ctx
        source = _sources().get(cmd_name)
        if source is None:
            return None
        if source.parent.name == "issues":
            from runbook.cli.issue import command_of

            return command_of(source.stem)
        from importlib import import_module

        found: click.Command = import_module(f"runbook.cli.commands.{source.stem}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As Click does, with a did-you-mean."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in _sources():
            raise UsageError(f"there is no command {name!r}", hint=_meant(name))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and summaries, incidents first."""
        del ctx
        sources = sorted(_sources().items())
        incidents = [(name, summary_of(path)) for name, path in sources if path.parent.name == "issues"]
        others = [(name, summary_of(path)) for name, path in sources if path.parent.name != "issues"]
        for title, rows in (("Incidents", incidents), ("Commands", others)):
            if not rows:
                continue
            with formatter.section(title):
                formatter.write_dl(rows)


def _sources() -> dict[str, Path]:
    packages = (runbook.cli.commands, runbook.issues)
    return {
        module.name.replace("_", "-"): Path(next(iter(package.__path__))) / f"{module.name}.py"
        for package in packages
        for module in pkgutil.iter_modules(package.__path__)
    }


def _meant(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, _sources(), n=2)
    return f"did you mean {' or '.join(close)}?" if close else "runbook --help lists the commands"


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0-9 are answers, 10 and up are conditions; `runbook COMMAND --help` lists a command's own.",
)
@click.version_option(package_name="engram-runbook", prog_name="runbook")
def cli() -> None:
    """Executable runbooks for the Engram dual-memory rollout: diagnose, act, verify, undo.

    Without --act an incident command changes nothing, anywhere.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with the code of the table in `errors.py`."""
    gc.set_threshold(_GARBAGE_AT)
    prepare()
    signals.install()
    code = run(list(sys.argv[1:] if arguments is None else arguments))
    # CPython remembers a Ctrl-C that fell into an import, although it was caught, and would die by the signal at the
    # exit, instead of with our code; evaluating a text makes it forget.
    eval("0")  # noqa: S307
    gc.freeze()  # else it is all looked through at the exit, only to be given back to the system
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of one command line; every error is told on stderr, as JSON where `--json` was asked for."""
    try:
        outcome = cli.main(args=arguments, prog_name="runbook", standalone_mode=False)
        sys.stdout.flush()
        return outcome if isinstance(outcome, int) else ExitCode.DONE
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.USAGE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one translator of errors into exit codes
        return _tell(arguments, _translated(error, arguments))


def _translated(error: BaseException, arguments: Sequence[str]) -> RunbookError:
    if isinstance(error, RunbookError):
        return error
    if isinstance(error, click.Abort | KeyboardInterrupt):
        interruption = InterruptedRunError("interrupted; no run was under way")
        cause = error.__cause__ if isinstance(error, click.Abort) else error  # Click hides what it was behind an Abort
        interruption.code = getattr(cause, "code", ExitCode.INTERRUPTED)
        return interruption
    if isinstance(error, OSError) and error.errno in _DISK_REFUSALS:
        abandon_stdout()
        return StorageError(f"a write was refused: {error}", hint="where does the output go? make room there")
    if isinstance(error, click.ClickException):
        return UsageError(error.format_message(), hint=_usage_hint(error, arguments))
    from runbook.cli.crash import keep_traceback

    return keep_traceback()


def _usage_hint(error: click.ClickException, arguments: Sequence[str]) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context is not None else _named_by(arguments)} --help"


def _named_by(arguments: Sequence[str]) -> str:
    """The command that was meant, where Click does not say: of an option without its argument it does not."""
    command: click.Command | None = cli
    path = ["runbook"]
    for word in arguments:
        command = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if command is None:
            break
        path.append(word)
    return " ".join(path)


def _tell(arguments: Sequence[str], error: RunbookError) -> int:
    if "--json" in arguments:
        import json

        body = {"code": int(error.code), "name": error.code.name.lower(), "message": error.message, "hint": error.hint}
        click.echo(json.dumps({"error": body | ({"run": error.run} if error.run else {})}), err=True)
        return error.code
    from runbook.cli.screen import coloured
    from runbook.report.lines import printable

    told = f"runbook: {printable(error.message)}"
    click.echo(click.style(told, fg="red") if coloured(sys.stderr) else told, err=True)
    if error.hint:
        hint = "\n".join(map(printable, error.hint.splitlines()))  # a traceback has lines
        click.echo(f"  hint: {hint}", err=True)
    return error.code
