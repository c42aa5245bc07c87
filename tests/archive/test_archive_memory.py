"""A backup takes the memory of one frame, however much is in it."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MADE = """
import base64, random, sys
from dataclasses import replace
from pathlib import Path
import pyrage
from archive_records import ABOUT, episode
from runbook.adapters.archives.backups import create_backup, lines_of
from runbook.adapters.archives.verify import verify_backup
count, sealed = int(sys.argv[2]), sys.argv[3] == "sealed"
pool = [base64.b64encode(random.randbytes(3 << 10)).decode() for _ in range(64)]
known = episode("x")
def records():
    for number in range(count):
        content = pool[number % 64] + pool[number * 7 % 64]
        yield {**known, "id": f"ep_{number:08d}", "content": content}
about = ABOUT
if sealed:
    about = replace(about, recipients=(str(pyrage.x25519.Identity.generate().to_public()),))
path = create_backup(Path(sys.argv[1]), about, "dual_memory", lines_of(records(), "dual_memory"))
verify_backup(path, 3)
held = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(held.split()[1]) // 1024)
"""


@pytest.mark.parametrize("kind", ["plain", "sealed"])
def test_three_times_the_data_adds_next_to_nothing(tmp_path: Path, kind: str) -> None:
    """From three frames on it is flat; thousands of lines that wait for a frame would leave holes behind them."""

    def most(count: int) -> int:
        command = [sys.executable, "-c", MADE, str(tmp_path / str(count)), str(count), kind]
        done = subprocess.run(command, env={"PYTHONPATH": str(HERE)}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    few, many = most(2500), most(8000)
    assert many - few < 12
    assert many < 160  # MiB, with all the libraries
