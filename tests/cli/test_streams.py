"""Where the output goes: pipes that close, disks that are full, terminals that are narrow, plain locales."""

import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
import whole_data
from command_line import WORDS, as_process, plain_environment
from forked import Forked
from terminal import DENIED, on_terminal

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.model.journal import Event
from runbook.model.run import RunPlan

REASON = "café \N{SNOWMAN}, and a sentence that is long enough to be folded on the narrowest of terminals"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a state folder with a journal."""
    folder = tmp_path / "state"
    FileJournal(folder, SystemClock(), "anna", "bastion").append(Event.JOURNAL_STARTED, "", {"reason": REASON})
    return plain_environment(folder) | {"HOME": str(tmp_path)}


def shell(script: str, environment: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """A shell's line in which `runbook` is the real command; `status` on stdout is the command's exit code."""
    quoted = " ".join(f'"{word}"' for word in WORDS)
    return subprocess.run(
        ["bash", "-c", f'runbook() {{ {quoted} "$@"; }}\n{script}'],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("words", ["audit show", "audit show --json", "doctor", "--help", "sandbox --help", "runs"])
def test_a_reader_that_leaves_is_no_error(words: str, environment: dict[str, str], tmp_path: Path) -> None:
    """A reader of one letter and one that takes nothing: no complaint; the exit code is the answer's all the same."""
    expect = as_process(*words.split(), environment=environment, cwd=tmp_path).returncode
    for taken in (1, 0):
        reading, writing = os.pipe()
        with (tmp_path / "said").open("w+b") as said:
            if not taken:
                os.close(reading)
            process = Forked("runbook", words.split(), environment, tmp_path, 0, writing, said.fileno())
            os.close(writing)
            if taken:
                assert os.read(reading, taken)
                os.close(reading)
            assert process.wait(60) == expect
            said.seek(0)
            assert said.read() == b""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_bug(closed: str, environment: dict[str, str], tmp_path: Path) -> None:
    """Started by something that gives no streams: the answer is the exit code."""
    done = shell(f"runbook audit verify {closed}; echo $?", environment, tmp_path)
    assert done.stdout.split()[-1] == "0"
    assert "bug" not in done.stderr


def test_an_archive_is_not_written_to_a_closed_stdout(environment: dict[str, str], tmp_path: Path) -> None:
    """It would go nowhere, and 0 would say that it is there."""
    (tmp_path / "a.json").write_bytes(whole_data.write("dual_memory", [whole_data.episode("ep-1")]))
    done = shell("runbook inspect a.json --decode >&-; echo $?", environment, tmp_path)
    assert done.stdout.split()[-1] == "2"
    assert "standard output is closed" in done.stderr


def test_a_disk_of_temporary_files_that_is_full_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    """Neither the archive that is read nor the output is to blame, where what is kept beside finds no room."""
    episodes = [whole_data.episode(f"ep-{number:02d}-{'x' * 200}") for number in range(60)]
    (tmp_path / "a.json").write_bytes(whole_data.write("dual_memory", episodes))
    (tmp_path / "small").mkdir()
    there = environment | {"TMPDIR": str(tmp_path / "small")}
    done = shell("(ulimit -f 1; runbook inspect a.json; echo $?) | cat", there, tmp_path)
    assert done.stdout.split()[-1] == "16"
    assert f"temporary file in {tmp_path / 'small'}" in done.stderr
    assert "TMPDIR" in done.stderr


def test_a_closed_stdout_never_becomes_a_file_of_ours(environment: dict[str, str], tmp_path: Path) -> None:
    """The number 1 is taken before the journal is opened, or the report would be written into it."""
    Path(environment["RUNBOOK_STATE"], "journal.jsonl").write_bytes(b"{}\n")
    shell('runbook audit set-aside --reason "damaged" >&- 2>&-', environment, tmp_path)
    assert as_process("audit", "verify", environment=environment, cwd=tmp_path).returncode == 0


