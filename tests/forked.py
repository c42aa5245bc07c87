"""`python -m` of what is ours without starting Python each time: a process that has it all loaded forks for each.

To start Python and to load the modules costs most of what a short command or a node costs. What is forked is a process
of its own all the same, of a fresh copy: own pid, streams, environment, folder and end. What is proven of the start
itself, or of a locale, starts the real thing.
"""

import atexit
import gc
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import runbook

NODE = "runbook.sandbox.node"
_LARGEST = 1 << 17  # bytes of an order: an environment, most of all
_ELSEWHERE = ("LC_", "LANG", "PYTHON")
"""Variables that Python reads when it starts."""


def can_fork(environment: Mapping[str, str]) -> bool:
    """Does nothing in it change how Python starts?"""
    return all(os.environ.get(name) == value for name, value in environment.items() if name.startswith(_ELSEWHERE))


class Forked:
    """One such process, as `subprocess.Popen` has its own: a zombie until it was waited for."""

    def __init__(
        self,
        module: str,
        words: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *streams: int,
        session: bool = False,
    ) -> None:
        """`python -m MODULE WORDS` in that folder, with these as its stdin, stdout and stderr."""
        self.args = [module, *words]
        order = {"argv": self.args, "environment": dict(environment), "folder": str(folder), "session": session}
        self._reply, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(_server(), [json.dumps(order).encode()], [*streams, theirs.fileno()])
        self.pid = int(self._reply.recv(100))
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, or less the number of the signal.

        Raises:
            subprocess.TimeoutExpired: it still runs after so many seconds.
        """
        if self.returncode is None:
            self._reply.settimeout(timeout)
            try:
                self.returncode = int(self._reply.recv(100))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._reply.close()
        return self.returncode

    def poll(self) -> int | None:
        """The same, or None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Nothing happens where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def run_forked(
    words: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """`python -m runbook WORDS` to its end there, like `subprocess.run`, with the streams as text.

    Raises:
        subprocess.TimeoutExpired: it took longer than that; it was killed.
    """
    (out, out_there), (err, err_there) = os.pipe(), os.pipe()
    with os.fdopen(out, "rb", buffering=0) as stdout, os.fdopen(err, "rb", buffering=0) as stderr:
        try:
            process = Forked("runbook", words, environment, folder, 0, out_there, err_there)
        finally:
            os.close(out_there)
            os.close(err_there)
        try:
            told = _read([stdout, stderr], time.monotonic() + seconds)
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
    return subprocess.CompletedProcess(list(words), code, *(each.decode() for each in told))


def _read(streams: Sequence[Any], until: float) -> list[bytes]:
    """What they say up to their ends."""
    told = dict.fromkeys(streams, b"")
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            left = until - time.monotonic()
            if left < 0:
                raise subprocess.TimeoutExpired("runbook", 0)
            for key, _ in selector.select(left):
                if news := os.read(key.fd, 1 << 16):
                    told[key.fileobj] += news
                else:
                    selector.unregister(key.fileobj)
    return list(told.values())


@cache
def _server() -> socket.socket:
    """The way to the process that forks; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # a thread is not forked
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _load() -> None:
    """All that is ours but what is run, and what its parts load when they need it."""
    for module in pkgutil.walk_packages(runbook.__path__, "runbook."):
        if module.name not in {"runbook.__main__", NODE}:
            import_module(module.name)
    for name in ("yaml", "numpy", "zstandard", "jsonschema", "jsonschema_rs", "urllib3", "ansible_runner.interface"):
        import_module(name)


def _mind(pid: int, reply: socket.socket) -> None:
    """Tell its number, then how it ended; it stays a zombie until whoever asked has heard of it."""
    reply.send(str(pid).encode())
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
    reply.send(str(code).encode())
    reply.recv(1)


def _serve(orders: socket.socket) -> dict[str, Any]:
    """Fork for each order; only the processes that are to become a command return, with their order."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, fds, _, _ = socket.recv_fds(orders, _LARGEST, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            break
        for each in fds:
            os.close(each)
    orders.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, reply = fds
    pid = os.fork()
    if pid:
        for each in streams:
            os.close(each)
        _mind(pid, socket.socket(fileno=reply))
        os._exit(0)
    os.close(reply)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    order: dict[str, Any] = json.loads(message)
    return order


def _become(order: dict[str, Any]) -> None:
    """What Python does at its start, then the module; modules are not taken down at the end, which costs as much."""
    code = 1

    def end() -> None:
        sys.stdout.flush()
        os._exit(code)

    atexit.register(end)  # the first, so it is the last; threads have ended by then
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    if order["session"]:
        os.setsid()
    sys.argv = order["argv"]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as told:
        code = told.code if isinstance(told.code, int) else int(told.code is not None)
        raise


if __name__ == "__main__":
    sys.path[0] = ""  # as `python -m` has it
    _load()
    gc.freeze()
    _become(_serve(socket.socket(fileno=int(sys.argv[1]))))
