"""Starting a fleet: nodes, texts, rest, load generator, in that order; all of it or nothing."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from runbook.errors import RefusedError, UsageError
from runbook.sandbox.fleet.documents import write_documents
from runbook.sandbox.fleet.down import end_fleet
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.loading import Place, Placed, make_spaces, places_of, remember_all, spread
from runbook.sandbox.fleet.lock import locked
from runbook.sandbox.fleet.nodes import start_nodes
from runbook.sandbox.fleet.processes import is_alive, spawn
from runbook.sandbox.fleet.record import FleetRecord, FleetRequest, load, save
from runbook.sandbox.fleet.rest import rest
from runbook.sandbox.fleet.talk import Talk
from runbook.sandbox.texts.generate import texts_for
from runbook.sandbox.texts.read import read_file

MOST_NODES = 1000
MOST_SPACES = 1000
_DOWN_HINT = "runbook sandbox down"


def up(folder: FleetFolder, request: FleetRequest, talk: Talk) -> tuple[FleetRecord, bool]:
    """Start what was asked for; the record, and whether it was already there.

    Whatever goes wrong, and whoever interrupts it: what was started is ended again.

    Raises:
        UsageError: the request makes no sense.
        RefusedError: another fleet is up, or this one is broken.
        LockedError: another command works on the fleet.
        UnreachableError: a node did not start; its log is in the hint.
        StorageError: the disk refused.
    """
    _check(request)
    real_texts = read_file(Path(request.real_text)) if request.real_text else []
    with locked(folder, "up"):
        if found := _standing(folder, request, talk):
            return found, True
        folder.make()
        try:
            return _start(folder, request, real_texts, talk), False
        except BaseException:
            end_fleet(folder)
            raise


def _check(request: FleetRequest) -> None:
    if not 1 <= request.nodes <= MOST_NODES:
        raise UsageError(f"a fleet has 1 to {MOST_NODES} nodes, not {request.nodes}")
    if request.episodes < 0 or request.processes < 0:
        raise UsageError("episodes and processes cannot be fewer than none")
    if not 0 <= request.spaces <= MOST_SPACES:
        raise UsageError(f"a node has 1 to {MOST_SPACES} spaces, not {request.spaces}")
    if not (math.isfinite(request.traffic) and request.traffic >= 0):
        raise UsageError(f"traffic is requests per second, not {request.traffic}")


def _standing(folder: FleetFolder, request: FleetRequest, talk: Talk) -> FleetRecord | None:
    found = load(folder)
    if found is None or not found.ready or not any(map(is_alive, found.processes)):
        if end_fleet(folder).found:
            talk.say("removed what an earlier fleet had left behind")
        return None
    dead = [node.name for node in found.nodes if not is_alive(node.process)]
    if dead:
        raise RefusedError(f"a sandbox is up, but dead: {', '.join(dead)}", hint=f"end it first: {_DOWN_HINT}")
    if found.request != request:
        message = f"a sandbox with other options is up: {_differences(found.request, request)}"
        raise RefusedError(message, hint=f"end it first: {_DOWN_HINT}")
    return found


def _differences(found: FleetRequest, wanted: FleetRequest) -> str:
    """Each option that is not as it is wanted now."""
    there, asked = asdict(found), asdict(wanted)
    return "; ".join(
        f"--{name.replace('_', '-')} {there[name] or 'none'}, not {asked[name] or 'none'}"
        for name in there
        if there[name] != asked[name]
    )


def _start(folder: FleetFolder, request: FleetRequest, real_texts: list[str], talk: Talk) -> FleetRecord:
    record = start_nodes(folder, request, talk)
    places = places_of(record.nodes, folder)
    make_spaces(places, folder)
    remember_all(_seeded(record, request), request.nodes * request.episodes, talk)
    if real_texts:
        remember_all(spread(real_texts, places), len(real_texts), talk)
    rest(folder, record.nodes, talk)
    write_documents(folder, record)
    if request.traffic > 0:
        options = ["--fleet", str(folder.record), "--rate", str(request.traffic)]
        record = replace(record, load=spawn(["-m", "runbook.sandbox.traffic", *options], folder.log("traffic")))
    record = replace(record, ready=True)
    save(folder, record)
    return record


def _seeded(record: FleetRecord, request: FleetRequest) -> Iterator[Placed]:
    # Nodes take turns, so that all of them are busy from the start.
    streams = [(node, texts_for(node.spaces, request.episodes, request.seed)) for node in record.nodes]
    for _ in range(request.episodes):
        for node, texts in streams:
            text = next(texts)
            yield Placed(Place(node, text.space), text.id, text.content)
