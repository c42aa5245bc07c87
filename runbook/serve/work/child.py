"""A child: the very `runbook` that serves, with a small environment, a limit of time, and a group of its own."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MOST_OUT_BYTES = 8 << 20
MOST_ERR_BYTES = 16 << 10
KEPT = (
    "HOME",
    "LOGNAME",
    "PATH",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SUDO_USER",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
)
PLACES = ("RUNBOOK_STATE", "ANSIBLE_VAULT_PASSWORD_FILE")
"""What of our environment a child is given; the same configuration, state folder and person follow from it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: its exit code, negative for a signal; None where it was left to end by itself."""

    code: int | None
    out: bytes
    err: str
    late: bool = False
    """Was it ended because it took too long?"""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long it may take, how long it may take to end once it is told, and whether it is killed after that."""

    seconds: float
    grace_seconds: float
    kill: bool


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The child's."""
    kept = {name: environ[name] for name in KEPT if name in environ}
    places = {name: str(Path(environ[name]).expanduser().absolute()) for name in PLACES if environ.get(name)}
    return {**kept, **places, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}


async def run_child(words: Sequence[str], given: bytes, patience: Patience, ending: asyncio.Event) -> Ended:
    """Run `runbook WORDS`, with `given` on its stdin, until it ends, is late, or `ending` is set. Raises `OSError`.

    Its streams are files in memory: it never waits for us, and goes on undisturbed where it is left behind.
    """
    with _memory("stdin", given) as stdin, _memory("stdout") as stdout, _memory("stderr") as stderr:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - it does not wait; our own program, and no shell
            [sys.executable, "-P", "-m", "runbook", *words],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=os.sep,
            env=environment(os.environ),
            start_new_session=True,
        )
        late = await _wait(process, patience, ending)
        if process.returncode is None:
            return Ended(None, b"", "", late=late)
        out, err = _written(stdout, MOST_OUT_BYTES), _written(stderr, MOST_ERR_BYTES)
        return Ended(process.returncode, out, err.decode("utf-8", "replace"), late=late)


async def _wait(process: subprocess.Popen[bytes], patience: Patience, ending: asyncio.Event) -> bool:
    """Wait for its end, at last with a signal, then with another one; was it late?"""
    over = asyncio.Event()
    loop, descriptor = asyncio.get_running_loop(), os.pidfd_open(process.pid)
    loop.add_reader(descriptor, over.set)
    ended, told = asyncio.create_task(over.wait()), asyncio.create_task(ending.wait())
    try:
        await asyncio.wait({ended, told}, timeout=patience.seconds, return_when=asyncio.FIRST_COMPLETED)
        late = not over.is_set() and not ending.is_set()
        if not over.is_set():
            process.terminate()
            await asyncio.wait({ended}, timeout=patience.grace_seconds)
        if not over.is_set() and patience.kill:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await over.wait()
        process.poll()
    except asyncio.CancelledError:
        process.terminate()
        raise
    finally:
        ended.cancel()
        told.cancel()
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return late


def _memory(name: str, given: bytes = b"") -> BinaryIO:
    file = os.fdopen(os.memfd_create(name), "w+b")
    file.write(given)
    file.seek(0)
    return file


def _written(file: BinaryIO, most: int) -> bytes:
    file.seek(0)
    return file.read(most)
