"""What the sandbox commands print."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from runbook.cli import screen
from runbook.cli.screen import show_json
from runbook.errors import ExitCode, UsageError
from runbook.report.document import envelope
from runbook.report.lines import line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runbook.sandbox.fleet.faults import Injection
    from runbook.sandbox.fleet.folder import FleetFolder
    from runbook.sandbox.fleet.loading import Loaded
    from runbook.sandbox.fleet.record import FleetRecord
    from runbook.sandbox.fleet.status import FleetStatus


class Talk:
    """Progress on stderr, with the time left; on a terminal one line that is written over."""

    def __init__(self) -> None:
        self._label = ""
        self._started = 0.0

    def say(self, text: str) -> None:
        """One line."""
        click.echo(text, err=True)

    def progress(self, label: str, done: float, total: float) -> None:
        """How far it is; off a terminal only the end is told."""
        if label != self._label:
            self._label, self._started = label, time.monotonic()
        if done >= total:
            self._label = ""
            click.echo(f"{self._over()}{label}: {total:.0f}", err=True)
        elif sys.stderr.isatty():
            spent = time.monotonic() - self._started
            left = f", {spent * (total - done) / done:.0f} s left" if done else ""
            click.echo(f"{self._over()}{label}: {done:.0f} of {total:.0f}{left}", err=True, nl=False)

    def _over(self) -> str:
        return "\r\x1b[K" if sys.stderr.isatty() else ""


def show(
    verb: str,
    as_json: bool,  # noqa: FBT001 - the option of every command
    data: Mapping[str, Any],
    lines: Iterable[str],
    code: ExitCode = ExitCode.DONE,
) -> int:
    """Print the product, as a document or as text; the exit code."""
    if as_json:
        show_json(envelope("sandbox", f"runbook sandbox {verb}", code, data))
    else:
        screen.show(map(line, lines))
    return int(code)


def parameters_of(words: Iterable[str], shorthands: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`KEY=VALUE` words, where a value that is JSON is taken as such; and the options that stand for some of them.

    Raises:
        UsageError: a word without `=`, or a parameter that is given in both ways.
    """
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not key or not equals:
            raise UsageError(f"--param takes KEY=VALUE, not {word!r}")
        try:
            found[key] = json.loads(text)
        except ValueError:
            found[key] = text
    given = {name: value for name, value in (shorthands or {}).items() if value is not None}
    if twice := found.keys() & given.keys():
        name = min(twice)
        raise UsageError(f"{name} is given twice: as --{name}, and as --param {name}=...", hint="leave one out")
    return found | given


def of_record(folder: "FleetFolder", record: "FleetRecord", *, already: bool) -> dict[str, Any]:
    """The record as a document."""
    return {
        "already_up": already,
        "folder": str(folder.root),
        "configuration": str(folder.configuration),
        "inventory": str(folder.inventory),
        "nodes": [{"name": node.name, "pid": node.process.pid, "url": node.url} for node in record.nodes],
        "load_generator": None if record.load is None else {"pid": record.load.pid, "rate": record.request.traffic},
    }


def up_lines(folder: "FleetFolder", record: "FleetRecord", *, already: bool) -> Iterator[str]:
    """What runs now."""
    yield "the sandbox was already up" if already else "the sandbox is up"
    yield from (f"  {node.name}  {node.url}  pid {node.process.pid}" for node in record.nodes)
    if record.load is not None:
        yield f"  traffic  {record.request.traffic:g} requests/s  pid {record.load.pid}"
    yield f"  configuration  {folder.configuration}"


def status_lines(found: "FleetStatus | None") -> Iterator[str]:
    """A line for each process."""
    if found is None:
        yield "no sandbox is up"
        return
    if not found.ready:
        yield "the sandbox was not started to the end; run: runbook sandbox down"
    for node in found.nodes:
        state = "dead" if not node.alive else "silent" if node.problem else "alive"
        counts = "" if node.episodes is None else f"  {node.episodes} episodes  {node.concepts} concepts"
        faults = f"  faults: {', '.join(node.faults)}" if node.faults else ""
        problem = f"  {node.problem}" if node.problem else ""
        yield f"{node.name}  {state}  pid {node.pid}  {node.url}{counts}{faults}{problem}"
    if found.load is not None:
        state = "alive" if found.load.alive else "dead"
        yield f"traffic  {state}  pid {found.load.pid}  {found.load.rate:g} requests/s  {found.load.last}"


def inject_lines(injected: "Sequence[Injection]", timeout: float, *, waited: bool) -> Iterator[str]:
    """What was measured on each node."""
    for each in injected:
        if each.measured is not None:
            yield f"{each.node}  {each.fault}  {each.measured}"
        elif each.nobody:
            yield f"{each.node}  {each.fault}  injected, but nothing can be measured: {each.nobody}"
        elif waited:
            yield f"{each.node}  {each.fault}  injected, but its symptom did not show within {timeout:g} s"
        else:
            yield f"{each.node}  {each.fault}  injected"


def clear_lines(cleared: "Mapping[str, Sequence[str]]") -> Iterator[str]:
    """What was active on each node, and is not any more."""
    return (f"{node}  {', '.join(faults) if faults else 'nothing to clear'}" for node, faults in cleared.items())


def load_lines(loaded: "Loaded") -> Iterator[str]:
    """How much went where."""
    yield f"loaded {loaded.texts} texts into {loaded.spaces} spaces on {', '.join(loaded.nodes)}"
