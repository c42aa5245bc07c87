"""What comes of a work of many hosts: who is missing, which exit code, what the journal keeps, and how it goes back."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from runbook.adapters.archives.fleets import FleetShelf
from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.adapters.locks import FileLocks
from runbook.archive import fleet_manifest
from runbook.cli.progress import ProgressTalk
from runbook.engine.fleet.backup import FleetWanted, code_of, create_fleet, verify_fleet
from runbook.engine.fleet.work import MIGRATE, FleetWork, FleetWorked, carry_out, change, last_migration, whole_of
from runbook.errors import DamagedError, ExitCode, InterruptedRunError, RefusedError, RunbookError, UsageError
from runbook.model.fleet_backup import FleetBackup
from runbook.model.journal import Event
from runbook.model.play import HostState, WorkRequest, WorkResult
from runbook.ports.backups import FleetPorts

HOSTS = ("a", "b", "c")
HASH = "0123456789abcdef" * 4
Answers = Callable[[str], WorkResult]


@dataclass
class Answering:
    """Hosts that answer at once."""

    answers: Answers
    asked: list[WorkRequest] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def work(self, request: WorkRequest, progress: Callable[[str], None]) -> tuple[WorkResult, ...]:
        """What they were told to answer."""
        self.asked.append(request)
        progress("asked")
        return tuple(self.answers(host) for host in request.hosts)

    def stop_orphans(self, mark: str) -> int:
        """Each of them left one."""
        self.stopped.append(mark)
        return 1


def proof(host: str, level: int = 2, **more: Any) -> dict[str, Any]:
    """What a host's own runbook tells of its backup."""
    told = {
        "name": f"20261127T000000Z-prod-dual_memory-{host}.backup",
        "host": host,
        "node": f"node-of-{host}",
        "kind": "dual_memory",
        "snapshot": "g1:5",
        "consistency": "snapshot",
        "manifest_sha256": HASH,
        "content_digest": f"{HASH}-3",
        "counts": {"episode": 3},
        "stored_bytes": 100,
    }
    return {"folder": f"/srv/{host}", "proofs": [{"level": level, "backup": told | more}], "fresh": True}


def did(host: str, **more: Any) -> WorkResult:
    """It backed up its node."""
    return WorkResult(host, HostState.CHANGED, 0, proof(host, **more), "done")


def failed(host: str, code: int | None, message: str = "broken") -> WorkResult:
    """It ended with that code."""
    return WorkResult(host, HostState.FAILED, code, None, message)


def ports(folder: Path, answers: Answers) -> FleetPorts:
    """A real folder, a real journal; hosts that answer at once."""
    clock = SystemClock()
    locks = FileLocks(folder / "backups", clock, "ada", "here")
    journal = FileJournal(folder, clock, "ada", "here")
    return FleetPorts(FleetShelf(folder / "backups"), Answering(answers), journal, locks, clock, ProgressTalk("none"))


def create(folder: Path, answers: Answers) -> FleetBackup:
    """A backup of the fleet."""
    kept = create_fleet(ports(folder, answers), FleetWanted("r1", "prod", HOSTS, "engram-runbook 0"))
    assert kept.backup is not None
    return kept.backup


def events(folder: Path) -> list[tuple[str, Any]]:
    """What the journal has."""
    found = FileJournal(folder, SystemClock(), "ada", "here").entries()
    return [(entry.event.value, entry.details.get("state")) for entry in found]


