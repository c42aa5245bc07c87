"""Evidence of a run: heaps of the suspect nodes, collected before anything is changed, compared and kept."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fleet_in_memory import HEAP, ORDINARY, RUN, SICK, MemoryShelf, World, world

from runbook.adapters.store import FileStore
from runbook.errors import InterruptedRunError, LockedError, NotSupportedError, RunbookError, StorageError, UsageError
from runbook.model.evidence import Kept
from runbook.model.journal import Event
from runbook.model.play import Collected
from runbook.model.run import RunStatus
from runbook.report.document import carried_data
from runbook.report.looks import evidence_lines

NAMES = ("a", "b", "c")


def dump(cache: int) -> dict[str, Any]:
    """A heap in which the cache has that size, and everything else 50 bytes."""
    return {"resident_bytes": 50 + cache, "components": {"cache": {"bytes": cache, "entries": 1}}}


def growing(scene: World, *names: str) -> None:
    """The heaps of these nodes are larger at the second look."""
    collect, turns = scene.plays.inner.collect, []

    def later(*arguments: Any) -> Any:
        turns.append(1)
        for name in names:
            scene.plays.inner.documents[HEAP.playbook, name] = dump(1_000_000 * len(turns))
        return collect(*arguments)

    scene.plays.collect = later  # type: ignore[method-assign]  # the world changes under the run


def collected(scene: World) -> list[Mapping[str, Any]]:
    """What the journal tells of it."""
    return [each.details for each in scene.journal.entries() if each.event is Event.EVIDENCE_COLLECTED]


def test_two_dumps_of_each_suspect_node_are_kept_and_journaled(tmp_path: Path) -> None:
    """Where they are, with their digests, what grew and within which time; and the run goes on as ever."""
    scene = world(NAMES, c=ORDINARY)
    scene.looks_into(FileStore(tmp_path))
    growing(scene, "a", "b")
    carried = scene.act()
    assert carried.status is RunStatus.RECOVERED
    assert [each.node for each in carried.evidence] == ["a", "b"], "c is well"
    for each in carried.evidence:
        assert [(part.part, part.rise) for part in each.grew] == [("cache", 1_000_000)]
        assert (each.seconds, each.message) == (5.0, "")
        assert [Path(kept.path).name for kept in each.kept] == [
            f"collect_heap-{each.node}-{turn}.json" for turn in (1, 2)
        ]
        for turn, kept in enumerate(each.kept, start=1):
            data = Path(kept.path).read_bytes()
            assert json.loads(data) == dump(1_000_000 * turn)
            assert hashlib.sha256(data).hexdigest() == kept.sha256
            assert Path(kept.path).stat().st_mode & 0o777 == 0o600
            assert Path(kept.path).parent == tmp_path / "runs" / RUN
    assert [each["node"] for each in collected(scene)] == ["a", "b"]
    assert collected(scene)[0]["kept"][1]["sha256"] == carried.evidence[0].kept[1].sha256
    assert collected(scene)[0]["grew"] == [{"part": "cache", "before": 1_000_000, "after": 2_000_000}]


def test_it_is_collected_under_the_lock_before_the_first_intent() -> None:
    """And nothing that was collected changes a node."""
    scene = world(NAMES)
    scene.looks_into(MemoryShelf())
    scene.act()
    events = [each.event for each in scene.journal.entries()]
    assert events.index(Event.RUN_STARTED) < events.index(Event.EVIDENCE_COLLECTED) < events.index(Event.STEP_INTENT)
    assert scene.plays.inner.marks[:2] == [f"{RUN}.evidence.1", f"{RUN}.evidence.2"]
    calls = scene.wire.calls
    held, given_back = calls.index("nodes.lease"), calls.index("nodes.lease given back")
    assert all(held < at < given_back for at, name in enumerate(calls) if name in {"plays.collect", "shelf.keep"})


def test_a_resumed_run_collects_nothing_more() -> None:
    """What it shows is of before the first step, or it is not there."""
    scene = world(NAMES)
    scene.looks_into(MemoryShelf())
    plan = scene.diagnosed()
    scene.wire.calls.clear()
    scene.wire.error = KeyboardInterrupt
    scene.wire.trip_after = 12
    with pytest.raises(InterruptedRunError):
        scene.act(plan=plan)
    assert scene.wire.calls.count("plays.run") == 0
    collections = scene.wire.calls.count("plays.collect")
    scene.wire.trip_after = None
    assert scene.resume().status is RunStatus.RECOVERED
    assert scene.wire.calls.count("plays.collect") == collections


@pytest.mark.parametrize("way", ["resume", "undo"])
def test_what_a_killed_look_left_reading_is_ended(way: str) -> None:
    """Kill -9 leaves Ansible on the nodes; there is no step yet that could tell of it, and nothing to undo."""
    scene = world(NAMES)
    scene.looks_into(MemoryShelf())

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    collect = scene.plays.collect
    scene.plays.collect = killed  # type: ignore[method-assign]  # the process ends there
    with pytest.raises(InterruptedRunError):
        scene.act()
    scene.plays.collect = collect  # type: ignore[method-assign]  # the next process
    ended: list[str] = []
    scene.plays.stop_orphans = lambda mark: ended.append(mark) or 3  # type: ignore[func-returns-value, method-assign]  # records, then counts
    if way == "resume":
        assert scene.resume().status is RunStatus.RECOVERED
    else:
        assert scene.undo().results == ()
        assert scene.runs()[RUN].status is RunStatus.UNDONE  # so that the next one can begin
    assert ended == [f"{RUN}.evidence.1", f"{RUN}.evidence.2"]
    assert scene.talk.said.count("ended 3 processes left by the look before the steps") == 2
    assert scene.settings == dict.fromkeys(NAMES, ORDINARY if way == "resume" else SICK)


def test_the_look_of_a_run_that_is_being_carried_is_left_alone() -> None:
    """An undo that would end it is refused, though there is nothing to undo yet."""
    scene = world(NAMES)
    scene.looks_into(MemoryShelf())
    asked: list[str] = []

    def undone_meanwhile(*_: Any) -> Any:
        with pytest.raises(LockedError, match=RUN):
            scene.undo()
        asked.append("undo")
        raise KeyboardInterrupt

    scene.plays.collect = undone_meanwhile  # type: ignore[method-assign]  # another person, at that moment
    scene.plays.stop_orphans = lambda mark: asked.append(mark) or 0  # type: ignore[func-returns-value, method-assign]  # records
    with pytest.raises(InterruptedRunError):
        scene.act()
    assert asked == ["undo"]


def test_a_node_that_cannot_be_looked_into_stops_nothing() -> None:
    """Its reason is told; the others' dumps are there."""
    scene = world(NAMES)
    shelf = MemoryShelf()
    scene.looks_into(shelf)
    del scene.plays.inner.documents[HEAP.playbook, "b"]
    carried = scene.act()
    assert carried.status is RunStatus.RECOVERED
    assert {name for _, name in shelf.kept} == {f"collect_heap-{node}-{turn}" for node in "ac" for turn in (1, 2)}
    (_, told, _) = carried.evidence
    assert (told.node, told.kept, told.grew, told.message) == ("b", (), (), "not supported by this node")
    assert collected(scene)[1]["message"] == "not supported by this node"


