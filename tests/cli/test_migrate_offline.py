"""`runbook migrate` on files: the plan in plain words, the conversion, and everything that may come in between."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import WORDS, Output, as_process, complaint, document, plain_environment
from jsonschema import Draft202012Validator
from running_node import RunningNode, wait_until

sys.path.append(str(Path(__file__).parents[1] / "migrations"))
from converting import read, store, write

from runbook.cli.root import run
from runbook.material import schema

THERE = ("migrate", "--to", "single_memory", "--backup", "backup.json")
BACK = ("migrate", "--to", "dual_memory", "--backup", "single.json")


@pytest.fixture
def place(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which a backup lies."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    write(folder / "backup.json", store(3, 2))
    return folder


def names(place: Path) -> set[str]:
    """Everything in the folder, hidden files too."""
    return {path.name for path in place.iterdir()}


def journal(state: Path) -> list[dict[str, Any]]:
    """Every entry."""
    path = state / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_there_and_back_without_any_node(place: Path, state: Path, capsys: Output) -> None:
    """The residue lies beside the data, is found by itself, and what comes back is what went in, byte for byte."""
    assert run([*THERE, "-o", "single.json"]) == 0
    told = capsys.readouterr().out
    assert "data: single.json: 6 memories" in told
    assert "residue: single.residue.json: 6 episodes, 4 concepts, 12 bindings" in told
    assert run([*BACK, "-o", "back.json"]) == 0
    assert (place / "back.json").read_bytes() == (place / "backup.json").read_bytes()
    assert names(place) == {"backup.json", "single.json", "single.residue.json", "back.json"}
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o600}
    events = [entry["event"] for entry in journal(state)]
    assert events[0] == "migration.started"
    assert events[-1] == "migration.ended"
    assert events.count("migration.started") == events.count("migration.ended") == 2
    assert set(events[1:-1]) == {"migration.step", "migration.ended", "migration.started"}
    assert journal(state)[-1]["details"]["status"] == "done"


def test_concepts_are_kept_where_that_was_asked_for(place: Path, capsys: Output) -> None:
    """Each is a memory too; and the way back knows them."""
    assert document(capsys, *THERE, "-o", "single.json", "--concepts", "keep")["data"]["data"]["counts"] == {
        "memory": 10
    }
    assert run([*BACK, "-o", "back.json"]) == 0
    assert (place / "back.json").read_bytes() == (place / "backup.json").read_bytes()


def test_a_dry_run_says_what_is_lost_and_changes_nothing(place: Path, state: Path, capsys: Output) -> None:
    """Every field that a memory cannot hold, how many records have it, and where it is kept; no node is asked."""
    assert run([*THERE, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "dual memory -> single memory (m0001_dual_to_single)" in told
    assert "node node-1, snapshot g1:7: 6 episodes, 4 concepts, 12 bindings" in told
    assert "6 x episode -> memory, 11 fields" in told
    assert "6 x episode: where, who, vividness_confidence" in told
    assert "12 x binding: space, episode_id" in told
    assert "(kept in the residue)" in told
    assert names(place) == {"backup.json"}
    assert not state.exists()
    assert run([*BACK[:-1], "backup.json", "--dry-run"]) == 13


def test_without_residue_it_says_so_aloud(place: Path, capsys: Output) -> None:
    """Nobody shall wonder later where the concepts are."""
    assert run([*THERE, "-o", "single.json"]) == 0
    (place / "single.residue.json").unlink()
    capsys.readouterr()
    assert run([*BACK, "--dry-run"]) == 0
    assert "WITHOUT RESIDUE" in capsys.readouterr().out


def test_a_plan_is_a_file_and_is_carried_out_as_it_is(place: Path, capsys: Output) -> None:
    """It fits its schema; the same sources and choices give the same plan."""
    data = document(capsys, *THERE, "-o", "single.json", "--dry-run", "--plan-out", "plan.json")["data"]
    found = json.loads((place / "plan.json").read_text())
    Draft202012Validator(schema("plan.v1")).validate(found)
    assert data["plan"] == found
    assert names(place) == {"backup.json", "plan.json"}
    assert run([*THERE, "-o", "single.json", "--apply", "plan.json"]) == 0
    assert (place / "single.json").exists()


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ("source", 13, "what is converted"),
        ("choice", 13, "--concepts"),
        ("output", 13, "where it goes"),
        ("tampered", 12, "was changed since it was written"),
        ("not a plan", 12, "carried"),
        ("newer", 17, "version 2"),
        ("missing", 2, "there is no file"),
    ],
)
def test_another_plan_is_refused(place: Path, capsys: Output, change: str, code: int, says: str) -> None:
    """And nothing is made."""
    assert run([*THERE, "-o", "single.json", "--dry-run", "--plan-out", "plan.json"]) == 0
    capsys.readouterr()
    words, plan = [*THERE, "-o", "single.json", "--apply", "plan.json"], place / "plan.json"
    found = json.loads(plan.read_text())
    match change:
        case "source":
            write(place / "backup.json", store(2, 2))
        case "choice":
            words += ["--concepts", "keep"]
        case "output":
            words[words.index("single.json")] = "other.json"
        case "tampered":
            plan.write_text(json.dumps({**found, "losses": []}))
        case "not a plan":
            plan.write_text(json.dumps({name: value for name, value in found.items() if name != "carried"}))
        case "newer":
            plan.write_text(json.dumps({**found, "version": 2}))
        case _:
            plan.unlink()
    assert says in complaint(capsys, *words, expect=code)["message"]
    assert names(place) <= {"backup.json", "plan.json"}


def test_damage_is_told_by_its_place_before_anything_else(place: Path, state: Path, capsys: Output) -> None:
    """And nothing is left; not even the journal was opened."""
    data = bytearray((place / "backup.json").read_bytes())
    data[5000] ^= 1
    (place / "backup.json").write_bytes(data)
    assert "backup.json: " in complaint(capsys, *THERE, "-o", "single.json", expect=12)["message"]
    assert names(place) == {"backup.json"}
    assert journal(state) == []


def test_the_residue_of_another_node_is_damage(place: Path, capsys: Output) -> None:
    """It would give these memories somebody else's past."""
    assert run([*THERE, "-o", "single.json"]) == 0
    write(place / "other.json", read(place / "single.residue.json"), "residue", node="node-2")
    capsys.readouterr()
    told = complaint(capsys, *BACK, "-o", "back.json", "--residue", "other.json", expect=12)
    assert "residue of the node node-2" in told["message"]
    assert "back.json" not in names(place)


