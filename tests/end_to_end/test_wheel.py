"""The wheel, installed into an empty environment without test dependencies and used from another folder."""

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from end_to_end_fleet import Command

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


@dataclass(frozen=True)
class Installed(Command):
    """The command of an installation of its own."""

    place: Path

    @property
    def words(self) -> list[str]:
        """Its script: nothing of this environment is on its path."""
        return [str(self.place / "bin" / "runbook")]


def done(*command: str | Path) -> str:
    """What a command printed; it must not fail."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run(command, cwd="/", env=kept, capture_output=True, text=True, timeout=170, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def pip_of(place: Path) -> tuple[str | Path, ...]:
    """This environment's pip, at work on another one: that one needs none of its own."""
    return (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", place / "bin" / "python")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel of this checkout, with its dependencies and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    quiet = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    done(sys.executable, *quiet, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob("engram_runbook-*.whl")
    venv.create(folder / "venv", with_pip=False)
    done(*pip_of(folder / "venv"), "install", "--quiet", "--no-compile", wheel)
    (folder / "state").mkdir(mode=0o700)
    command = Installed(folder / "state", folder / "venv")
    yield command
    command("sandbox", "down")


@pytest.mark.timeout(300)
def test_the_wheel_does_the_main_job(installed: Installed) -> None:
    """From the help to the end of the fleet: playbooks, schemas and migrations come from the wheel."""
    python = installed.place / "bin" / "python"
    looked = "from runbook import material as m; print(*map(m.folder, ('playbooks', 'schemas', 'migrations')))"
    for place in done(python, "-c", looked).split():
        assert Path(place).is_relative_to(installed.place)
    assert "pytest" not in done(*pip_of(installed.place), "list")
    assert "high-formation-rate" in installed("--help").stdout
    assert (installed.place / "share" / "man" / "man1" / "runbook.1").is_file()
    assert "this installation has no documents" in installed("check").stdout

    installed("sandbox", "up", "--nodes", "1", "--episodes", "60", "--traffic", "10")
    installed("doctor")
    installed("baseline", "capture", "--window", "5s")
    installed("high-formation-rate", "--window", "3s")
    installed("sandbox", "inject", "high-formation")
    acting = ("high-formation-rate", "--act", "--yes", "--window", "5s", "--watch", "30s")
    tries = (installed.json(*acting)["data"] for _ in range(4))  # a busy machine may show too little at first
    run = next(data["run"] for data in tries if "run" in data)
    assert run["status"] == "recovered"
    installed("undo", run["id"], "--yes")
    installed("audit", "verify")
