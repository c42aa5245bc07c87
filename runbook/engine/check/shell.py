"""Lines of shell, read as far as it takes to see which commands are named; what is no shell yields nothing odd."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

OR = "\0"
"""Stands between alternatives such as `show|verify`, which are one word."""

_NESTED = re.compile(r"\$\(([^()]*)\)")
_ALTERNATIVES = re.compile(r"(?<=\s)[a-z-]+(?:[|/][a-z-]+)+(?![\w\"'/.-])")
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'|;&<>()#\\]|(?<=\S)#)+|[|;&<>()#]|["'\\]""")
_STARTS = re.compile(
    r"(?:^|[:=,(\[{]\s*[\"']|[;&|(!{\0]|\$|(?<![\w#])[#>%]|\b(?:then|do|else|if|while|until|time|exec|command|nohup)"
    r"|(?:^|[;&|($#>])\s*(?:sudo|watch|timeout|env)(?:\s+(?:-\w+(?:\s+[\w.-]+)?|--[\w-]+(?:=\S+)?|\d+\w?))*?|\w+=\S*\s|python[\d.]*\s+-m)\s*$"
)
_FAR, _LONG = 200, 4000
"""Characters before a command, and of it, that are looked at: an endless line does not take endless time."""
_FOLDER = r"(?<![\w./~-])(?:(?:[.~]*/|[\w.-]+/(?=(?:[\w.-]+/)*bin/))(?:[\w.-]+/)*|bin/)?"
"""`./target/`, `/opt/x/bin/`, `sandbox/bin/`: where a program lies; `deployment/engram` is none."""
_OPERATORS = frozenset("|;&<>()#")


@dataclass(frozen=True, slots=True)
class Invocation:
    """The words behind a program's name. `sure` where it stands in the place of a command."""

    words: tuple[str, ...]
    sure: bool


def invocations(text: str, program: str, *, pipes: bool = True) -> Iterator[Invocation]:
    """Every call of the program in a line, those within `$(...)` too.

    Without `pipes` the text is none for a shell, and `show|verify` means either of two words.
    """
    for nested in _NESTED.findall(text):
        yield from invocations(nested, program)
    flat = _NESTED.sub("IT", text)
    flat = re.sub(r"<([\w. -]+)>", lambda found: re.sub(r"\W", "_", found.group(1)).upper(), flat)
    if not pipes:
        flat = _ALTERNATIVES.sub(lambda found: re.sub(r"[|/]", OR, found.group()), flat)
    for found in re.finditer(rf"{_FOLDER}{program}(?=\s)", flat):
        before = flat[max(found.start() - _FAR, 0) : found.start()]
        if len(before) == _FAR:
            before = f"x {before}"  # the line does not begin here
        if re.search(r"(?:^|\s)-(?!m\s)[\w-]*\s+$", before):
            continue  # the value of an option, such as the user of `sudo -u runbook`
        yield Invocation(tuple(_words(flat[found.end() : found.end() + _LONG])), _STARTS.search(before) is not None)


def _words(text: str) -> Iterator[str]:
    """Up to the end of the command."""
    for found in _WORD.finditer(text):
        token, end = found.group(), found.end()
        if token in _OPERATORS:
            return
        if token.isdigit() and text[end : end + 1] in {">", "<"}:
            return  # the number of a stream
        word = _unquoted(token).strip("[]").rstrip(",.:`")
        if word:
            yield word


def _unquoted(token: str) -> str:
    return re.sub(r""""((?:\\.|[^"\\])*)"|'([^']*)'""", lambda found: found.group(1) or found.group(2) or "", token)
