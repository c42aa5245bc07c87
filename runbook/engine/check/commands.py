"""Command lines in documents, against the tree of commands."""

import re
from collections.abc import Iterator, Sequence

from runbook.engine.check.known import CommandTree, Known
from runbook.engine.check.markdown import Piece, Where
from runbook.engine.check.named import Kind, Named, among, is_placeholder, nearest
from runbook.engine.check.shell import OR, invocations
from runbook.model.contract import ENGRAM_COMMANDS

_SHELLS = frozenset({"bash", "console", "fish", "sh", "shell", "shell-session", "zsh"})
_OPTION = re.compile(r"--?[a-zA-Z][\w-]*(?==|$)")
_LONG = re.compile(r"--[a-z][a-z-]+")
_OTHER_OPTIONS = frozenset({"--check", "--diff", "--limit", "--format", "--backup", "--to", "--user"})
"""Of `ansible-playbook`, `engram` and `sudo`: our own documents name them without their command."""
_ENDS = frozenset({"--help", "-h", "--version"})
"""Nothing behind them is read."""
_OTHER_KEYS = ("feature_flags.", "memory_spaces.", "server.")
"""Settings of upstream's own command."""


def names_of_commands(piece: Piece, known: Known) -> Iterator[Named]:
    """Commands, options and arguments that a piece of code names."""
    if piece.where is Where.PROSE:
        return
    typed = piece.where is Where.INLINE or piece.language in _SHELLS
    for called in invocations(piece.text, "runbook", pipes=piece.language in _SHELLS):
        sure = called.sure and bool(called.words)
        if sure or (called.words and _is_known(called.words[0], known.commands)):
            strict = sure and typed
            yield from _walk(called.words, known.commands, piece.line, strict=strict)
    for called in invocations(piece.text, "engram", pipes=piece.language in _SHELLS):
        if called.sure and called.words:
            yield from _engram(called.words, known, piece.line)


def _is_known(word: str, tree: CommandTree) -> bool:
    return word in tree.children


def _walk(words: Sequence[str], tree: CommandTree, line: int, *, strict: bool) -> Iterator[Named]:
    """Word by word down the tree, up to the first that is not there."""
    position = 0
    while words:
        word, words = words[0], words[1:]
        if word == "--":
            return
        if _OPTION.match(word):
            name, _, value = word.partition("=")
            option = tree.options.get(name) or tree.options.get(name[:2] if name[1] != "-" else name)
            if option is None:
                meant = nearest(name, tree.options)
                yield Named(
                    Kind.OPTION, f"{tree.path} {name}", line, exists=False, meant=meant and f"{tree.path} {meant}"
                )
                return
            yield Named(Kind.OPTION, f"{tree.path} {name}", line)
            if name in _ENDS:
                return
            if option.takes_value and not value and words:
                value, words = words[0], words[1:]
            if option.choices and value and not is_placeholder(value):
                yield among(Kind.ARGUMENT, value, line, option.choices)
        elif tree.children:
            below = tuple(_below(word, tree, line))
            yield from below
            if is_placeholder(word) or len(below) != 1 or not below[0].exists:
                return
            tree = tree.children[word]
        else:
            yield from _argument(word, position, tree, line, strict=strict)
            position += 1


def _below(word: str, tree: CommandTree, line: int) -> Iterator[Named]:
    """The command of that name, or each of several alternatives."""
    for each in word.split(OR):
        if is_placeholder(each):
            continue
        meant = "" if each in tree.children else nearest(each, tree.children)
        path = f"{tree.path} {each}"
        yield Named(Kind.COMMAND, path, line, each in tree.children, meant and f"{tree.path} {meant}")


def _argument(word: str, position: int, tree: CommandTree, line: int, *, strict: bool) -> Iterator[Named]:
    arguments = tree.arguments
    many = bool(arguments) and arguments[-1].many
    if position >= len(arguments) and not many:
        if strict and not is_placeholder(word):
            yield Named(
                Kind.ARGUMENT, f"{tree.path} {word}", line, exists=False, note=f"{tree.path} takes no more words"
            )
        return
    argument = arguments[min(position, len(arguments) - 1)]
    for each in word.split(OR):
        if argument.choices and not is_placeholder(each) and (strict or each in argument.choices):
            kind = Kind.FAULT if argument.name == "fault" else Kind.ARGUMENT
            yield among(kind, each, line, argument.choices)


def _engram(words: Sequence[str], known: Known, line: int) -> Iterator[Named]:
    """The node's own command: what upstream's has, and the settings that ours has."""
    verb, *rest = words
    if OR in verb:
        for each in verb.split(OR):
            yield from _engram([each], known, line)
        return
    if is_placeholder(verb) or not re.fullmatch(r"[a-z][a-z-]*", verb):
        return
    note = f"runbook {verb} does that" if verb in known.commands.children else ""
    found = among(Kind.ENGRAM_COMMAND, f"engram {verb}", line, [f"engram {each}" for each in ENGRAM_COMMANDS], note)
    yield found
    below = ENGRAM_COMMANDS.get(verb, ())
    if below and rest and not is_placeholder(rest[0]) and not rest[0].startswith("-") and OR not in rest[0]:
        yield among(Kind.ENGRAM_COMMAND, f"engram {verb} {rest[0]}", line, [f"engram {verb} {each}" for each in below])
    match [verb, *rest]:
        case ["config", "get" | "set", key, *_] if not (
            is_placeholder(key) or key.startswith(("dual_memory.", *_OTHER_KEYS))
        ):
            yield among(Kind.SETTING, key, line, known.settings)


def lone_options(text: str, line: int, known: Known, *, own: bool) -> Iterator[Named]:
    """An option that stands for itself, such as `--act`: any command's.

    In a document of somebody else's it may be any program's, so only one that is nearly ours is taken for ours.
    """
    if not _LONG.match(text):
        return
    every = known.commands.every_option() | known.node_options
    name = text.partition("=")[0].split()[0]
    if not _LONG.fullmatch(name) or name in _OTHER_OPTIONS:
        return
    if name in every or own or nearest(name, every, cutoff=0.85):
        yield among(Kind.OPTION, name, line, every)
