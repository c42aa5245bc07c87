"""A fleet of real nodes on this machine: up, load, inject, clear, status, down."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from runbook.cli import sandbox_view as view
from runbook.cli.options import OWN_CODES, ends_with, json_option
from runbook.config import state_folder
from runbook.errors import ExitCode, UsageError
from runbook.sandbox.fleet import down as ending
from runbook.sandbox.fleet import faults, record
from runbook.sandbox.fleet import status as looking
from runbook.sandbox.fleet import up as starting
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.loading import load_texts
from runbook.sandbox.texts.read import read_file

_NODES = click.option("--node", "nodes", multiple=True, metavar="NAME", help="Only this node; may be repeated.")
_ANY = (ExitCode.DONE, ExitCode.DAMAGED, ExitCode.NOT_SUPPORTED, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
_UP = (*_ANY, ExitCode.UNREACHABLE, ExitCode.LOCKED, ExitCode.REFUSED, ExitCode.STORAGE)
_DOWN = (*_ANY, ExitCode.LOCKED, ExitCode.REFUSED, ExitCode.STORAGE)
_ASKING = (*_ANY, ExitCode.UNREACHABLE)


@click.group("sandbox", epilog=OWN_CODES)
def command() -> None:
    """A fleet of real nodes on this machine: start it, fill it, break it, end it.

    The fleet is the target `sandbox`; it lives in the state folder and touches nothing else.
    """


@command.command(epilog=ends_with(*_UP))
@click.option("--nodes", default=3, show_default=True, help="How many nodes.")
@click.option("--episodes", default=300, show_default=True, help="Seeded texts for each node.")
@click.option("--traffic", default=0.0, metavar="RATE", help="Requests per second over the whole fleet.")
@click.option("--real-text", default="", metavar="FILE", help="Load this file as well, see `load`.")
@click.option(
    "--way", type=click.Choice(["http", "cli"]), default="http", show_default=True, help="How Ansible changes them."
)
@click.option("--processes", default=0, help="Processes to share (default: one per node up to 8 nodes, else 2).")
@click.option("--spaces", default=0, metavar="N", help="Spaces on each node (default: one for 30 episodes, 10 to 20).")
@click.option("--seed", default=1, show_default=True, help="Another seed gives other texts.")
@json_option
def up(*, as_json: bool, **options: Any) -> int:
    """Start nodes, load texts, and return when they are healthy and settled."""
    if options["real_text"]:
        options["real_text"] = str(Path(options["real_text"]).absolute())
    folder = _folder()
    found, standing = starting.up(folder, record.FleetRequest(**options), view.Talk())
    data = view.of_record(folder, found, already=standing)
    return view.show("up", as_json, data, view.up_lines(folder, found, already=standing))


@command.command(epilog=ends_with(*_ANY, ExitCode.COULD_NOT_TELL))
@json_option
def status(*, as_json: bool) -> int:
    """How each node is: process, address, counts, active faults."""
    found = looking.status(_folder())
    code = ExitCode.DONE if found is None or found.is_well else ExitCode.COULD_NOT_TELL
    data = {"up": False} if found is None else {"up": True, "well": found.is_well, **asdict(found)}
    return view.show("status", as_json, data, view.status_lines(found), code)


@command.command(epilog=ends_with(*_ASKING, ExitCode.COULD_NOT_TELL))
@click.argument("fault")
@_NODES
@click.option("--param", "parameters", multiple=True, metavar="KEY=VALUE", help="A parameter of the fault.")
@click.option("--group", type=click.Choice(["control", "treatment"]), help="Only recalls of this group's spaces.")
@click.option(
    "--percent", type=float, metavar="N", help="How much: of the time for latency, of the recalls for errors."
)
@click.option("--no-wait", is_flag=True, help="Do not wait until the symptom can be measured.")
@click.option("--timeout", default=90.0, show_default=True, metavar="SECONDS", help="How long to wait for the symptom.")
@json_option
def inject(
    *,
    fault: str,
    nodes: tuple[str, ...],
    parameters: tuple[str, ...],
    no_wait: bool,
    timeout: float,
    as_json: bool,
    **shorthands: str | float | None,
) -> int:
    """Break nodes; see below for the faults. Returns when the symptom can be measured, 4 if it does not show in time.

    \b
    high-formation         a flood, and a coherence threshold that is too low
    poor-recall            the semantic weight is far too high
    poor-recall-concepts   concepts that do not hold together, and recalls through them
    memory-leak-bindings   bindings of forgotten episodes are not collected
    memory-leak-cache      the concept cache has no bound that counts
    oom-restart            the node is killed for want of memory, and starts again
    latency, errors        of all recalls, or of those of a --group; --percent says how much
    ignore-config, unreachable

    The leaks stop at 600 MB a node, so that a laptop survives: --param max_mb=100 for less. Settings that a fault has
    changed are put back by `clear`, unless somebody changed them since.
    """  # noqa: D301 - Click reads the backspace
    folder = _folder()
    injected = faults.inject(
        folder,
        looking.chosen(_running(folder), nodes),
        fault,
        view.parameters_of(parameters, shorthands),
        view.Talk(),
        patience=0.0 if no_wait else timeout,
    )
    code = ExitCode.DONE if no_wait or faults.shows(injected) else ExitCode.COULD_NOT_TELL
    data = {"fault": fault, "waited": not no_wait, "nodes": [asdict(each) for each in injected]}
    return view.show("inject", as_json, data, view.inject_lines(injected, timeout, waited=not no_wait), code)


@command.command(epilog=ends_with(*_ASKING))
@click.argument("fault", default="")
@_NODES
@json_option
def clear(*, fault: str, nodes: tuple[str, ...], as_json: bool) -> int:
    """Clear one fault, or all of them."""
    folder = _folder()
    cleared = faults.clear(folder, looking.chosen(_running(folder), nodes), fault)
    return view.show("clear", as_json, {"cleared": cleared}, view.clear_lines(cleared))


@command.command(epilog=ends_with(*_ASKING))
@click.argument("file")
@click.option("--space", default="", metavar="NAME", help="Into this space, made if missing; else over all.")
@_NODES
@json_option
def load(*, file: str, space: str, nodes: tuple[str, ...], as_json: bool) -> int:
    """Load real text from FILE (`-` is stdin): lines, JSON lines or paragraphs, plain or gzip."""
    folder = _folder()
    texts = read_file(Path(file))
    loaded = load_texts(folder, looking.chosen(_running(folder), nodes), texts, space, view.Talk())
    return view.show("load", as_json, {"file": file, **asdict(loaded)}, view.load_lines(loaded))


@command.command(epilog=ends_with(*_DOWN))
@json_option
def down(*, as_json: bool) -> int:
    """End exactly what `up` started, and remove the fleet's folder."""
    ended = ending.down(_folder())
    line = f"ended {ended.processes} processes and removed the fleet" if ended.found else "no sandbox is up"
    return view.show("down", as_json, asdict(ended), [line])


def _folder() -> FleetFolder:

    return FleetFolder(state_folder(os.environ))


def _running(folder: FleetFolder) -> record.FleetRecord:

    found = record.load(folder)
    if found is not None and not found.ready:
        raise UsageError("the sandbox is not started to the end", hint="wait for its `up`, or: runbook sandbox down")
    if found is None:
        raise UsageError("no sandbox is up", hint="start one with: runbook sandbox up")
    return found
