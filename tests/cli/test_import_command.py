"""`runbook import`: an archive beside what is served, proven, and served only when that is asked for."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
import whole_data
from command_line import WORDS, Output, as_process, complaint, document, plain_environment
from jsonschema import Draft202012Validator
from running_node import RunningNode, wait_until
from terminal import DENIED, on_terminal

from runbook.adapters.clock import SystemClock
from runbook.adapters.locks import FileLocks
from runbook.cli.root import run
from runbook.material import schema

ARCHIVE = whole_data.write("dual_memory", [whole_data.episode(f"ep-{number}") for number in range(4)])
SINGLE, RESIDUE = whole_data.converted(ARCHIVE, "single_memory")
WHY = ("--reason", "test")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A whole archive of four episodes."""
    path = tmp_path / "a.json"
    path.write_bytes(ARCHIVE)
    return path


@pytest.fixture(autouse=True)
def _nothing_is_left(shared_node: RunningNode) -> None:
    """Of what the test before had prepared."""
    for name, state in whole_data.states(shared_node).items():
        if state == "staging":
            shared_node.admin("DELETE", f"generations/{name}")


def served(node: RunningNode) -> str:
    """The id of the generation that is served."""
    return next(name for name, state in whole_data.states(node).items() if state == "active")


def events(capsys: Output) -> list[tuple[str, str]]:
    """What the journal has of imports; every line of it fits its schema."""
    entries = document(capsys, "audit", "show")["data"]["entries"]
    return [(each["event"], each["details"]["state"]) for each in entries if each["event"].startswith("data.")]


def test_it_waits_beside_what_is_served_until_it_is_activated(
    shared_node: RunningNode, target: Path, file: Path, state: Path, capsys: Output
) -> None:
    """The same command with --activate goes on from there; what is exported then has the same content."""
    before = served(shared_node)
    first = document(capsys, "import", str(file), *WHY)["data"]
    assert (first["activated"], first["reused"], first["archive"]["counts"]["episode"]) == (False, False, 4)
    assert served(shared_node) == before
    assert events(capsys) == [("data.imported", "intended"), ("data.imported", "done")]
    second = document(capsys, "import", str(file), "--activate", "--yes", *WHY)["data"]
    assert (second["generation"], second["reused"], second["replaced"]) == (first["generation"], True, before)
    assert served(shared_node) == first["generation"]
    assert whole_data.states(shared_node)[before] == "kept"
    assert events(capsys)[2:] == [("data.activated", "intended"), ("data.activated", "done")]
    out = file.with_name("b.json")
    assert run(["export", "--format", "dual_memory", "-o", str(out)]) == 0
    assert run(["inspect", str(out), "--compare", str(file)]) == 0
    for line in (state / "journal.jsonl").read_text().splitlines():
        Draft202012Validator(schema("journal.v1")).validate(json.loads(line))


def test_it_can_be_let_go_of(shared_node: RunningNode, target: Path, file: Path, capsys: Output) -> None:
    """Where there is something to let go of."""
    assert complaint(capsys, "import", "--drop", "--yes", *WHY, expect=13)
    made = document(capsys, "import", str(file), *WHY)["data"]["generation"]
    assert document(capsys, "import", "--drop", "--yes", *WHY)["data"]["dropped"] == made
    assert made not in whole_data.states(shared_node)


def test_another_archive_beside_one_that_waits_is_refused(
    shared_node: RunningNode, target: Path, file: Path, capsys: Output
) -> None:
    """With the way out; what waits stays."""
    made = document(capsys, "import", str(file), *WHY)["data"]["generation"]
    file.write_bytes(whole_data.write("dual_memory", []))
    assert "--drop" in complaint(capsys, "import", str(file), *WHY, expect=13)["hint"]
    assert whole_data.states(shared_node)[made] == "staging"


