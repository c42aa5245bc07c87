"""The nginx of this host: a configuration checked, the running one reloaded, and asked what it splits by."""

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.engram.ops.plugins.module_utils.split_render import DIGEST, READ_BACK, rendered
from ansible_collections.engram.ops.plugins.module_utils.split_values import KEYS, Split, SplitError

COMMAND_SECONDS = 20.0
READ_BACK_SECONDS = 10.0
PAUSE_SECONDS = 0.05
STEADY_SECONDS = 0.3
"""So long nothing else must be told: the workers of before are told to leave a tenth of a second after the new came."""
SHOWN = 500
LARGEST_ANSWER = 8 << 20
_BINARIES = ("nginx", "openresty", "angie", "freenginx")
_EVERYWHERE = {"*": "127.0.0.1", "": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - compared
OK = 200
_STAMP = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?=\[)|(?<=\]) \d+#\d+:")
"""What nginx puts before what it says: the moment, and the process behind the severity."""


@dataclass(frozen=True)
class Running:
    """What the running nginx tells: the settings by name and the digest of its file; or why it does not tell."""

    values: Mapping[str, Any]
    digest: str
    why_not: str = ""


def ask(listen: str) -> Running:
    """What nginx tells where it listens. Never raises for what it answers."""
    host, _, port = listen.rpartition(":")
    connection = http.client.HTTPConnection(_EVERYWHERE.get(host, host).strip("[]"), int(port), timeout=2)
    try:
        connection.request("GET", READ_BACK, headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read(LARGEST_ANSWER)
    except (OSError, http.client.HTTPException) as problem:
        return Running({}, "", f"nothing answers at {listen}: {getattr(problem, 'strerror', None) or problem!r}")
    finally:
        connection.close()
    if answer.status != OK:
        return Running({}, "", f"{listen}{READ_BACK} answers {answer.status}")
    try:
        found = json.loads(body)
        return Running({key: found[key] for key in KEYS}, str(found[DIGEST]))
    except (ValueError, LookupError, TypeError):
        return Running({}, "", f"{listen}{READ_BACK} does not answer as a splitter does")


def check_alone(split: Split, test_command: Sequence[str]) -> None:
    """See that nginx takes this file by itself, without touching anything: no port, no log, no folder of the real one.

    Raises:
        SplitError: nginx is missing, or refuses it.
    """
    with tempfile.TemporaryDirectory(prefix="engram-splitter-") as folder:
        here = Path(folder)
        doors = [replace(route, listen=f"unix:{folder}/{place}") for place, route in enumerate(split.routes)]
        candidate = rendered(replace(split, routes=doors, log=f"{folder}/log"))
        temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi"))
        temporary += "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("uwsgi", "scgi"))
        main = f"pid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{temporary}{candidate}}}\n"
        (here / "nginx.conf").write_text(main, encoding="ascii")
        _run([_binary(test_command), "-t", "-q", "-p", folder, "-c", f"{folder}/nginx.conf"], "the check by itself")


def check_all(test_command: Sequence[str]) -> None:
    """See that nginx takes its whole configuration, as it lies there.

    Raises:
        SplitError: it does not, or cannot be run.
    """
    _run(test_command, "nginx refuses its configuration, so it is not reloaded")


def reload(reload_command: Sequence[str]) -> None:
    """Have the running nginx load its configuration.

    Raises:
        SplitError: the command failed.
    """
    _run(reload_command, "the reload was refused (does nginx run?)")


def await_digest(listen: str, digest: str, file: str) -> Running:
    """Ask until the running nginx tells that it runs the file of that digest.

    Raises:
        SplitError: it does not within READ_BACK_SECONDS.
    """
    since = asked = time.monotonic()
    deadline, found = asked + READ_BACK_SECONDS, Running({}, "", "it was not asked")
    while asked < deadline:
        asked = time.monotonic()
        found = ask(listen)
        if found.digest != digest:
            since = asked
        elif asked - since >= STEADY_SECONDS:
            return found
        time.sleep(PAUSE_SECONDS)
    why = found.why_not or "it still tells what it ran before: its error log says why it did not load the new one"
    hint = f"does the http block of its main configuration include {file}, and is the address its own?"
    raise SplitError(f"nginx was reloaded, but does not run the new configuration: {why}; {hint}", "ignored")


def _binary(test_command: Sequence[str]) -> str:
    """The nginx of the test command, which may stand behind a sudo."""
    named = [word for word in test_command if Path(word).name.startswith(_BINARIES) and not word.startswith("-")]
    return named[0] if named else test_command[0]


def _run(words: Sequence[str], what: str) -> None:
    path = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    program = shutil.which(words[0], path=path)
    if program is None:
        raise SplitError(f"{words[0]} is not installed on this host, or may not be run", "not_supported")
    environment = {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(  # noqa: S603 - what the inventory names, without a shell
            [program, *words[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env=environment,
            timeout=COMMAND_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise SplitError(f"{what}: {words[0]} did not end within {COMMAND_SECONDS:g} s", "broken") from None
    except OSError as problem:
        raise SplitError(f"{words[0]} cannot be run: {problem.strerror}", "not_supported") from None
    if done.returncode:
        said = _said(done.stderr) or "it said nothing"
        raise SplitError(f"{what}: {' '.join(words)[:200]} ended with {done.returncode}: {said[:SHOWN]}", "refused")


def _said(stderr: bytes) -> str:
    """What went wrong, in one line: without the moment and the process, and without what nginx notes on its way."""
    lines = [line.strip() for line in stderr.decode("utf-8", errors="replace").splitlines()]
    telling = [line for line in lines if line and "[notice]" not in line] or lines
    return "; ".join(_STAMP.sub("", line) for line in telling).strip()