def test_a_node_that_tells_only_once_is_kept_and_not_compared() -> None:
    """One dump is evidence too."""
    scene = world(NAMES)
    scene.looks_into(MemoryShelf())
    collect, turns = scene.plays.inner.collect, []

    def once(*arguments: Any) -> Any:
        turns.append(1)
        found = collect(*arguments)
        return found if len(turns) == 1 else tuple(Collected(each.host, None, "timed out") for each in found)

    scene.plays.collect = once  # type: ignore[method-assign]  # the world changes under the run
    carried = scene.act()
    assert carried.status is RunStatus.RECOVERED
    assert [(len(each.kept), each.grew, each.message) for each in carried.evidence] == [(1, (), "timed out")] * 3


class Refusing:
    """A shelf that has no room, or no name for a node."""

    def __init__(self, error: RunbookError) -> None:
        self.error = error

    def keep(self, *_: object) -> Kept:
        raise self.error


@pytest.mark.parametrize("error", [StorageError("no space left on device"), UsageError("a/b cannot be a file's name")])
def test_a_disk_that_refuses_the_dumps_stops_nothing(error: RunbookError) -> None:
    """The node comes first; what grew is told all the same, for it was seen."""
    scene = world(NAMES)
    scene.looks_into(Refusing(error))
    growing(scene, *NAMES)
    carried = scene.act()
    assert carried.status is RunStatus.RECOVERED
    assert scene.settings == dict.fromkeys(NAMES, ORDINARY)
    for each in carried.evidence:
        assert (each.kept, [part.part for part in each.grew]) == ((), ["cache"])
        assert error.message in each.message


