"""A backup takes the memory of one frame, however much is in it."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MADE = """
import base64, random, sys
from pathlib import Path
import pyrage
from archive_records import episode, header
from runbook.adapters.archives.exports import write_export
from runbook.adapters.archives.vault import FolderVault
from runbook.archive.reader import chunks_of
from runbook.model.backup import Order
folder, count, sealed = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "sealed"
pool = [base64.b64encode(random.randbytes(3 << 10)).decode() for _ in range(64)]
def records():
    for number in range(count):
        yield {**episode("x"), "id": f"ep_{number:08d}", "content": pool[number % 64][: 800 + number % 900]}
folder.mkdir()
write_export(folder / "x.json", header("dual_memory"), records())
recipients = (str(pyrage.x25519.Identity.generate().to_public()),) if sealed else ()
vault = FolderVault(folder / "backups")
with (folder / "x.json").open("rb") as stream:
    vault.write(Order("prod", "n1", "test", recipients=recipients), chunks_of(stream), None)
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
    assert many - few < 20
    assert many < 120  # MiB, with all the libraries
