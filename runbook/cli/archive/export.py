"""Carry out `runbook export`: from a node to standard output or to a file, read strictly on the way."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.adapters.archives.kept import PACKED, keep_produced
from runbook.adapters.archives.passing import Wanted, pass_on
from runbook.adapters.files import safe_name
from runbook.archive.layout import Summary
from runbook.archive.reader import plain
from runbook.cli import compose
from runbook.cli.archive.data_nodes import one_node
from runbook.cli.archive.product import Write, check_place, readable_by_others, refuse_terminal, to_stdout
from runbook.cli.progress import ProgressTalk
from runbook.cli.screen import show_json
from runbook.cli.signals import way_on
from runbook.errors import ExitCode, RefusedError, RunbookError, UsageError
from runbook.model.target import Node, Target
from runbook.ports import DataNode
from runbook.report.archives import counts_words, size_words, summary_data
from runbook.report.document import envelope

STDOUT = "-"
_PLACE = "{node}"
RESIDUE, SINGLE = "residue", "single_memory"
_TYPES = {"dual_memory": ("episode", "concept", "binding"), SINGLE: ("episode",)}
"""What a node counts of each kind; it counts a memory as the episode that it is kept as."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line; `since` is a generation, or none named, and a sequence number."""

    kind: str
    output: str
    packed: bool
    space: str | None
    since: tuple[str, int] | None
    node: str | None
    all_nodes: bool
    target: str | None
    config: Path | None
    progress: str
    as_json: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """One node's archive, or why there is none; `seconds` is how long it took."""

    node: str
    path: str
    summary: Summary | None
    seconds: float
    error: RunbookError | None = None


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command. PARTIAL where some of several nodes gave no archive.

    Raises:
        UsageError: it is not said whose data, or it cannot go where it is to go.
        RunbookError: as the one node, the archive or the disk says; of several, that of the first, if none gave any.
    """
    if wishes.output == STDOUT:
        _check_stdout(wishes)
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    left = "what was written is not whole" if wishes.output == STDOUT else "nothing is left of the file under way"
    with ProgressTalk(wishes.progress) as talk, way_on(left, "run the same command again"):
        if wishes.output == STDOUT:
            node = one_node(target, wishes.node, " (or --all-nodes with -o FOLDER)")
            return _to_stdout(wishes, compose.data_node(target, node, talk), talk)
        found = [
            _to_file(wishes, compose.data_node(target, node, talk), path, talk)
            for node, path in _places(wishes, target)
        ]
    return _tell(wishes, target, found)


def _check_stdout(wishes: Wishes) -> None:
    if wishes.all_nodes:
        raise UsageError("each node has data of its own: several do not fit into one output", hint="add -o FOLDER")
    if wishes.as_json:
        raise UsageError("standard output is the archive: the report has no place there", hint="add -o FILE")
    refuse_terminal("an archive")


def _places(wishes: Wishes, target: Target) -> list[tuple[Node, Path]]:
    """Each node with the file that its archive goes to."""
    nodes = target.nodes if wishes.all_nodes else (one_node(target, wishes.node, " or --all-nodes"),)
    path = Path(wishes.output)
    if _PLACE in wishes.output:
        found = [Path(wishes.output.replace(_PLACE, safe_name(node.name, "node"))) for node in nodes]
    elif path.is_dir() and not path.is_symlink():
        ending = ".json" + (PACKED if wishes.packed else "")
        found = [path / f"{safe_name(node.name, 'node')}-{wishes.kind}{ending}" for node in nodes]
    elif wishes.all_nodes:
        raise UsageError(f"{path} is no folder", hint=f"-o FOLDER that exists, or a name with {_PLACE} in it")
    else:
        found = [path]
    for each in found:
        check_place(each)
    return list(zip(nodes, found, strict=True))


def _to_stdout(wishes: Wishes, data: DataNode, talk: ProgressTalk) -> ExitCode:
    began = time.monotonic()
    found: list[Summary] = []
    to_stdout(lambda write: found.append(_export(wishes, data, talk, write)), packed=wishes.packed)
    if readable_by_others():
        talk.say("the file can be read by other people: chmod 600, or write it with -o FILE")
    _say(talk, Exported(data.name, "", found[0], time.monotonic() - began))
    return ExitCode.DONE


def _to_file(wishes: Wishes, data: DataNode, path: Path, talk: ProgressTalk) -> Exported:
    began = time.monotonic()
    packed = wishes.packed or path.name.endswith(PACKED)

    def produce(write: Write) -> Summary:
        return _export(wishes, data, talk, write)

    try:
        summary = keep_produced(produce, path, packed=packed)
    except RunbookError as error:
        if not wishes.all_nodes:
            raise
        talk.say(f"{data.name}: no archive: {error.message}")
        return Exported(data.name, str(path), None, time.monotonic() - began, error)
    found = Exported(data.name, str(path), summary, time.monotonic() - began)
    _say(talk, found)
    return found


def _export(wishes: Wishes, data: DataNode, talk: ProgressTalk, write: Write) -> Summary:
    total = _expected(wishes, data)
    label = f"export {data.name}"
    talk.moved(label, 0, total)
    generation, since = wishes.since or ("", None)
    with data.export(wishes.kind, since=since) as chunks:
        return pass_on(
            plain(chunks, f"node {data.name}"),
            f"node {data.name}",
            Wanted(wishes.kind, since, wishes.space, generation),
            write,
            lambda done: talk.moved(label, done, total),
        )


def _expected(wishes: Wishes, data: DataNode) -> int | None:
    """How many records will come, where that can be known.

    Raises:
        RefusedError: the node holds another kind of data.
    """
    served = data.holdings().active
    if wishes.kind not in {served.kind, RESIDUE} or (wishes.kind == RESIDUE and served.kind != SINGLE):
        raise RefusedError(
            f"node {data.name} serves {served.kind}, which has no {wishes.kind}", hint=f"--format {served.kind}"
        )
    if wishes.since is not None:
        return None
    if wishes.kind == RESIDUE:
        return served.counts.get(RESIDUE)
    return sum(served.counts.get(name, 0) for name in _TYPES[wishes.kind])


def _say(talk: ProgressTalk, found: Exported) -> None:
    if (summary := found.summary) is None:
        return
    where = f" -> {found.path}" if found.path else ""
    digest = "" if summary.digest is None else f"; content digest {summary.digest}"
    talk.say(
        f"{found.node}{where}: {summary.header.kind}, {counts_words(summary.counts)}; {size_words(summary.bytes)} in "
        f"{found.seconds:.1f} s; snapshot {summary.header.snapshot}{digest}"
    )


def _tell(wishes: Wishes, target: Target, found: list[Exported]) -> ExitCode:
    failed = [each.error for each in found if each.error is not None]
    if failed and len(failed) == len(found):
        raise failed[0]
    code = ExitCode.PARTIAL if failed else ExitCode.DONE
    if wishes.as_json:
        show_json(envelope("export", "runbook export", code, {"target": target.name, "archives": [*map(_data, found)]}))
    return code


def _data(found: Exported) -> dict[str, Any]:
    return {
        "node": found.node,
        "path": found.path,
        "seconds": found.seconds,
        "archive": None if found.summary is None else summary_data(found.summary),
        "reason": "" if found.error is None else found.error.message,
    }
