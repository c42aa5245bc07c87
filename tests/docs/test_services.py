"""The services of `deployment/`, as installed: what systemd, supervisord and runit read, and our own command."""

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.errors import ExitCode
from runbook.material import folder

PLACE = folder("deployment")
UNITS = sorted(path.name for path in (PLACE / "systemd").iterdir())
SERVICES = [name for name in UNITS if name.endswith(".service")]
FINAL = {
    "engram-runbook-watch": {*(ExitCode.USAGE, ExitCode.BAD_NEWS, ExitCode.DAMAGED, ExitCode.REFUSED), 17},
    "engram-runbook-serve": {ExitCode.USAGE, ExitCode.DAMAGED, ExitCode.REFUSED, ExitCode.NOT_SUPPORTED},
}
"""After these nothing is started again: it would end the same way, or a person is needed."""
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = 20  # of 100, as `systemd-analyze security` counts
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
every_service = pytest.mark.parametrize("name", SERVICES)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the playbook puts on a host, with folders and an account that exist here."""
    program = tmp_path_factory.mktemp("program")
    (program / "current" / "bin").mkdir(parents=True)
    (program / "current" / "bin" / "runbook").symlink_to(Path(sys.executable).parent / "runbook")
    into = program / "current" / "stage"
    words = ["sh", PLACE / "stage.sh", into, program, program / "etc", "/var/lib/engram-runbook", "daemon"]
    subprocess.run(words, check=True)
    return into


def directives(unit: Path) -> list[tuple[str, str]]:
    """Each key with its value, in order."""
    return [(key, value) for key, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE)]


def commands(staged: Path) -> Iterator[list[str]]:
    """The words behind the program, wherever one of the three starts ours."""
    files = [path for kind in ("systemd", "supervisord", "runit") for path in (staged / kind).rglob("*")]
    for path in files:
        if path.is_file():
            yield from (line.split() for line in re.findall(r"/current/bin/runbook (.*)", path.read_text()))


@needs_systemd
def test_systemd_takes_the_units(staged: Path) -> None:
    """Every word of every unit is known, and what they start is there."""
    paths = [staged / "systemd" / name for name in UNITS]
    done = subprocess.run([str(ANALYZE), "verify", "--man=no", *paths], capture_output=True, text=True, check=False)
    said = [each for each in done.stderr.splitlines() if "engram-runbook" in each]
    assert (said, done.returncode) == ([], 0)


@needs_systemd
@every_service
def test_a_service_is_let_do_little(staged: Path, name: str) -> None:
    """By systemd's own count of what it is exposed to."""
    unit = staged / "systemd" / name
    command = [str(ANALYZE), "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


def test_all_services_are_held_in_the_same_way(staged: Path) -> None:
    """From whom they run as to the last system call: only what they start, when, and again, is their own."""
    held = {name: directives(staged / "systemd" / name) for name in SERVICES}
    kept = {}
    for name, pairs in held.items():
        start = next(number for number, (key, _) in enumerate(pairs) if key == "User")
        kept[name] = [pair for pair in pairs[start:] if pair[0] != "WantedBy"]
    first = kept[SERVICES[0]]
    assert len(first) > 30
    assert {name: pairs for name, pairs in kept.items() if pairs != first} == {}


def test_what_is_started_by_a_timer_cannot_overlap(staged: Path) -> None:
    """A oneshot service is being activated while it works, so that its timer starts no second one."""
    for timer in (name for name in UNITS if name.endswith(".timer")):
        found = dict(directives(staged / "systemd" / timer))
        assert found["Persistent"] == "yes"
        assert found["RandomizedDelaySec"]
        service = dict(directives(staged / "systemd" / found["Unit"].replace("%i", "")))
        assert service["Type"] == "oneshot"
        assert "Restart" not in service


def test_what_does_not_come_up_was_not_started(staged: Path) -> None:
    """Server and watch say themselves when they are up: the playbook takes back a version that never does."""
    notifying = {name for name in SERVICES if dict(directives(staged / "systemd" / name))["Type"] == "notify"}
    assert notifying == {"engram-runbook-serve.service", "engram-runbook-watch@.service"}


def test_a_failure_is_told_to_somebody(staged: Path) -> None:
    """Every service but the one that tells it names who is started then."""
    for name in SERVICES:
        if "failed@" not in name:
            assert dict(directives(staged / "systemd" / name))["OnFailure"] == "engram-runbook-failed@%n.service"


def test_the_command_takes_what_it_is_started_with(staged: Path) -> None:
    """Each command line is there, with every option of it."""
    found = list(commands(staged))
    assert len(found) == 11
    for words in {tuple(each) for each in found}:
        line = [word.replace("%i", "production") for word in words]
        done = subprocess.run([staged / ".." / "bin" / "runbook", *line, "--help"], capture_output=True, check=False)
        assert done.returncode == 0, (words, done.stderr)


def test_all_three_agree_on_what_is_not_started_again(staged: Path) -> None:
    """The exit codes behind which nothing is left to watch, or a person is needed."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(staged / "supervisord" / "engram-runbook.conf")
    for name, final in FINAL.items():
        codes = {int(code) for code in final}
        suffix = "@.service" if name.endswith("watch") else ".service"
        unit = dict(directives(staged / "systemd" / (name + suffix)))
        assert {int(code) for code in unit["RestartPreventExitStatus"].split()} == codes
        program = parser[f"program:{name}"]
        well = {int(code) for code in unit["SuccessExitStatus"].split()} | ({0} if name.endswith("watch") else set())
        assert {int(code) for code in program["exitcodes"].split(",")} == codes | well
        assert program["autorestart"] == "unexpected"
        (cases,) = re.findall(r"([0-9][0-9 |]+)\)", (staged / "runit" / name / "run").read_text())
        assert {int(code) for code in cases.split("|")} == codes | ({0} if name.endswith("watch") else set())


def test_whatever_is_a_shell_script_reads_as_one(staged: Path) -> None:
    """`sh -n` takes what runit runs, and what people type."""
    for path in [*(staged / "runit").glob("*/run"), staged / "bin" / "runbook"]:
        subprocess.run(["/bin/sh", "-n", path], check=True)


@pytest.mark.parametrize("name", sorted(FINAL))
def test_runit_ends_the_program_and_not_only_its_script(staged: Path, tmp_path: Path, name: str) -> None:
    """Told to end, the script tells the program, waits until that has put things in order, and hands on its code."""
    program = "trap 'kill $!; echo told; exit 143' TERM\nsleep 60 &\necho up\nwait"
    fakes = {"chpst": 'shift 2\nexec sh "$PROGRAM"', "program": program}
    for fake, text in fakes.items():
        (tmp_path / fake).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / fake).chmod(0o755)
    words = ["sh", staged / "runit" / name / "run"]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PROGRAM": str(tmp_path / "program")}
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        running.terminate()
        assert running.stdout.readline() == "told\n"
        assert running.wait(20) == ExitCode.TERMINATED


def test_no_folder_of_the_usual_installation_is_left(staged: Path) -> None:
    """Where other folders were named, they stand everywhere."""
    for path in staged.rglob("*"):
        if path.is_file():
            assert not re.search(r"(?<!\w)/(opt|etc)/engram-runbook/", path.read_text()), path
