"""A rollback, for people and as data: what HTTP did, what the play did, and after how many milliseconds."""

import json
import shlex
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePath
from typing import Any

from runbook.engine.brake_journal import NOWHERE
from runbook.engine.brake_record import NodeOutcome, Rolled
from runbook.model.brake import FLAGS, PullState, Rollback
from runbook.model.run import RunStatus
from runbook.model.target import Node, Target
from runbook.report.lines import EMPTY, Line, Style, line

_PATH = "/api/v1/admin/features"


def rolled_lines(rolled: Rolled) -> Iterator[Line]:
    """Every node on a line, what went wrong beside, the verdict last."""
    width = max(len(each.node.name) for each in rolled.nodes)
    for each in rolled.nodes:
        mark = ("off      ", Style.GOOD) if each.off else ("NOT OFF  ", Style.BAD)
        told = f"{each.node.name:<{width}}  HTTP: {_http(each)}; Ansible: {_play(each)}"
        yield Line((mark, (told, Style.PLAIN)), indent=2, hang=9)
    yield EMPTY
    if rolled.play_problem:
        yield line(f"ANSIBLE DID NOT MAKE IT DURABLE: {rolled.play_problem}", Style.BAD, hang=2)
    for told in _not_journaled(rolled.kept):
        yield line(told, Style.BAD, hang=2)
    if rolled.overtaken:
        yield line(f"told to stop, and to put nothing back: {', '.join(rolled.overtaken)}", Style.UNSURE, hang=2)
    done = rolled.status is RunStatus.DONE
    counted = f"off on {len(rolled.nodes) - len(rolled.stragglers)} of {len(rolled.nodes)} nodes"
    verdict = (f"{rolled.status.value.upper()}, {counted}{_times(rolled)}", Style.GOOD if done else Style.BAD)
    yield Line(((f"Rollback {rolled.what.value}, run {rolled.plan.id}: ", Style.STRONG), verdict))
    for text in next_steps(rolled):
        yield line(text, indent=2, hang=2)


def next_steps(rolled: Rolled) -> tuple[str, ...]:
    """What the person does now."""
    command = f"runbook {rolled.plan.command} --target {shlex.quote(rolled.plan.target)}"
    undo = f"to put back what was on: runbook undo {rolled.plan.id}"
    if rolled.stragglers:
        names = ", ".join(each.node.name for each in rolled.stragglers)
        by_hand = f"runbook rollback {rolled.what.value} --target {shlex.quote(rolled.plan.target)} --print-curl"
        return (f"still to do: {names}", f"again: {command} --yes", f"by hand: {by_hand}", undo)
    return (undo,)


def _not_journaled(kept: Sequence[str]) -> Iterator[str]:
    """What the journal refused: how much of it waits in which folder, and what is nowhere but on the screen."""
    lost = [place for place in kept if place.startswith(NOWHERE)]
    if waiting := [place for place in kept if place not in lost]:
        folders = ", ".join(dict.fromkeys(str(PurePath(place).parent) for place in waiting))
        entries = "1 entry waits" if len(waiting) == 1 else f"{len(waiting)} entries wait"
        yield f"NOT IN THE JOURNAL YET: {entries} in {folders}; once it can be written, the next change takes them over"
    if lost:
        yield f"NOT JOURNALED, told above alone: {', '.join(dict.fromkeys(lost))}"


def _times(rolled: Rolled) -> str:
    off = [each.pulled.off_ms for each in rolled.nodes if each.pulled.off_ms is not None]
    read = [each.pulled.verified_ms for each in rolled.nodes if each.pulled.verified_ms is not None]
    return f"; the last by HTTP after {max(off):.0f} ms, read back after {max(read):.0f} ms" if off and read else ""


def _http(each: NodeOutcome) -> str:
    pulled = each.pulled
    again = f" ({each.last_look})" if each.last_look not in {"", "off"} else ""
    match pulled.state:
        case PullState.VERIFIED:
            was = "" if pulled.old is None or any(pulled.old.values()) else "was off before, "
            return (
                f"{was}off after {pulled.off_ms or 0:.0f} ms, read back after {pulled.verified_ms or 0:.0f} ms{again}"
            )
        case PullState.REFUSED:
            return pulled.message + again
        case _:
            return f"{pulled.message or 'no answer yet'} ({pulled.tries} tries){again}"


def _play(each: NodeOutcome) -> str:
    if each.play is None:
        return "did nothing here"
    told = f": {each.play.message}" if each.play.message and not each.play.done else ""
    return f"{each.play.state.value} after {each.play_ms or 0:.0f} ms{told}"


def rolled_data(rolled: Rolled) -> dict[str, Any]:
    """The whole of it."""
    return {
        "run": rolled.plan.id,
        "what": rolled.what.value,
        "flags": list(FLAGS[rolled.what]),
        "target": rolled.plan.target,
        "reason": rolled.plan.reason,
        "status": rolled.status.value,
        "nodes": [_node(each) for each in rolled.nodes],
        "stragglers": [each.node.name for each in rolled.stragglers],
        "play_problem": rolled.play_problem or None,
        "not_in_the_journal": list(rolled.kept),
        "superseded": list(rolled.overtaken),
        "next": list(next_steps(rolled)),
    }


def _node(each: NodeOutcome) -> dict[str, Any]:
    pulled = each.pulled
    play = None
    if each.play is not None:
        play = {"state": each.play.state.value, "after_ms": _rounded(each.play_ms), "message": each.play.message}
    return {
        "node": each.node.name,
        "off": each.off,
        "old": None if pulled.old is None else dict(pulled.old),
        "http": {
            "state": pulled.state.value,
            "off_ms": _rounded(pulled.off_ms),
            "verified_ms": _rounded(pulled.verified_ms),
            "tries": pulled.tries,
            "message": pulled.message,
            "last_look": each.last_look,
        },
        "play": play,
    }


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)


def curl_lines(target: Target, what: Rollback, refused: Collection[str] = ()) -> tuple[str, ...]:
    """Lines of a shell that do the same, all nodes at once; each token goes from its file to its node.

    No proxy of the environment gets it. Nothing of curl is used that one of 2018 lacks; the status is printed.
    `refused` are nodes that no token may be sent to, since it would cross a network in the open: for them a remark.
    """
    why = "its token would cross the network in the open: use https, or set allow_plain_http = true for this target"
    nodes = (f"# {each.name}: {why}" if each.name in refused else f"{_curl(each, what)} &" for each in target.nodes)
    return (*nodes, "wait")


def _curl(node: Node, what: Rollback) -> str:
    body = json.dumps(dict.fromkeys(FLAGS[what], False))
    words = ["curl", "--noproxy", "*", "-sS", "--max-time", "10", "-w", f" HTTP %{{http_code}} {node.name}\\n"]
    words += ["-H", "Content-Type: application/json", "-d", body, node.url + _PATH]
    if node.token_file is None:
        return shlex.join(words)
    header = f"sed 's/^/Authorization: Bearer /' {shlex.quote(str(node.token_file))}"
    return f"{header} | {shlex.join([words[0], '-H', '@-', *words[1:]])}"