def test_standard_input_is_kept_and_read_twice(
    shared_node: RunningNode, target: Path, state: Path, tmp_path: Path
) -> None:
    """In a file without a name: nothing of it is left on the disk."""
    settings = plain_environment(state) | {"RUNBOOK_CONFIG": str(target / "runbook.toml"), "TMPDIR": str(tmp_path)}
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        [*WORDS, "import", "-", "--activate", "--yes", *WHY],
        input=ARCHIVE,
        env=settings,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [each for each in tmp_path.iterdir() if each not in {*before, state}] == []


def test_a_single_memory_brings_its_residue_along(
    shared_node: RunningNode, target: Path, tmp_path: Path, capsys: Output
) -> None:
    """Both are proven; exported again both have the same content."""
    data, residue = tmp_path / "single.json", tmp_path / "single.residue.json"
    data.write_bytes(SINGLE)
    residue.write_bytes(RESIDUE)
    assert run(["import", str(data), "--residue", str(residue), "--activate", "--yes", *WHY]) == 0
    for kind, path in (("single_memory", data), ("residue", residue)):
        out = tmp_path / f"{kind}.json"
        assert run(["export", "--format", kind, "-o", str(out)]) == 0
        assert run(["inspect", str(out), "--compare", str(path)]) == 0
    data.write_bytes(ARCHIVE)
    assert run(["import", str(data), "--activate", "--yes", *WHY]) == 0


@pytest.mark.parametrize(
    ("archive", "code"),
    [
        (ARCHIVE[:-100], 12),
        (ARCHIVE.replace(b"AAAAgAEAAAD", b"AAAAgAIAAAD", 1), 12),
        (b"\xef\xbb\xbf" + ARCHIVE, 12),
        (ARCHIVE.replace(b'"version":1', b'"version":2', 1), 17),
        (RESIDUE, 13),
        (whole_data.write("dual_memory", [], since=1), 13),
        (whole_data.write("dual_memory", [whole_data.episode("x", space="NO SUCH NAME")]), 13),
    ],
    ids=["truncated", "a byte", "byte order mark", "newer", "residue", "changes", "a space that cannot be"],
)
def test_what_cannot_be_imported_leaves_nothing(
    archive: bytes, code: int, shared_node: RunningNode, target: Path, file: Path, capsys: Output
) -> None:
    """And mostly the node never hears of it."""
    file.write_bytes(archive)
    before = whole_data.states(shared_node)
    assert complaint(capsys, "import", str(file), "--activate", "--yes", *WHY, expect=code)["hint"]
    assert whole_data.states(shared_node) == before


def test_what_is_no_file(shared_node: RunningNode, target: Path, file: Path, state: Path, capsys: Output) -> None:
    """Nothing there, a folder, a symbolic link, one that may not be read; and words that do not go together."""
    link = file.with_name("link.json")
    link.symlink_to(file)
    for words, code in (
        (("none.json",), 2),
        ((str(file.parent),), 2),
        ((str(link),), 16),
        ((), 2),
        ((str(file), "--drop"), 2),
        (("--drop", "--activate"), 2),
        (("-", "--residue", "-"), 2),
        ((str(file), "--node", "n9"), 2),
    ):
        assert run(["import", *words, "--yes", *WHY]) == code, words
    file.chmod(0)
    settings = plain_environment(state) | {"RUNBOOK_CONFIG": str(target / "runbook.toml")}
    assert as_process("import", str(file), *WHY, environment=settings, prefix=DENIED).returncode == 16


def test_production_needs_a_reason_and_a_switch_needs_a_yes(
    shared_node: RunningNode, target: Path, file: Path, state: Path, capsys: Output
) -> None:
    """Both before anything is read; on a terminal the person is asked, and may say no."""
    assert "reason" in complaint(capsys, "import", str(file), expect=13)["message"]
    assert "--yes" in complaint(capsys, "import", str(file), "--activate", *WHY, expect=13)["hint"]
    settings = plain_environment(state) | {"RUNBOOK_CONFIG": str(target / "runbook.toml")}
    words = [*WORDS, "import", str(file), "--activate", *WHY]
    before = served(shared_node)
    code, shown = on_terminal(words, settings, file.parent, typed="n")
    assert (code, f"instead of {before}" in shown) == (13, True)
    assert served(shared_node) == before
    code, shown = on_terminal(words, settings, file.parent, typed="y")
    assert (code, f"{before} is kept" in shown) == (0, True)
    assert served(shared_node) != before