def test_whoever_brought_nothing_usable_is_missing(tmp_path: Path) -> None:
    """One whose runbook is of another version, one that wrote of another host; and a name that is a path is none."""
    answers = {
        "a": did("a"),
        "b": WorkResult("b", HostState.CHANGED, 0, {"proofs": [{}], "folder": "/srv"}, "done"),
        "c": WorkResult("c", HostState.CHANGED, 0, proof("a"), "done"),
    }
    with pytest.raises(RunbookError, match="no host") as raised:
        create(tmp_path, lambda host: replace(did(host), report=proof(host, name="../../etc/x")))
    assert "cannot be" in raised.value.hint
    found = create(tmp_path, answers.__getitem__)
    assert (found.complete, [each.host for each in found.nodes]) == (False, ["a"])
    why = {each.host: each.why for each in found.missing}
    assert "another version" in why["b"]
    assert "share a folder" in why["c"]
    with pytest.raises(RefusedError, match="without b, c"):
        whole_of(found, "fleet-x", "prod", HOSTS)
    with pytest.raises(RefusedError, match="is of prod"):
        whole_of(found, "fleet-x", "other", ("a",))


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([failed(host, 10) for host in HOSTS], ExitCode.UNREACHABLE),
        ([failed(host, 16) for host in HOSTS], ExitCode.STORAGE),
        ([failed("a", 16), failed("b", 12), failed("c", 12)], ExitCode.NOT_SUPPORTED),
        ([WorkResult(host, HostState.UNREACHABLE) for host in HOSTS], ExitCode.UNREACHABLE),
    ],
)
def test_no_backup_at_all_is_an_error(tmp_path: Path, results: list[WorkResult], code: ExitCode) -> None:
    """With the hosts' own code where they share one; nothing is written and nothing journaled."""
    answers = {each.host: each for each in results}
    with pytest.raises(RunbookError) as raised:
        create(tmp_path, answers.__getitem__)
    assert raised.value.code == code
    assert not list(tmp_path.glob("backups/fleet-*"))
    assert events(tmp_path) == []


def test_documents_are_numbered_and_whatever_is_changed_in_one_is_found(tmp_path: Path) -> None:
    """Every byte of it: flipped, it is refused, or it is another document of the same form with another hash."""
    create(tmp_path, did)
    create(tmp_path, did)
    shelf = FleetShelf(tmp_path / "backups")
    newest, _ = shelf.shelf()
    assert newest.backup is not None
    assert newest.backup.number == 2
    good = (tmp_path / "backups" / newest.name).read_bytes()
    assert fleet_manifest.parse(good, "x") == newest.backup
    for place in range(0, len(good), 3):
        bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        with pytest.raises(RunbookError):
            fleet_manifest.parse(bad, "x")
    for cut in (good[:-1], good + b"\n", b"", good[: len(good) // 2]):
        with pytest.raises(DamagedError):
            fleet_manifest.parse(cut, "x")


def test_a_document_of_a_newer_version_and_one_with_a_host_twice_are_refused(tmp_path: Path) -> None:
    """17 for the one, 12 for the other, though its hash fits."""
    found = create(tmp_path, did)
    newer = orjson.loads(fleet_manifest.render(found)) | {"version": 2}
    with pytest.raises(RunbookError) as raised:
        fleet_manifest.parse(orjson.dumps(newer), "x")
    assert raised.value.code == ExitCode.NOT_SUPPORTED
    twice = fleet_manifest.sealed(replace(found, nodes=(*found.nodes, found.nodes[0])))
    with pytest.raises(DamagedError, match="twice"):
        fleet_manifest.parse(fleet_manifest.render(twice), "x")


def test_what_is_proven_of_all_is_the_least_of_all(tmp_path: Path) -> None:
    """One at level 2, the others at 3: the fleet is at 2, and that is less than was asked; then one is damaged."""
    create(tmp_path, did)
    (kept,) = FleetShelf(tmp_path / "backups").shelf()
    levels = {"a": 3, "b": 2, "c": 3}
    here = ports(tmp_path, lambda host: replace(did(host), report=proof(host, levels[host])))
    found = verify_fleet(here, kept.name, 3, "r2")
    assert (found.level, code_of(found)) == (2, ExitCode.COULD_NOT_TELL)
    here = ports(tmp_path, lambda host: failed(host, 12) if host == "b" else replace(did(host), report=proof(host, 3)))
    found = verify_fleet(here, kept.name, 3, "r3")
    assert (found.level, code_of(found), list(found.failed)) == (None, ExitCode.DAMAGED, ["b"])
    here = ports(tmp_path, lambda host: failed(host, 10))
    assert code_of(verify_fleet(here, kept.name, 3, "r4")) == ExitCode.UNREACHABLE


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([did(host) for host in HOSTS], ExitCode.DONE),
        ([failed(host, 0) for host in HOSTS], ExitCode.PARTIAL),
        ([did("a"), failed("b", 14), failed("c", None)], ExitCode.PARTIAL),
        ([failed("a", 14), *(WorkResult(host, HostState.NOT_REACHED) for host in "bc")], ExitCode.STEP_FAILED),
        ([failed("a", 14), failed("b", 10), failed("c", 14)], ExitCode.PARTIAL),
        ([WorkResult(host, HostState.UNREACHABLE) for host in HOSTS], ExitCode.UNREACHABLE),
        ([failed(host, None) for host in HOSTS], ExitCode.PARTIAL),
    ],
)
def test_the_exit_code_of_a_work(results: list[WorkResult], code: ExitCode) -> None:
    """Partial where some did it; the hosts' own where none did and they are of one mind."""
    assert FleetWorked(FleetWork("r", "prod", MIGRATE, HOSTS, {}), tuple(results)).code == code