@pytest.mark.parametrize(
    "error", [NotSupportedError("Ansible is broken"), UsageError("no inventory"), StorageError("full")]
)
def test_a_play_that_cannot_collect_stops_nothing(error: RunbookError) -> None:
    """Each node with the reason; the plays that change something are asked on their own."""
    scene = world(NAMES)
    scene.looks_into(MemoryShelf())

    def broken(*_: Any) -> Any:
        raise error

    scene.plays.collect = broken  # type: ignore[assignment,method-assign]  # the world is like that
    carried = scene.act()
    assert carried.status is RunStatus.RECOVERED
    assert [each.message for each in carried.evidence] == [error.message] * 3


def test_a_journal_that_refuses_the_evidence_stops_the_run_before_anything_is_changed() -> None:
    """It would refuse the intents, too; the run can be resumed."""
    scene = world(NAMES)
    scene.looks_into(MemoryShelf())
    journal = scene.ports.journal

    class Full:
        def __getattr__(self, name: str) -> Any:
            return getattr(journal, name)

        def append(self, event: Event, *rest: Any) -> Any:
            if event is Event.EVIDENCE_COLLECTED:
                raise StorageError("no space left on device")
            return journal.append(event, *rest)

    scene.with_(journal=Full())
    with pytest.raises(StorageError) as caught:
        scene.act()
    assert f"runbook resume {RUN}" in caught.value.hint
    assert scene.settings == dict.fromkeys(NAMES, SICK)
    scene.with_(journal=journal)
    assert scene.resume().status is RunStatus.RECOVERED


@pytest.mark.parametrize("odd", [{"resident_bytes": 2**70, "components": {"\ud800": 5}}, {}, {"components": [1, None]}])
def test_whatever_a_node_dumps_is_kept_and_the_run_goes_on(odd: dict[str, Any], tmp_path: Path) -> None:
    """Numbers that no machine has and texts that are none: the dump is kept as it came."""
    scene = world(NAMES)
    scene.looks_into(FileStore(tmp_path))
    for name in NAMES:
        scene.plays.inner.documents[HEAP.playbook, name] = odd
    carried = scene.act()
    assert carried.status is RunStatus.RECOVERED
    assert all(json.loads(Path(each.kept[0].path).read_bytes()) == odd for each in carried.evidence)


def test_the_report_tells_what_grew_and_where_the_dumps_are() -> None:
    """As lines, and as JSON."""
    scene = world(NAMES)
    scene.looks_into(MemoryShelf())
    growing(scene, "a")
    del scene.plays.inner.documents[HEAP.playbook, "c"]
    carried = scene.act()
    text = [line.text for line in evidence_lines(carried.evidence)]
    assert text[0] == "heap of a: cache +1.00 MB in 5 s"
    assert f"  {RUN}/collect_heap-a-1" in text
    assert "heap of b: nothing grew in 5 s" in text
    assert "heap of c: not supported by this node" in text
    told = carried_data(carried, ())["evidence"]
    assert [(each["node"], len(each["kept"]), len(each["grew"])) for each in told] == [
        ("a", 2, 1),
        ("b", 2, 0),
        ("c", 0, 0),
    ]
