"""The wheel, installed into an empty environment without test dependencies and used from another folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from end_to_end_fleet import Command

from runbook.errors import ExitCode

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "production.md").read_text()
_WHOLE = re.MULTILINE | re.DOTALL
BY_PIP, INSTALL = re.findall(r"^```sh\n(.*?)^```$", PAGE, _WHOLE)[:2]
pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


@dataclass(frozen=True)
class Installed(Command):
    """The command of an installation of its own."""

    place: Path

    @property
    def words(self) -> list[str]:
        """Its script: nothing of this environment is on its path."""
        return [str(self.place / "bin" / "runbook")]


@dataclass(frozen=True)
class Host:
    """A folder that stands for a host, and what is installed on it."""

    root: Path
    wheel: Path

    @property
    def program(self) -> Path:
        """Where the versions are."""
        return self.root / "opt" / "engram-runbook"

    @property
    def current(self) -> Path:
        """What leads to the version in use."""
        return self.program / "current"

    def play(self, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the playbook by the lines of the page about production, as whoever runs the tests."""
        said = {"prefix": str(self.root), "account": "", "pip_options": ["--no-compile"], "service_manager": "none"}
        said |= {"prometheus_rules": str(self.root / "etc" / "prometheus" / "rules")}
        python = {"python": sys.executable, "ansible_python_interpreter": sys.executable}
        where = ["-c", "local", "-e", json.dumps(said | python, separators=(",", ":")), *more]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ANSIBLE"))}
        own = {
            "ANSIBLE_HOME": str(self.root.parent / "ansible"),
            "ANSIBLE_CONFIG": str(self.root.parent / "ansible.cfg"),
            "ANSIBLE_PIPELINING": "True",
            "WHERE": " ".join(where),
        }
        path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment.pop('PATH', os.environ['PATH'])}"}
        lines = ["bash", "-c", INSTALL]
        env = kept | own | path | environment
        return subprocess.run(
            lines, cwd=self.wheel.parent, env=env, capture_output=True, text=True, timeout=170, check=False
        )

    def install(self, *more: str) -> str:
        """Run it to a good end; the last line, which counts."""
        ended = self.play(*more)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout.strip().splitlines()[-1]


