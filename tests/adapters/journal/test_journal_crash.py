"""Processes that die, and processes at once: what was acknowledged is there, and the chain is sound."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from runbook.adapters.journal import FileJournal
from runbook.model.journal import Event

APPENDER = """
import os, sys
from pathlib import Path
from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.model.journal import Event
folder, run, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal = FileJournal(folder, SystemClock(), "anna", "bastion")
for number in range(count):
    entry = journal.append(Event.STEP_INTENT, run, {"number": number, "filling": "x" * 500})
    os.write(1, f"{entry.seq}\\n".encode())
"""


def appender(folder: Path, run: str, count: int) -> subprocess.Popen[bytes]:
    """A process that appends and tells what was acknowledged."""
    return subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(folder), run, str(count)], stdout=subprocess.PIPE, bufsize=0
    )


def test_processes_that_append_at_once_keep_the_chain_sound(journal: FileJournal, folder: Path) -> None:
    """Three at once: every number is given once, every entry is there."""
    folder.mkdir(mode=0o700)
    processes = [appender(folder, f"run-{number}", 150) for number in range(3)]
    acknowledged = [int(line) for process in processes for line in process.communicate()[0].split()]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(acknowledged) == list(range(1, 451))
    assert journal.verify().sound
    assert Counter(entry.run for entry in journal.entries()) == {"run-0": 150, "run-1": 150, "run-2": 150}


def test_kill_9_in_the_middle_of_appending_loses_nothing_acknowledged(journal: FileJournal, folder: Path) -> None:
    """Ten processes in a row, each killed while it appends as fast as it can."""
    for kill in range(10):
        process = appender(folder, f"run-{kill}", 1_000_000)
        assert process.stdout is not None
        seen = b""
        while seen.count(b"\n") < 5 + kill * 3:
            seen += process.stdout.read(4096)
        process.kill()
        seen += process.stdout.read()
        process.stdout.close()
        process.wait()
        last = int(seen[: seen.rindex(b"\n")].split()[-1])
        state = journal.verify()
        assert state.sound, state
        assert state.entries >= last
    journal.append(Event.RUN_STARTED, "after", {})
    assert journal.verify().sound


def test_a_crash_at_any_call_that_changes_the_disk_is_survived(tmp_path: Path) -> None:
    """Beginning, appending, setting a torn line aside and setting the journal aside, each killed at every call."""
    program = Path(__file__).with_name("crash_everywhere.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_entries_are_read_while_another_process_appends(journal: FileJournal, folder: Path) -> None:
    """A reader sees a sound journal at any moment."""
    journal.append(Event.RUN_STARTED, "run-0", {})
    process = appender(folder, "run-1", 300)
    rounds = 0
    while process.poll() is None:
        assert journal.verify().sound
        assert len(list(journal.entries())) >= 1
        rounds += 1
    process.communicate()
    assert process.returncode == 0
    assert rounds > 0
    assert journal.verify().entries == 301


def test_the_files_are_for_the_owner_only_whatever_the_umask(journal: FileJournal, folder: Path) -> None:
    """0600 in a 0700 folder."""
    before = os.umask(0)
    try:
        journal.append(Event.RUN_STARTED, "run-1", {})
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "journal.jsonl": 0o600,
        "journal.head": 0o600,
        "journal.key": 0o600,
        "journal.lock": 0o600,
    }
