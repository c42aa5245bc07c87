"""What the kernel tells about this process; what it does not tell is None, not zero."""

import gc
import os
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


def _stat() -> list[str]:
    # The name, in parentheses, may contain blanks and parentheses.
    return Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


def resident_bytes() -> int:
    """Resident memory."""
    return int(_stat()[21]) * _PAGE


def cpu_seconds() -> float:
    """User and system time, of all threads."""
    fields = _stat()
    return (int(fields[11]) + int(fields[12])) / _TICK


def start_time() -> float:
    """When the process was started, in seconds since 1970."""
    boot = next(
        line for line in Path("/proc/stat").read_text(encoding="ascii").splitlines() if line.startswith("btime")
    )
    return float(boot.split()[1]) + int(_stat()[19]) / _TICK


def collections() -> list[int]:
    """Runs of Python's garbage collector by generation."""
    return [int(generation["collections"]) for generation in gc.get_stats()]


def oom_kills() -> int | None:
    """Processes of this control group that the kernel killed for want of memory; None where it does not tell."""
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8")
        path = next(line[3:] for line in own.splitlines() if line.startswith("0::"))
        events = Path(f"/sys/fs/cgroup{path}/memory.events").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in events.splitlines() if line.startswith("oom_kill ")))
    except (OSError, StopIteration, ValueError):
        return None


def memory_limit_bytes() -> int | None:
    """What the process may use at most: its control group's limit, else the machine's memory; None where not told."""
    limits = []
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        limits.append(1024 * int(next(line for line in lines if line.startswith("MemTotal:")).split()[1]))
    with suppress(OSError, ValueError, StopIteration):  # `max` is no limit, and no number
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8")
        path = next(line[3:] for line in own.splitlines() if line.startswith("0::"))
        limits.append(int(Path(f"/sys/fs/cgroup{path}/memory.max").read_text(encoding="ascii")))
    return min(limits, default=None)
