"""The examples of a service read as what they are for: systemd, supervisord, runit."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.errors import ExitCode

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
UNIT = EXAMPLES / "engram-rollout-watch.service"
FINAL = {
    ExitCode.USAGE,
    ExitCode.BAD_NEWS,
    ExitCode.DAMAGED,
    ExitCode.REFUSED,
    ExitCode.NOT_SUPPORTED,
}
"""After these nothing is started again: it would end the same way."""
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = 30  # of 100, as `systemd-analyze security` counts
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with commands and a user that exist here: what is verified is the rest."""
    text = UNIT.read_text()
    text = text.replace("/usr/bin/runbook", sys.executable).replace("=engram-runbook\n", "=daemon\n", 1)
    text = text.replace("Group=engram-runbook", "Group=daemon").replace("man:runbook(1)", "man:sh(1)")
    place = tmp_path / UNIT.name
    place.write_text(text)
    return place


@needs_systemd
def test_systemd_takes_the_unit(unit: Path) -> None:
    """Every word of it is known."""
    done = subprocess.run([str(ANALYZE), "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    said = [each for each in done.stderr.splitlines() if UNIT.name in each]
    assert (said, done.returncode) == ([], 0)


@needs_systemd
def test_the_unit_is_let_do_little(unit: Path) -> None:
    """By systemd's own count of what it is exposed to."""
    command = [str(ANALYZE), "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


def test_all_three_agree_on_what_is_not_started_again() -> None:
    """The exit codes behind which nothing is left to watch, or a person is needed."""
    codes = {int(code) for code in FINAL}
    (told,) = re.findall(r"RestartPreventExitStatus=(.*)", UNIT.read_text())
    assert {int(code) for code in told.split()} == codes
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(UNIT.with_suffix(".supervisord.conf"))
    program = parser["program:engram-rollout-watch"]
    expected = {int(code) for code in program["exitcodes"].split(",")}
    assert expected == codes | {0, int(ExitCode.TERMINATED)}
    assert program["autorestart"] == "unexpected"
    (cases,) = re.findall(r"(0 \| [0-9 |]+)\)", UNIT.with_suffix(".run").read_text())
    assert {int(code) for code in cases.split("|")} == codes | {0}


def test_all_three_give_the_same_command() -> None:
    """Whoever starts it."""
    command = "/usr/bin/runbook rollout watch --target production"
    for suffix in (".service", ".supervisord.conf", ".run"):
        assert command in UNIT.with_suffix(suffix).read_text()


def test_the_script_for_runit_is_a_shell_script() -> None:
    """`sh -n` takes it."""
    subprocess.run(["/bin/sh", "-n", UNIT.with_suffix(".run")], check=True)
