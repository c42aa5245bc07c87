"""The real command migrates a real node that is written to; and everything that may go wrong on the way."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from end_to_end_fleet import kill
from jsonschema import Draft202012Validator
from migrating import DUAL, SINGLE, TEXTS, Site, site_of, writing
from running_node import StartNode, wait_until
from terminal import on_terminal

from runbook.adapters.clock import SystemClock
from runbook.adapters.locks import FileLocks
from runbook.material import schema

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]
FLAGS = ("dual_memory.enabled", "dual_memory.enable_concepts")


@pytest.fixture
def site(start_node: StartNode, tmp_path: Path) -> Site:
    """A node with its texts."""
    return site_of(start_node(), tmp_path / "state")


def checked(document: dict[str, object]) -> dict[str, object]:
    """The data of a report that fits its schema."""
    Draft202012Validator(schema("report.v1")).validate(document)
    found = document["data"]
    assert isinstance(found, dict)
    return found


def test_there_and_back_is_the_identity_and_each_form_tells_the_same(site: Site) -> None:
    """Dual to single to dual: the same content digest; the reports fit their schema."""
    before, command = site.digest(), site.command
    plan = str(command.state / "plan.json")
    look = ("migrate", "--to", SINGLE, "--backup", str(site.back_up()), "--dry-run", "--plan-out", plan)
    assert checked(command.json(*look))["plan"]
    assert (site.kind(), site.states()) == (DUAL, ["active"])
    command(*site.to_single("--apply", plan, "--concepts", "keep"), expect=13)
    found = checked(command.json(*site.to_single("--apply", plan, "--reason", "test")))
    assert (site.kind(), found["status"], found["to"]) == (SINGLE, "done", SINGLE)
    assert len(site.ids()) == TEXTS
    status = checked(command.json("migrate", "status"))
    assert status["nodes"][0]["serves"] == f"g2 ({SINGLE})"  # type: ignore[index]  # the schema says so
    assert checked(command.json("migrate", "--to", DUAL, "--dry-run"))["run"] is None
    assert checked(command.json("migrate", "--to", DUAL, "--yes"))["status"] == "done"
    assert (site.kind(), site.digest()) == (DUAL, before)
    runs = command("runs", "--id").stdout.split()
    assert "finalized" in command("migrate", "finalize", "--yes").stdout
    assert site.states() == ["active"]
    for run in runs:
        command("undo", run, "--yes", expect=13)
    assert (site.kind(), site.digest()) == (DUAL, before)
    command("audit", "verify")


def test_no_acknowledged_write_is_lost_on_the_way_there_nor_back(site: Site) -> None:
    """A client writes all the time, and asks again where it is refused; it is told for how long that was."""
    with writing(site.node) as writer:
        told = site.command(*site.to_single()).stdout
        there = len(writer.acknowledged)
        wait_until(lambda: len(writer.acknowledged) > there, "a text after the switch")
    assert "writes were refused for " in told
    assert site.kind() == SINGLE
    assert writer.acknowledged <= site.ids()
    forgotten = {"text3", "written0"}
    for id_ in forgotten:
        assert site.node.ask("DELETE", f"/api/v1/memories/{id_}").status in {200, 204}
    with writing(site.node, "again") as more:
        checked(site.command.json("migrate", "revert", "--yes"))
    assert site.kind() == DUAL
    assert (
        site.ids() == ({f"text{each}" for each in range(TEXTS)} | writer.acknowledged | more.acknowledged) - forgotten
    )


@pytest.mark.parametrize(
    ("step", "done", "then"),
    [
        ("fill", True, "undo"),
        ("freeze", False, "resume"),
        ("activate", False, "resume"),
        ("activate", True, "undo"),
    ],
)
def test_killed_then_resumed_or_undone(site: Site, step: str, done: bool, then: str) -> None:  # noqa: FBT001 - a case
    """`kill -9` of the command: one whole generation is served, and the run can be brought to either end."""
    before = site.digest()
    process = site.command.start(*site.to_single())
    wait_until(lambda: site.stepped(step, done=done) or process.poll() is not None, f"{step} {done}", 60)
    kill(process)
    run = site.run
    assert len(site.ids()) == TEXTS
    site.command(then, run, *(("--yes",) if then == "undo" else ()))
    assert site.kind() == (SINGLE if then == "resume" else DUAL)
    assert "staging" not in site.states()
    if then == "undo":
        assert site.digest() == before
    assert site.takes_writes()


def test_interrupted_it_lets_go_of_the_node_and_says_how_to_go_on(site: Site) -> None:
    """Nothing else is begun beside it (11); Ctrl-C: exit code 130, no freeze is left, and it has to be ended first."""
    process = site.command.start(*site.to_single("--max-rate", "4"))
    wait_until(lambda: site.stepped("fill", done=False), "the filling", 60)
    beside = site.command("migrate", "--to", SINGLE, "--backup", str(site.backup), "--yes", expect=11)
    assert "still at work" in beside.stderr
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    run = site.run
    assert f"runbook resume {run}" in told
    assert site.takes_writes()
    site.command("migrate", "--to", SINGLE, "--backup", str(site.backup), "--yes", expect=13)
    draft = site.command.state / "backups" / f".{run}-n1.json.0123456789ab.draft"  # as a kill -9 leaves it
    draft.parent.mkdir(exist_ok=True)
    draft.write_bytes(b"half of it")
    site.command("undo", run, "--yes")
    assert (site.kind(), site.states(), draft.exists()) == (DUAL, ["active"], False)


def test_the_node_dies_in_the_middle_and_comes_back(site: Site, start_node: StartNode) -> None:
    """Exit code 10 with what to do; resumed once the node is there again, nothing is missing."""
    process = site.command.start(*site.to_single("--max-rate", "20"))
    wait_until(lambda: site.stepped("fill", done=False), "the filling", 60)
    site.node.kill()
    _, told = process.communicate(timeout=120)
    assert process.returncode == 10, told
    run = site.run
    assert f"runbook resume {run}" in told
    site.node = start_node(site.node.folder, port=site.node.port)
    assert (site.kind(), site.states()) == (DUAL, ["active"])
    site.command("resume", run)
    assert (site.kind(), len(site.ids())) == (SINGLE, TEXTS)


def test_what_cannot_be_migrated_is_refused_before_anything_is_touched(site: Site, tmp_path: Path) -> None:
    """Each with its exit code and a hint; the node and the journal are as they were."""
    command, backup = site.command, site.back_up()
    before, entries = site.digest(), len(command.journal())

    def refused(path: Path, code: int, told: str) -> None:
        done = command("migrate", "--to", SINGLE, "--backup", str(path), "--yes", expect=code)
        assert told in done.stderr
        assert "hint: " in done.stderr

    def changed(name: str, change: Callable[[bytes], bytes]) -> Path:
        path = tmp_path / name
        path.write_bytes(change(backup.read_bytes()))
        return path

    refused(changed("flipped.json", lambda raw: raw[:5000] + bytes([raw[5000] ^ 1]) + raw[5001:]), 12, "flipped.json")
    refused(changed("cut.json", lambda raw: raw[:-10]), 12, "cut.json")
    with FileLocks(command.state / "locks", SystemClock(), "bob", "there").hold("target-prod", "x"):
        refused(backup, 11, "bob")
    lease = {"holder": "eve@there", "run": "other", "ttl_seconds": 60}
    assert site.node.admin("POST", "lease", lease).status == 200
    refused(backup, 11, "eve@there")
    assert site.node.admin("DELETE", "lease", {"holder": "eve@there", "run": "other"}).status == 200
    assert site.node.admin("POST", "import", backup.read_bytes()).status == 201
    refused(backup, 13, "staging generation")
    command("import", "--drop", "--yes")
    assert (site.digest(), site.states(), site.takes_writes()) == (before, ["active"], True)
    news = [entry["event"] for entry in command.journal()[entries:]]
    assert not any(event.startswith("migration.") for event in news)


def test_a_backup_of_another_node_or_of_an_earlier_generation_does_not_cover_it(
    site: Site, start_node: StartNode, tmp_path: Path
) -> None:
    """Both are refused, and say whose they are; so is one of single memory."""
    other = site_of(start_node(), tmp_path / "other")
    done = site.command("migrate", "--to", SINGLE, "--backup", str(other.back_up()), "--yes", expect=13)
    assert "another node" in done.stderr
    backup = site.back_up()
    site.command(*site.to_single())
    again = site.command("migrate", "--to", SINGLE, "--backup", str(backup), "--yes", expect=13)
    assert "serves single memory already" in again.stderr
    site.command("migrate", "--to", DUAL, "--yes")
    again = site.command("migrate", "--to", SINGLE, "--backup", str(backup), "--yes", expect=13)
    assert "is of generation g1" in again.stderr


def test_a_backup_of_one_space_only_is_found_out_and_put_back(site: Site) -> None:
    """It says nothing of the others, so the count does: exit code 14, and nothing is left behind."""
    site.node.ask("POST", "/api/v1/spaces", {"id": "tenant-a"})
    assert site.node.remember("A lark of another space", "tenant-a").status == 201
    site.node.settle()
    before, path = site.digest(), site.command.state / "one.json"
    site.command("export", "--format", DUAL, "--space", "tenant-a", "-o", str(path))
    done = site.command.run("migrate", "--to", SINGLE, "--backup", str(path), "--yes")
    assert done.returncode in {13, 14}, done.stderr
    assert (site.kind(), site.digest(), site.states()) == (DUAL, before, ["active"])
    assert site.takes_writes()


def test_rollback_data_and_back_with_the_flags(site: Site) -> None:
    """Flags off, data to single memory, one run; undo brings the data back, and the flags."""
    node, command = site.node, site.command
    assert node.admin("POST", "features", dict.fromkeys(FLAGS, True)).status == 200
    node.settle()
    assert command("rollback", "data", expect=13).stdout.count("->") == 3
    with writing(node) as writer:
        found = checked(command.json("rollback", "data", "--yes", "--reason", "rehearsal"))
    assert (found["status"], site.kind()) == ("done", SINGLE)
    assert writer.acknowledged <= site.ids()
    assert not any(node.admin("GET", "features").json[each] for each in FLAGS)
    run = str(found["run"])
    again = checked(command.json("rollback", "data", "--yes"))
    assert again["left_out"] == {"n1": "it serves single memory already"}
    command("undo", run, "--yes")
    assert site.kind() == DUAL
    assert writer.acknowledged <= site.ids()
    assert all(node.admin("GET", "features").json[each] for each in FLAGS)
    command("audit", "verify")


def test_rollback_data_interrupted_at_the_flags_says_that_no_data_was_migrated(site: Site) -> None:
    """The brake says DONE of the flags; Ctrl-C is 130, the data is as it was, and how to go on is told."""
    process = site.command.start("rollback", "data", "--yes", "--json")
    assert process.stderr is not None
    while "Ansible makes it durable" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    told = json.loads(err.splitlines()[-1])["error"]
    assert told["message"] == "interrupted: no data was migrated"
    assert "runbook rollback data" in told["hint"]
    assert f"runbook undo {told['run']}" in told["hint"]
    assert (site.kind(), site.states()) == (DUAL, ["active"])


def test_on_a_target_that_asks_for_it_a_reason_is_needed_except_by_a_rollback(
    start_node: StartNode, tmp_path: Path
) -> None:
    """The rails hold a migration, and never a rollback."""
    rails = '[targets.prod.rails]\nrequire_reason = true\ncool_down = "30m"\n'
    site = site_of(start_node(), tmp_path / "state", rails=rails)
    assert site.node.admin("POST", "features", dict.fromkeys(FLAGS, True)).status == 200
    assert "reason" in site.command(*site.to_single(), expect=13).stderr
    run = json.loads(site.command("rollback", "data", "--yes", "--json").stdout)["data"]
    assert run["status"] == "done"
    rests = site.command("migrate", "--to", DUAL, "--yes", "--reason", "too soon", expect=13)
    assert "cool_down" in rests.stderr
    assert site.command("runs", "--id").stdout.split() == [run["run"]]  # nothing waits for an approval
    site.command("undo", run["run"], "--yes")


def test_a_node_that_is_gone_does_not_hold_up_the_others(start_node: StartNode, tmp_path: Path) -> None:
    """Rolled back are those that answer: exit code 5, with the reason of the others; undo goes back there."""
    site = site_of(start_node(), tmp_path / "state", beside="http://127.0.0.1:9")
    before = site.digest()
    found = checked(site.command.json("rollback", "data", "--yes", "--deadline", "1s", expect=5))
    assert checked(site.command.json("migrate", "status"))["run"] == found["run"]
    assert (found["status"], list(found["left_out"]), site.kind()) == ("done", ["n2"], SINGLE)  # type: ignore[call-overload]  # the schema says so
    site.command("migrate", "revert", str(found["run"]), "--yes")
    assert site.digest() == before


def test_on_a_terminal_it_says_what_is_lost_and_asks_once(site: Site) -> None:
    """No leaves everything as it was (13); yes to each of migrating, reverting and finalizing does it."""
    before, command = site.digest(), site.command

    def typed(answer: str, *words: str) -> tuple[int, str]:
        return on_terminal([*command.words, *words], command.environment, command.state, typed=answer, columns=160)

    words = ("migrate", "--to", SINGLE, "--backup", str(site.back_up()))
    code, shown = typed("n", *words)
    assert (code, shown.count("[y/N]"), site.digest(), site.states()) == (13, 1, before, ["active"])
    assert "single memory cannot hold:" in shown
    assert typed("y", *words)[0] == 0
    code, shown = typed("y", "migrate", "revert")
    assert (code, site.digest()) == (0, before)
    assert "with 0 written since, as new episodes" in shown
    assert typed("n", "migrate", "finalize")[0] == 13
    assert typed("y", "migrate", "finalize")[0] == 0
    assert site.states() == ["active"]