def test_a_work_is_journaled_before_and_after_and_goes_back_by_the_runs_of_the_hosts(tmp_path: Path) -> None:
    """The intent first, even of one that is interrupted; who failed at first and was migrated later goes back too."""

    def migrated(run: str) -> Answers:
        return lambda host: (
            failed(host, 14) if host == "b" and run == "1" else replace(did(host), report={"run": f"{host}{run}"})
        )

    def interrupted(_host: str) -> WorkResult:
        raise InterruptedRunError("Ctrl-C")

    def lost(host: str) -> WorkResult:
        return {"a": failed("a", 1), "b": replace(did("b"), report={"run": "b4"})}.get(host) or WorkResult(
            host, HostState.NOT_REACHED
        )

    with pytest.raises(UsageError):
        last_migration([], "prod")
    work = FleetWork("r1", "prod", MIGRATE, HOSTS, {}, about={"to": "single_memory"})
    carry_out(ports(tmp_path, migrated("1")), work)
    carry_out(ports(tmp_path, migrated("2")), replace(work, run="r2", hosts=("b",)))
    with pytest.raises(InterruptedRunError):
        carry_out(ports(tmp_path, interrupted), replace(work, run="r3"))
    states = [state for _, state in events(tmp_path)]
    assert states == ["intended", "done", "intended", "done", "intended", "unknown"]
    journal = FileJournal(tmp_path, SystemClock(), "ada", "here")
    assert last_migration(journal.entries(), "prod").runs == {"a": "a1", "c": "c1", "b": "b2"}
    carry_out(ports(tmp_path, lost), replace(work, run="r4", about={"to": "dual_memory"}))
    last = last_migration(journal.entries(), "prod")
    assert (last.to, last.runs) == ("dual_memory", {"a": "", "b": "b4"})
    with pytest.raises(UsageError):
        last_migration(journal.entries(), "other")


def test_what_a_killed_run_left_is_ended_before_another_begins(tmp_path: Path) -> None:
    """The journal has its intent and no end: its processes are found by its mark. Nobody else's are looked for."""
    here = ports(tmp_path, did)
    about = {"work": MIGRATE, "to": "single_memory", "hosts": list(HOSTS)}
    for run, target, state in (("r1", "prod", "intended"), ("r2", "other", "intended"), ("r3", "prod", "done")):
        here.journal.append(Event.FLEET_WORKED, run, {**about, "target": target, "state": state})
    change(here, FleetWork("r4", "prod", MIGRATE, HOSTS, {}, about={"to": "single_memory"}))
    assert isinstance(here.hosts, Answering)
    assert here.hosts.stopped == ["migrate_data-r1"]


@pytest.mark.parametrize(
    "told", [{"level": 3}, {"level": 3, "backup": "x"}, {"level": "3", "backup": {"manifest_sha256": HASH}}]
)
def test_what_a_host_tells_that_is_no_proof_proves_nothing(tmp_path: Path, told: dict[str, Any]) -> None:
    """It is of another version, or lies: that host has failed, and this command has no bug."""
    here = ports(tmp_path, did)
    kept = create_fleet(here, FleetWanted("r1", "prod", HOSTS, "test"))
    there = ports(tmp_path, lambda host: WorkResult(host, HostState.UNCHANGED, 0, {"proofs": [told]}, "done"))
    found = verify_fleet(there, kept.name, 3, "r2")
    assert set(found.failed) == set(HOSTS)
    assert (found.level, code_of(found)) == (None, ExitCode.PARTIAL)


def test_hosts_that_call_nothing_done_are_no_success(tmp_path: Path) -> None:
    """Each ended with 0 and without a backup that can be one: the exit code is not 0."""
    with pytest.raises(RunbookError) as raised:
        create(tmp_path, lambda host: WorkResult(host, HostState.CHANGED, 0, {"proofs": []}, "done"))
    assert raised.value.code == ExitCode.NOT_SUPPORTED