def done(*command: str | Path) -> str:
    """What a command printed; it must not fail."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run(command, cwd="/", env=kept, capture_output=True, text=True, timeout=170, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A folder for a whole installation, which a link leads to, as to many an /opt; and the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("host") / "link"
    folder.symlink_to(tmp_path_factory.mktemp("disk"))
    # It looks after its worker a thousand times a second else, also while pip is at work.
    (folder / "ansible.cfg").write_text("[defaults]\ninternal_poll_interval = 0.01\n")
    quiet = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    done(sys.executable, *quiet, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob("engram_runbook-*.whl")
    return Host(folder / "root", wheel)


@pytest.fixture(scope="module")
def installed(host: Host) -> Iterator[Installed]:
    """The wheel with its dependencies and nothing else, as the playbook installs it; a look before changed nothing."""
    assert "changed=3 " in host.install("--check")
    assert not host.root.exists()
    assert "failed=0 " in host.install()
    (host.root / "state").mkdir(mode=0o700)
    command = Installed(host.root / "state", host.current.resolve())
    yield command
    command("sandbox", "down")


@pytest.mark.timeout(400)
def test_the_wheel_does_the_main_job(installed: Installed) -> None:
    """From the help to the end of the fleet: playbooks, schemas and migrations come from the wheel."""
    python = installed.place / "bin" / "python"
    looked = (
        "from runbook.material import folder as f; print(*map(f, 'playbooks schemas deployment monitoring'.split()))",
        "from runbook.serve.console.shown import environment as e; print(*map(e().get_template, e().list_templates()))",
        "from importlib.metadata import distributions; print(*(each.name for each in distributions()))",
    )
    folders, pages, packages = done(python, "-c", "\n".join(looked)).splitlines()
    for place in folders.split():
        assert Path(place).is_relative_to(installed.place)
    assert "overview.html" in pages
    assert "numpy" in packages.split()
    assert "pytest" not in packages
    assert "high-formation-rate" in installed("--help").stdout
    assert (installed.place / "share" / "man" / "man1" / "runbook.1").is_file()
    assert "files written" in installed("monitoring", "write", str(installed.place / "monitoring")).stdout
    assert "this installation has no documents" in installed("check").stdout

    installed("sandbox", "up", "--nodes", "1", "--episodes", "60", "--traffic", "10")
    installed("doctor")
    installed("baseline", "capture", "--window", "5s")
    installed("high-formation-rate", "--window", "3s")
    installed("sandbox", "inject", "high-formation")
    acting = ("high-formation-rate", "--act", "--yes", "--window", "5s", "--watch", "150s")
    tries = (installed.json(*acting)["data"] for _ in range(4))  # a busy machine may show too little at first
    run = next(data["run"] for data in tries if "run" in data)
    assert run["status"] == "recovered"
    installed("undo", run["id"], "--yes")
    installed("audit", "verify")
    installed("sandbox", "down")  # the node is sick again: no other test needs it


def test_the_lines_for_pip_on_the_page_install_it(host: Host, tmp_path: Path) -> None:
    """In a home of one's own, as they are written; what it depends on is left out here: the play brings it above."""
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PIP_NO_DEPS": "1", "PIP_NO_COMPILE": "1"}
    lines = ["bash", "-ec", BY_PIP]
    ended = subprocess.run(
        lines, cwd=host.wheel.parent, env=home, capture_output=True, text=True, timeout=170, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    asked = "import importlib.metadata, runbook; print(runbook.__file__, importlib.metadata.version('engram-runbook'))"
    place, version = done(tmp_path / "runbook" / "bin" / "python", "-c", asked).split()
    assert place.startswith(str(tmp_path)), place
    assert f"-{version}-" in host.wheel.name


def test_a_second_installation_changes_nothing(host: Host, installed: Installed) -> None:
    """And what people type is there, with the configuration and the state of all; with it the page and completion."""
    assert "changed=0 " in host.install()
    command = host.root / "usr" / "local" / "bin" / "runbook"
    ended = subprocess.run([command, "doctor"], cwd="/", capture_output=True, text=True, check=False)
    assert str(host.root / "var" / "lib" / "engram-runbook") in ended.stdout
    assert str(host.root / "etc" / "engram-runbook" / "runbook.toml") in ended.stdout  # no target is named in it
    assert ended.returncode == ExitCode.BAD_NEWS
    share = host.root / "usr" / "local" / "share"
    for path in ("man/man1/runbook.1", "bash-completion/completions/runbook", "zsh/site-functions/_runbook"):
        assert (share / path).stat().st_size > 0
    rules = host.root / "etc" / "prometheus" / "rules"
    assert {path.name for path in rules.iterdir()} == {path.name for path in (ROOT / "monitoring/rules").glob("*.yml")}
    for secret in ("etc/engram-runbook", "var/lib/engram-runbook"):
        assert (host.root / secret).stat().st_mode & 0o007 == 0


WITHOUT_PIP = """#!/bin/sh
exec {python} "$@" --without-pip
"""
"""Makes an environment in no time; pip is found where the dependencies are found."""
SYSTEMCTL = """#!/bin/sh
echo "$@" >>%(root)s/asked
case $1 in
list-units)
  echo "engram-runbook-serve.service loaded active running Server"
  echo "engram-runbook-watch@prod.service loaded active running Watch" ;;
try-restart) [ ! -e %(root)s/refuse ] ;;
restart) [ "$2" != engram-runbook-serve.service ] || { echo "no port" >&2; exit 1; } ;;
try-reload-or-restart) echo "Unit $2 not found" >&2; exit 5 ;;
esac
"""


def test_another_version_takes_over_or_the_old_one_stays(host: Host, installed: Installed, tmp_path: Path) -> None:
    """Where services do not come back the old version does, with its units; else what ran is restarted.

    There is no systemd to ask: a program in its place takes down what it is asked. The real one verifies the units, and
    `make booted` has it restart them.
    """
    before = installed.place
    other = Host(host.root, tmp_path / host.wheel.name)
    shutil.copy(host.wheel, other.wheel)
    with zipfile.ZipFile(other.wheel, "a") as wheel:
        wheel.comment = b"another one"
    (tmp_path / "systemctl").write_text(SYSTEMCTL % {"root": tmp_path})
    (tmp_path / "systemctl").chmod(0o755)
    (tmp_path / "refuse").touch()
    units = host.root / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    (units / "other.service").touch()
    python = tmp_path / "python"
    python.write_text(WITHOUT_PIP.format(python=sys.executable))
    python.chmod(0o755)
    options = {"pip_options": ["--no-deps", "--no-compile", "--ignore-installed"], "service_manager": "systemd"}
    options["python"] = str(python)
    said = ("-e", json.dumps(options, separators=(",", ":")))
    found = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": done(before / "bin" / "python", "-c", "import click; print(click.__path__[0])").strip()[
            : -len("/click")
        ],
    }
    failed = other.play(*said, **found)
    assert failed.returncode != 0
    assert "the version before is in use again" in failed.stdout, failed.stdout
    assert host.current.resolve() == before
    assert "its services did not come back: no port" in failed.stdout
    again = [f"restart engram-runbook-{name}.service" for name in ("serve", "watch@prod")]
    assert (tmp_path / "asked").read_text().splitlines()[
        -2:
    ] == again  # a server that does not come keeps no watch down
    installed("runs")

    (tmp_path / "refuse").unlink()
    (tmp_path / "asked").unlink()
    worked = other.play(*said, **found)
    assert worked.returncode == 0, worked.stdout + worked.stderr
    assert host.current.resolve() != before
    assert before.is_dir()  # what it had begun may go on
    restarted = "try-restart engram-runbook-serve.service engram-runbook-watch@*.service"
    assert (tmp_path / "asked").read_text().splitlines()[-2:] == ["daemon-reload", restarted]
    program = f"ExecStart={host.program}/current/bin/runbook serve"
    assert program in (units / "engram-runbook-serve.service").read_text()
    assert (host.program / "restarted").read_text().strip() == host.current.resolve().name

    (host.program / "restarted").write_text(before.name)  # as if the play had been cut off before it restarted them
    (tmp_path / "asked").unlink()
    next((host.root / "etc" / "prometheus" / "rules").iterdir()).unlink()  # and there is no Prometheus by that name
    told = other.play(*said, **found).stdout
    assert "changed=3 " in told
    assert "Prometheus did not load the rules: Unit prometheus.service not found. Reload it by hand." in told
    assert restarted in (tmp_path / "asked").read_text()
    assert host.current.resolve() != before
