"""A process that has imported everything once, and carries out each command in a fork of itself.

A program: `python forking.py FOLDER...`, the folders being those of modules with deeds. It reads requests from its
standard input, one JSON line each: first what to run, then that whoever watches it is ready. A fork starts in a
millisecond, where a fresh interpreter takes half a second; and its calls are the command's own, without those by which
Python starts.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

_ANY_TRACER = (0x59616D61, ctypes.c_ulong(-1))  # PR_SET_PTRACER: where ptrace is restricted to parents


def warm() -> None:
    """Import the product, without the sandbox's node."""
    import runbook  # noqa: PLC0415 - what takes its time stands here

    for module in pkgutil.walk_packages(runbook.__path__, "runbook."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    if threading.active_count() != 1:
        sys.exit("an import started a thread: a fork would not have it")


def learn(names: list[str]) -> None:
    """Import what a command imported, so that the next one need not: most of its calls and its time would be that."""
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)
    if threading.active_count() != 1:
        sys.exit("an import started a thread")
    settle()


def settle() -> None:
    """What is here by now is no garbage of a fork: its end would look through all of it, for a third of a second."""
    gc.collect()
    gc.freeze()


def lines() -> Any:
    """What is asked, without reading ahead: the forks have this input too."""
    waiting = b""
    while chunk := os.read(0, 65536):
        *whole, waiting = (waiting + chunk).split(b"\n")
        yield from map(json.loads, whole)


def become(request: dict[str, Any], ready: int, go: int) -> NoReturn:
    """The command, once it may begin; until then nothing of what it does is to be watched."""
    os.setsid()
    ctypes.CDLL(None).prctl(*_ANY_TRACER)
    for number, (path, flags) in enumerate(zip(request["streams"], request["flags"], strict=True)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    if "instead" in request:
        import_again(request["instead"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["command"]
    if "limit" in request:
        import resource  # noqa: PLC0415 - seldom used

        resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"], request["limit"]))
    if "learn" in request:
        atexit.register(lambda: Path(request["learn"]).write_text("\n".join(sys.modules)))
    name, *arguments = request["command"]
    os.write(ready, b"r")
    if not os.read(go, 1):  # whoever asked is gone
        os._exit(1)
    if name == "runbook":
        from runbook.cli.root import main  # noqa: PLC0415 - imported already

        main(arguments)
    sys.exit(importlib.import_module("deeds").main(name, arguments))


def import_again(folder: str) -> None:
    """Have the product, and what uses it, come from that folder."""
    for name in [name for name in sys.modules if name.partition(".")[0] in {"runbook", "deeds", "archive_records"}]:
        del sys.modules[name]
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    importlib.import_module("deeds")


def serve() -> None:
    """One request after the other, until the input ends."""
    asked = lines()
    for request in asked:
        pipes = (ready, is_ready), (go, begin) = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            os.close(begin)
            become(request, is_ready, go)
        os.read(ready, 1)
        tell(child)
        next(asked)
        os.write(begin, b"g")
        for end in (end for pipe in pipes for end in pipe):
            os.close(end)
        _, status = os.waitpid(child, 0)
        if "learn" in request:
            learn(Path(request["learn"]).read_text().split())
        tell(os.waitstatus_to_exitcode(status))


def tell(number: int) -> None:
    """One line for whoever asked."""
    os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path[:0] = sys.argv[1:]
    warm()
    importlib.import_module("deeds")
    settle()
    tell(0)
    serve()
