"""A bug of ours: one line for the person on call, everything in a file for us."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Output, complaint

from runbook.cli import audits
from runbook.cli.root import run


def _broken(**_: object) -> int:
    raise ZeroDivisionError("seven\x1b[2J")


@pytest.fixture(autouse=True)
def _bug(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: Path) -> None:
    monkeypatch.setattr(audits, "verify_journal", _broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_bug_is_1_with_the_path_of_its_traceback(capsys: Output) -> None:
    """The traceback is in a file for its owner's eyes, and not on the screen."""
    assert run(["audit", "verify"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    assert "\x1b" not in told.err
    found = re.search(r"/\S+runbook-bug-\S+\.txt", told.err)
    assert found is not None
    path = Path(found.group())
    assert "ZeroDivisionError" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_bug_as_json(capsys: Output) -> None:
    """The same, as an object."""
    found = complaint(capsys, "audit", "verify", expect=1)
    assert found["name"] == "bug"
    assert Path(found["hint"].split()[-1]).is_file()


def test_where_no_file_can_be_kept_the_traceback_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """It is not lost."""
    monkeypatch.setattr("tempfile.tempdir", os.devnull)
    assert run(["audit", "verify"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_within_an_import_has_the_documented_code_too(tmp_path: Path) -> None:
    """Where it fell into a class that is just being made, CPython would end by the signal, whatever our code was."""
    caught = "try: exec('raise KeyboardInterrupt')\n    except KeyboardInterrupt: return 130"
    program = f"import runbook.cli.root as root\ndef run(_):\n    {caught}\nroot.run = run\nroot.main([])\n"
    (tmp_path / "interrupted.py").write_text(program)
    assert subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path, check=False).returncode == 130