def test_the_rails_hold_a_switch_but_not_what_only_waits(
    shared_node: RunningNode, target: Path, file: Path, capsys: Output
) -> None:
    """The highest risk, and a second person, for whom it cannot wait."""
    configuration = target / "runbook.toml"
    plain = configuration.read_text()
    for rail in ('allowed_risk = "medium"', 'require_approval = "disruptive"'):
        configuration.write_text(plain.replace("[targets.gone]", f"[targets.prod.rails]\n{rail}\n[targets.gone]"))
        told = complaint(capsys, "import", str(file), "--activate", "--yes", *WHY, expect=13)
        assert "without --activate" in told["hint"]
    assert run(["import", str(file), *WHY]) == 0


def test_another_run_on_the_target_keeps_it_waiting(
    shared_node: RunningNode, target: Path, file: Path, state: Path, capsys: Output
) -> None:
    """11, with the holder; the node is not touched."""
    before = whole_data.states(shared_node)
    settings = plain_environment(state) | {"RUNBOOK_CONFIG": str(target / "runbook.toml")}
    with FileLocks(state / "locks", SystemClock(), "bob", "there").hold("target-prod", "other"):
        done = as_process("import", str(file), *WHY, environment=settings)
    assert (done.returncode, "bob" in done.stderr) == (11, True)
    assert whole_data.states(shared_node) == before


def test_what_was_written_meanwhile_makes_the_switch_fail(
    shared_node: RunningNode, target: Path, file: Path, state: Path, capsys: Output
) -> None:
    """13; nothing is lost, what was imported waits, and the same command can be given again."""
    file.write_bytes(whole_data.write("dual_memory", [whole_data.episode(f"ep-{n:05}") for n in range(300)]))
    before = served(shared_node)
    words = ("import", str(file), "--activate", "--yes", *WHY)
    process = sending(words, target, state)
    process.send_signal(signal.SIGSTOP)
    shared_node.ask("POST", "/api/v1/spaces", {"id": "written-since"})
    assert shared_node.remember("written meanwhile", "written-since").status == 201
    process.send_signal(signal.SIGCONT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, "something was written since" in told) == (13, True), told
    assert "the same command again" in told
    assert served(shared_node) == before
    assert document(capsys, *words)["data"]["reused"]


def sending(words: tuple[str, ...], target: Path, state: Path) -> subprocess.Popen[str]:
    """The command, in the middle of sending the archive."""
    settings = plain_environment(state) | {"RUNBOOK_CONFIG": str(target / "runbook.toml")}
    command = [*WORDS, *words, "--progress", "json"]
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    error = process.stderr
    assert error is not None
    wait_until(lambda: "send" in error.readline(), "nothing was sent")
    return process


def test_a_node_that_is_away(target: Path, file: Path, capsys: Output) -> None:
    """10, after the archive was found to be whole."""
    told = complaint(capsys, "import", str(file), "--target", "gone", *WHY, expect=10)
    assert told["name"] == "unreachable"


def test_ctrl_c_in_the_middle_leaves_nothing(
    shared_node: RunningNode, target: Path, file: Path, state: Path, capsys: Output
) -> None:
    """130; the connection is cut, and the node lets go of what had come."""
    file.write_bytes(whole_data.write("dual_memory", [whole_data.episode(f"ep-{n:05}") for n in range(3000)]))
    before = whole_data.states(shared_node)
    process = sending(("import", str(file), *WHY), target, state)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in told) == (130, False)
    assert "run the same command again" in told
    wait_until(lambda: whole_data.states(shared_node) == before, "something is left")
    assert events(capsys) == [("data.imported", "intended"), ("data.imported", "failed")]
    wait_until(lambda: run(["import", str(file), *WHY]) == 0, "given again, it does not go through", 60)
