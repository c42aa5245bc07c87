"""One name that a document says, and whether there is such a thing."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_PLACEHOLDER = re.compile(r"[^a-z]*|.*[<>{}$*…\[\]\\].*|.*\.\.\..*|[A-Z][A-Z0-9_:=.-]*|IT")
"""A word that stands for another: RUN, NAME, <node>, {id}, $RUN, ..., 3, and what a `$(...)` would give."""

_SHARED = ("--", "/api/v1/admin/", "/api/v1/", "dual_memory.", "engram ", "engram_", "process_")

FILE_ENDINGS = frozenset(
    {"cfg", "conf", "csv", "db", "go", "head", "html", "ini", "json", "jsonl", "key", "lock", "log"}
    | {"md", "py", "rs", "service", "sh", "sql", "toml", "txt", "yaml", "yml"}
)


class Kind(StrEnum):
    """What a name names."""

    COMMAND = "command"
    OPTION = "option"
    ARGUMENT = "argument"
    ENGRAM_COMMAND = "engram command"
    SETTING = "setting"
    METRIC = "metric"
    LABEL = "label"
    ENDPOINT = "endpoint"
    FAULT = "fault"
    PLAYBOOK = "playbook"
    INPUT = "playbook input"
    VARIABLE = "inventory variable"
    ENVIRONMENT = "environment variable"
    KEY = "configuration key"
    EVENT = "journal event"
    EXIT_CODE = "exit code"
    FILE = "file"
    LINK = "link"
    ANCHOR = "anchor"


@dataclass(frozen=True, slots=True)
class Named:
    """A name on a line (1-based); where it does not exist, the nearest one that does, and what else is to be said."""

    kind: Kind
    name: str
    line: int
    exists: bool = True
    meant: str = ""
    note: str = ""


def among(kind: Kind, name: str, line: int, known: Iterable[str], note: str = "") -> Named:
    """Is the name one of these? Where not, with the nearest of them."""
    every = list(known)
    if name in every:
        return Named(kind, name, line)
    return Named(kind, name, line, exists=False, meant=nearest(name, every), note=note)


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The most alike of these, or nothing. A beginning that all names of the kind share makes none alike."""
    prefix = next((each for each in _SHARED if name.startswith(each)), "")
    every = [each.removeprefix(prefix) for each in known if each.startswith(prefix)]
    found = difflib.get_close_matches(name.removeprefix(prefix), every, n=1, cutoff=cutoff)
    return prefix + found[0] if found else ""


def is_placeholder(word: str) -> bool:
    """Does the word stand for another one?"""
    return _PLACEHOLDER.fullmatch(word) is not None