def test_a_full_disk_under_the_output_is_16(environment: dict[str, str], tmp_path: Path) -> None:
    """The report could not be kept: said, and not called a bug."""
    with Path("/dev/full").open("wb") as full:
        done = as_process("audit", "show", "--json", environment=environment, cwd=tmp_path, stdout=full)
    assert done.returncode == 16
    assert "No space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "locale",
    [{"LC_ALL": "C"}, {}, {"LC_ALL": "xx_XX.UTF-9"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_the_plainest_of_locales(locale: dict[str, str], environment: dict[str, str], tmp_path: Path) -> None:
    """No locale at all, C, or one that is not there: text that does not fit is escaped, never a crash."""
    for words in (["audit", "show"], ["audit", "show", "--json"], ["undo", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"]):
        done = subprocess.run(
            [*WORDS, *words], env=environment | locale, cwd=tmp_path, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == (2 if "undo" in words else 0), done.stderr
        assert b"caf" in done.stdout + done.stderr


def test_colour_only_on_a_terminal_that_wants_it(environment: dict[str, str], tmp_path: Path) -> None:
    """NO_COLOR and a dumb terminal turn it off; a pipe never has any."""
    environment |= {"TERM": "xterm"}
    words = [*WORDS, "doctor"]
    _, painted = on_terminal(words, environment, tmp_path)
    assert "\x1b[3" in painted
    for plain in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        _, shown = on_terminal(words, environment | plain, tmp_path)
        assert "\x1b" not in shown
    assert "\x1b" not in as_process("doctor", environment=environment, cwd=tmp_path).stdout


@pytest.mark.parametrize("words", [["audit", "show"], ["doctor"], ["audit", "verify"]])
def test_forty_columns(words: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    """No line is longer than the terminal, unless a single word is; nothing is cut off."""
    wide = " ".join(as_process(*words, environment=environment, cwd=tmp_path).stdout.split())
    _, shown = on_terminal([*WORDS, *words], environment | {"NO_COLOR": "1"}, tmp_path, columns=40)
    for line in shown.splitlines():
        assert len(line) <= 40 or len(line.split()) <= 2, line
    assert "".join(shown.split()) == "".join(wide.split())


def test_control_characters_are_shown_and_not_sent(environment: dict[str, str], tmp_path: Path) -> None:
    """What someone typed as a reason cannot move the cursor of whoever reads the runs."""
    journal = FileJournal(Path(environment["RUNBOOK_STATE"]), SystemClock(), "anna", "bastion")
    plan = RunPlan("r1", "act", "high-formation-rate", "prod", "\x1b[2J\r\nall is well", ())
    journal.append(Event.RUN_STARTED, "r1", {"plan": asdict(plan)})
    done = as_process("runs", environment=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert r"reason: \x1b[2J\r\nall is well" in done.stdout


@pytest.mark.parametrize("home", ["/proc/nowhere", "", None])
def test_a_home_that_cannot_be_used(home: str | None, open_folder: Path) -> None:
    """Unwritable, empty or not set: what only reads, works."""
    environment = {name: value for name, value in plain_environment(open_folder).items() if name != "HOME"}
    del environment["RUNBOOK_STATE"]
    environment |= {} if home is None else {"HOME": home}
    for words in (["runs"], ["audit", "verify"], ["--help"]):
        done = as_process(*words, environment=environment, cwd="/", prefix=DENIED)
        assert done.returncode == 0, done.stderr


def test_a_state_folder_that_cannot_be_written(open_folder: Path) -> None:
    """16 for what has to write, with the folder named; what only reads, works."""
    open_folder.chmod(0o500)
    environment = plain_environment(open_folder / "state")
    assert as_process("audit", "verify", environment=environment, cwd="/", prefix=DENIED).returncode == 0
    done = as_process("sandbox", "up", "--nodes", "1", environment=environment, cwd="/", prefix=DENIED)
    assert done.returncode == 16, done.stderr
    assert str(open_folder) in done.stderr
    assert list(open_folder.iterdir()) == []


def test_an_error_is_plain_where_colour_is_not_wanted(environment: dict[str, str], tmp_path: Path) -> None:
    """NO_COLOR counts for errors too."""
    _, shown = on_terminal([*WORDS, "undo", "r1"], environment | {"NO_COLOR": "1", "TERM": "xterm"}, tmp_path)
    assert "there is no run" in shown
    assert "\x1b" not in shown


def test_watching_ends_when_its_reader_leaves(target: Path, state: Path) -> None:
    """What would go on for ever has nobody to go on for."""
    environment = plain_environment(state) | {"RUNBOOK_CONFIG": str(target / "runbook.toml")}
    script = "runbook diagnose --watch --every 1s --window 1s | head -1; echo ${PIPESTATUS[0]}"
    done = shell(script, environment, target)
    assert done.stdout.splitlines()[0].endswith("UTC")
    assert done.stdout.split()[-1] == "4"