def test_what_is_there_is_not_replaced_unasked(place: Path, capsys: Output) -> None:
    """Neither the data nor the residue; `--yes` does."""
    (place / "single.residue.json").write_text("mine")
    assert "is there already" in complaint(capsys, *THERE, "-o", "single.json", expect=13)["message"]
    assert (place / "single.residue.json").read_text() == "mine"
    assert run([*THERE, "-o", "single.json", "--yes"]) == 0
    assert read(place / "single.residue.json")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["migrate"], "what shall the data become"),
        (["migrate", "--to", "single_memory", "-o", "x.json"], "what shall be converted"),
        ([*THERE, "-o", "-"], "name of a file"),
        ([*THERE, "-o", "nowhere/x.json"], "there is no folder"),
        ([*THERE, "-o", "backup.json", "--yes"], "over what it is made of"),
        ([*THERE, "-o", "x.json", "--residue", "y.json"], "on the way back only"),
    ],
)
def test_what_does_not_go_together_is_told(place: Path, capsys: Output, words: list[str], says: str) -> None:
    """Before anything is read or made."""
    assert says in complaint(capsys, *words, expect=2)["message"]
    assert names(place) == {"backup.json"}


def test_from_a_pipe_and_packed(place: Path, state: Path) -> None:
    """`-` is standard input; a name that ends in .zst is packed, the residue's too."""
    backup = (place / "backup.json").read_bytes()
    command = [*WORDS, "migrate", "--to", "single_memory", "--backup", "-", "-o", "single.json.zst"]
    done = subprocess.run(
        command, input=backup, env=plain_environment(state), cwd=place, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert names(place) == {"backup.json", "single.json.zst", "single.residue.json.zst"}
    words = ("migrate", "--to", "dual_memory", "--backup", "single.json.zst", "-o", "back.json")
    assert as_process(*words, environment=plain_environment(state), cwd=place).returncode == 0
    assert (place / "back.json").read_bytes() == backup


def started(place: Path, state: Path, *words: str) -> "subprocess.Popen[str]":
    """The command as a process with JSON lines of progress."""
    command = [*WORDS, *words, "--progress", "json"]
    return subprocess.Popen(
        command, cwd=place, env=plain_environment(state), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_stopped_it_goes_on_when_it_is_typed_again(
    place: Path, state: Path, capsys: Output, number: signal.Signals, code: int
) -> None:
    """It says so; the journal has one run, resumed; and the result is that of an uninterrupted one."""
    write(place / "backup.json", store(600, 3))
    assert run([*THERE, "-o", "whole.json"]) == 0
    process = started(place, state, *THERE, "-o", "single.json", "--workers", "1")
    assert process.stderr is not None
    wait_until(
        lambda: (place / ".single.json.migration" / "job.json").exists() or process.poll() is not None, "it began"
    )
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode in {code, 0}, err
    if process.returncode == code and code > 0 and "was interrupted (run" in err:
        assert "go on where it was: runbook migrate --to single_memory --backup backup.json -o single.json" in err
    if process.returncode != 0:
        assert not (place / "single.json").exists()
        assert run([*THERE, "-o", "single.json"]) == 0
    for ending in (".json", ".residue.json"):
        assert (place / f"single{ending}").read_bytes() == (place / f"whole{ending}").read_bytes()
    assert not any(name.startswith(".") for name in names(place))
    assert journal(state)[-1]["event"] == "migration.ended"


def test_two_at_once_are_one_too_many(place: Path, capsys: Output) -> None:
    """The second one exits 11, and says who is at work."""
    from runbook.adapters.clock import SystemClock  # noqa: PLC0415
    from runbook.adapters.locks import FileLocks  # noqa: PLC0415

    work = place / ".single.json.migration"
    work.mkdir()
    with FileLocks(work, SystemClock(), "ada", "here").hold("conversion", "r1"):
        told = complaint(capsys, *THERE, "-o", "single.json", expect=11)
    assert "run r1 of ada on here" in told["message"]
    assert run([*THERE, "-o", "single.json"]) == 0


def test_the_beginning_of_another_conversion_is_not_gone_on_with(place: Path, capsys: Output) -> None:
    """The source or the choice changed since: refused, with what to remove."""
    work = place / ".single.json.migration"
    assert run([*THERE, "-o", "whole.json"]) == 0
    work.mkdir()
    (work / "run").write_text("20261127T000000-aaaa")
    _leave_job(place, work)
    capsys.readouterr()
    told = complaint(capsys, *THERE, "-o", "single.json", "--concepts", "keep", expect=13)
    assert "--concepts changed since" in told["message"]
    assert f"rm -r {work}" in told["hint"]
    assert (work / "job.json").exists()


def _leave_job(place: Path, work: Path) -> None:
    """As a conversion with the default choice leaves it."""
    from runbook.adapters.archives.conversion import FileConverter  # noqa: PLC0415
    from runbook.model.conversion import Job  # noqa: PLC0415

    FileConverter().convert(Job(place / "backup.json", "m0001_dual_to_single", work), lambda *_: None)


def test_too_little_room_is_known_before(place: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the size must be free; nothing is begun."""
    monkeypatch.setattr("runbook.adapters.archives.kept.KeptArchives.free_bytes", lambda *_: 1000)
    assert "1000 bytes are free" in complaint(capsys, *THERE, "-o", "single.json", expect=13)["message"]
    assert names(place) == {"backup.json"}


def test_a_disk_that_refuses_is_told_and_the_next_try_goes_on(place: Path, state: Path) -> None:
    """Exit 16; the backup is untouched, no half archive is there, and what was done is used."""
    write(place / "backup.json", store(60, 3))
    words = (*THERE, "-o", "single.json", "--workers", "1")
    limited = as_process(
        *words, environment=plain_environment(state), cwd=place, prefix=("prlimit", f"--fsize={200_000}", "--")
    )
    assert limited.returncode == 16, limited.stderr
    assert "Traceback" not in limited.stderr
    assert not (place / "single.json").exists()
    assert as_process(*words, environment=plain_environment(state), cwd=place).returncode == 0
    assert names(place) == {"backup.json", "single.json", "single.residue.json"}
    events = [entry["event"] for entry in journal(state)]
    assert "migration.resumed" in events


def test_a_dry_run_tells_what_was_written_since_the_backup(
    target: Path, place: Path, shared_node: RunningNode, capsys: Output
) -> None:
    """Where the node of the backup can be asked; it is asked nothing else, and a dead one is no hindrance."""
    assert run(["export", "--format", "dual_memory", "-o", "node.json"]) == 0
    words = ("migrate", "--to", "single_memory", "--backup", "node.json", "--dry-run")
    assert document(capsys, *words)["data"]["newer_writes"] == 0
    shared_node.remember("a text that came later")
    capsys.readouterr()
    assert run(list(words)) == 0
    assert "writes of the node are newer than this backup" in capsys.readouterr().out
    assert document(capsys, *words, "--target", "gone")["data"]["newer_writes"] is None
    assert document(capsys, *THERE, "--dry-run")["data"]["newer_writes"] is None


def test_a_backup_that_is_not_there_is_a_word_that_is_wrong(place: Path, capsys: Output) -> None:
    """Not what the disk refused: exit code 2 with and without `-o`, and nothing is left."""
    words = ("migrate", "--to", "single_memory", "--backup", "missing.json")
    for more in ((), ("-o", "single.json"), ("--dry-run",)):
        assert "there is no missing.json" in complaint(capsys, *words, *more, expect=2)["message"]
    assert names(place) == {"backup.json"}


def test_interrupted_while_it_reads_it_says_to_give_the_command_again(
    place: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything was begun, too, Ctrl-C says how to go on."""

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("runbook.cli.migrate.offline.convert", interrupted)
    told = complaint(capsys, *THERE, "-o", "single.json", expect=130)
    assert (told["message"], told["hint"]) == ("interrupted; no node was touched", "give the same command again")
    assert names(place) == {"backup.json"}
