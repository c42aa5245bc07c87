"""The change of a splitter's file, as far as it has effects; and what becomes of the file where one of these fails."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.engram.ops.plugins.module_utils.split_file import Placing
from ansible_collections.engram.ops.plugins.module_utils.split_nginx import Running, await_digest, check_all, reload
from ansible_collections.engram.ops.plugins.module_utils.split_render import DIGEST, made_of, treats_no_more
from ansible_collections.engram.ops.plugins.module_utils.split_values import SplitError


def carry_out(given: Mapping[str, Any], path: Path, listen: str, content: str) -> Running:
    """Put the content in the place of the file, have nginx load it, and read it back where it listens.

    Raises:
        SplitError: it was not read back; the message says what is in the place of the file now.
    """
    reloaded = False
    try:
        placing = Placing(path)
    except OSError as problem:
        raise SplitError(
            f"{path.parent} cannot be written: {problem.strerror}; nothing was touched", "refused"
        ) from None
    try:
        placing.place(content)
        check_all(given["test_command"])
        reloaded = True
        reload(given["reload_command"])
        found = await_digest(listen, made_of(content)[DIGEST], str(path))
    except OSError as problem:
        said = f"{path} cannot be written: {problem.strerror}"
        raise SplitError(f"{said}; {_back(placing, given, reloaded=reloaded)}", "refused") from None
    except SplitError as problem:
        left = _stays(placing, given, content, reloaded=reloaded) or _back(placing, given, reloaded=reloaded)
        raise SplitError(f"{problem}; {left}", problem.reason) from None
    placing.done()
    return found


def _stays(placing: Placing, given: Mapping[str, Any], content: str, *, reloaded: bool) -> str:
    """Leave the new file there, where it is on the way back and not itself wrong; what came of it, or nothing."""
    try:
        old = placing.kept
        if not given["stays"] or not old or not treats_no_more(made_of(content), made_of(old)):
            return ""
        if not reloaded and _takes(old, placing, given) and not _takes(content, placing, given):
            return ""
        placing.put(content)
        placing.done()
    except (OSError, SplitError):
        return ""
    return "THE NEW FILE STAYS, and is what nginx splits by when it next loads it or is started"


def is_taken(test_command: Sequence[str]) -> bool:
    """Does nginx take its whole configuration, as it lies there?"""
    try:
        check_all(test_command)
    except SplitError:
        return False
    return True


def _takes(content: str, placing: Placing, given: Mapping[str, Any]) -> bool:
    """The same with that content in the file; it is left there."""
    placing.put(content)
    return is_taken(given["test_command"])


def _back(placing: Placing, given: Mapping[str, Any], *, reloaded: bool) -> str:
    """Put the old file back, and have nginx load it where it may have loaded the new one; what came of it."""
    try:
        if not placing.unfinished:
            return "nothing was touched"
        placing.put_back()
        if not reloaded:
            return "the old file is back, and nginx was not reloaded"
        check_all(given["test_command"])
        reload(given["reload_command"])
    except OSError as problem:
        return f"AND THE OLD FILE IS NOT BACK: {problem.strerror}"
    except SplitError as problem:
        return f"the old file is back, but nginx could not be reloaded with it: {problem}"
    return "the old file is back, and nginx was reloaded with it"
