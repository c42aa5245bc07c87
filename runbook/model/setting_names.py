"""What a person types for settings: names, whole or short, and values, as `KEY VALUE` or `KEY=VALUE`."""

import difflib
from collections.abc import Sequence

from runbook.errors import UsageError
from runbook.model.settings import CATALOGUE, Kind, Setting, Value, parsed

COMMANDS = {Kind.FEATURE: "flags", Kind.CONFIG: "config"}
"""The command that is for settings of that kind."""


def names_of(kind: Kind) -> tuple[str, ...]:
    """Every whole name of that kind, in the catalogue's order."""
    return tuple(key for key, setting in CATALOGUE.items() if setting.kind is kind)


def short(key: str) -> str:
    """The last part of a name."""
    return key.rpartition(".")[2]


def named(word: str, kind: Kind) -> Setting:
    """The setting of that kind that a person means: by its whole name, or by its last part where only one has it.

    Raises:
        UsageError: there is none, it is of the other kind, or there are several; the hint says what to type.
    """
    found = [CATALOGUE[word]] if word in CATALOGUE else [each for key, each in CATALOGUE.items() if short(key) == word]
    fitting = [each for each in found if each.kind is kind]
    match fitting, found:
        case [setting], _:
            return setting
        case [], [other, *_]:
            command = f"runbook {COMMANDS[other.kind]}"
            raise UsageError(f"{other.key} is not for `runbook {COMMANDS[kind]}`", hint=f"it is for: {command}")
        case [], _:
            raise UsageError(f"no setting is called {word!r}", hint=_suggestion(word, kind))
        case _:
            keys = ", ".join(each.key for each in fitting)
            raise UsageError(f"{word!r} stands for several settings", hint=f"one of: {keys}")


def assigned(words: Sequence[str], kind: Kind) -> dict[str, Value]:
    """What is to be set to what, in the order in which it was said; `KEY VALUE` and `KEY=VALUE` may be mixed.

    Raises:
        UsageError: a name that is none, a value that is none of that setting, none at all, or a setting twice.
    """
    wanted: dict[str, Value] = {}
    rest = list(words)
    while rest:
        name, equals, text = rest.pop(0).partition("=")
        setting = named(name, kind)
        if not equals:
            if not rest:
                raise UsageError(f"there is no value for {setting.key}", hint=f"{short(setting.key)} VALUE")
            text = rest.pop(0)
        if setting.key in wanted:
            raise UsageError(f"{setting.key} is said twice")
        wanted[setting.key] = parsed(setting, text)
    if not wanted:
        raise UsageError("nothing was said to set", hint=f"runbook {COMMANDS[kind]} set KEY VALUE")
    return wanted


def _suggestion(word: str, kind: Kind) -> str:
    """The nearest name of that kind, else of the other kind with its command, else all of that kind."""
    for each in (kind, *(other for other in Kind if other is not kind)):
        whole = {short(key): key for key in names_of(each)} | {key: key for key in names_of(each)}
        close = difflib.get_close_matches(word, whole, n=1, cutoff=0.7)
        if close:
            where = "" if each is kind else f" (runbook {COMMANDS[each]})"
            return f"did you mean {whole[close[0]]}?{where}"
    return f"one of: {', '.join(names_of(kind))}"
