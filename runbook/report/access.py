"""What the access logs of splitters say, as lines and as data."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from runbook.model.access import AccessLog, AccessReport, Calls, Misplaced
from runbook.report.judgement import mismatch_data, mismatch_line
from runbook.report.lines import Line, Style, line

_WIDTH = 12


def access_lines(found: AccessReport) -> Iterator[Line]:
    """Recalls and errors by group, whether the split was kept, and what could not be read."""
    since = "" if found.since is None else f", since {datetime.fromtimestamp(found.since, UTC):%Y-%m-%d %H:%M:%S} UTC"
    names = ", ".join(log.source for log in found.logs) or "none that could be read"
    yield line(f"Access logs of the splitters ({names}){since}", Style.STRONG, hang=2)
    if found.logs:
        yield from _counts_lines(found)
    for told in found.told:
        yield line(told, Style.FAINT, hang=2)
    for silence in found.silent:
        yield line(f"{silence.node}'s access log could not be read: {silence.reason}", Style.UNSURE, hang=2)


def access_data(found: AccessReport) -> dict[str, Any]:
    """The same as data; moments are seconds since 1970."""
    return {
        "since": found.since,
        "logs": [_log_data(log) for log in found.logs],
        "silent": [{"node": silence.node, "reason": silence.reason} for silence in found.silent],
        "recalls": _groups_data(found.recalls),
        "other": _groups_data(found.other),
        "mirrored": _calls_data(found.mirrored),
        "spaces": found.spaces,
        "misplaced_spaces": found.misplaced_spaces,
        "misplaced": [_misplaced_data(each) for each in found.misplaced],
        "mismatch": None if found.mismatch is None else mismatch_data(found.mismatch),
        "told": list(found.told),
    }


def _counts_lines(found: AccessReport) -> Iterator[Line]:
    for name, groups in (("recalls", found.recalls), ("other", found.other)):
        words = "; ".join(f"{group} {_calls_text(calls)}" for group, calls in sorted(groups.items()))
        yield Line(((f"{name:<{_WIDTH}}", Style.STRONG), (words, Style.PLAIN)), hang=2)
    if found.mirrored.calls:
        copies = f"{found.mirrored.calls} copies, {found.mirrored.errors} errors"
        yield Line(((f"{'mirrored':<{_WIDTH}}", Style.STRONG), (copies, Style.PLAIN)), hang=2)
    if found.mismatch is not None:
        yield mismatch_line(found.mismatch)
    if found.misplaced_spaces:
        what = f"{found.misplaced_spaces} of {found.spaces} spaces were served in another group than assigned"
        yield Line(((f"{'astray':<{_WIDTH}}", Style.STRONG), (what, Style.BAD)), hang=2)
        for each in found.misplaced:
            name = each.space or "(no name of a space)"
            yield line(f"{name}: assigned {each.assigned}, {each.calls} of {each.recalls} recalls astray", indent=2)


def _calls_text(calls: Calls) -> str:
    if not calls.calls:
        return "none"
    share = calls.errors / calls.calls
    unanswered = f", {calls.unanswered} of them answered by no node" if calls.unanswered else ""
    return f"{calls.calls}, {calls.errors} errors ({share * 100:.3g} %){unanswered}"


def _calls_data(calls: Calls) -> dict[str, int]:
    return {"calls": calls.calls, "errors": calls.errors, "unanswered": calls.unanswered}


def _groups_data(groups: Mapping[str, Calls]) -> dict[str, Any]:
    return {group: _calls_data(calls) for group, calls in groups.items()}


def _log_data(log: AccessLog) -> dict[str, Any]:
    counted = {"lines": log.lines, "garbage": log.garbage, "torn": log.torn, "newest": log.newest}
    return {"source": log.source, "spaces": len(log.spaces), **counted}


def _misplaced_data(found: Misplaced) -> dict[str, Any]:
    return {
        "space": found.space,
        "assigned": found.assigned,
        "calls": found.calls,
        "recalls": found.recalls,
    }
