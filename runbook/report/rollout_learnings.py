"""What a rollout taught, as a Markdown page: phases, people, evidence for each parameter, complaints, bundles."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from runbook.engine.rollout.learnings import Lasted, Learnings, Saying, Tuned
from runbook.model.duration import in_words
from runbook.model.rollout import Approved, Noted, Rollout
from runbook.report.lines import printable, shown

_SHOWN_NODES = 4


def learnings_page(found: Learnings) -> str:
    """The whole page."""
    rollout = found.rollout
    parts = [
        f"# What rollout {rollout.id} taught",
        _table(("", ""), _summary(found)),
        "## Stages",
        _table(("stage", "share", "entered", "lasted", "by run", "last said of it"), map(_stage, found.stages))
        if found.stages
        else "No stage was entered.",
        "## What let it go on",
        _table(
            ("into", "gate", "its sum then"),
            ((each.into or "its end", each.gate, each.arithmetic) for each in found.passed),
        )
        if found.passed
        else "No gate was passed.",
        "## Evidence for each parameter",
        "What was said last before a change, and first after it. What else changed in that time is not known here.",
        _table(
            ("parameter", "before", "after", "nodes", "in", "by", "said before", "said after"), map(_tuned, found.tuned)
        )
        if found.tuned
        else "No setting was changed.",
        "## What judge and validator said",
        _table(("when", "who", "of", "verdict", "why"), map(_saying, found.said)) if found.said else "Nothing.",
        "## People",
        _table(("who", "when", "approved", "why"), (_approved(rollout, each) for each in rollout.approved))
        if rollout.approved
        else "Nobody approved anything.",
        _table(("who", "when", "stage", "complaints", "remark"), (_noted(rollout, each) for each in rollout.notes))
        if rollout.notes
        else "Nobody noted anything.",
        "## Evidence",
        "\n".join(f"- `runbook evidence verify {bundle}`" for bundle in rollout.bundles) or "No bundle was written.",
    ]
    return "\n\n".join(parts) + "\n"


def _summary(found: Learnings) -> Iterator[Sequence[str]]:
    rollout = found.rollout
    yield "plan", f"{rollout.plan.name}: {rollout.plan.title}"
    yield "target", rollout.target
    yield "started", f"{_when(rollout.at)} by {rollout.who}" + (f": {rollout.reason}" if rollout.reason else "")
    yield "stands", f"{rollout.standing.value}, {rollout.current.name}" + (f": {rollout.why}" if rollout.why else "")
    yield "took", in_words(found.length)
    yield "digest of the plan", f"`{rollout.digest}`"


def _stage(lasted: Lasted) -> Sequence[str]:
    last = lasted.said[-1] if lasted.said else None
    share = f"{lasted.share * 100:g} %"
    when, run = _when(lasted.entered.at), f"`{lasted.entered.run}`"
    return lasted.name, share, when, in_words(lasted.length), run, _said(last)


def _tuned(tuned: Tuned) -> Sequence[str]:
    change, nodes = tuned.change, tuned.nodes
    doubt = " (in doubt)" if change.in_doubt else " (put back)" if change.put_back else ""
    named = ", ".join(nodes[:_SHOWN_NODES]) + (f" and {len(nodes) - _SHOWN_NODES} more" * (len(nodes) > _SHOWN_NODES))
    by = f"{change.who}, {change.command}" + (f": {change.reason}" if change.reason else "")
    values = shown(change.old), shown(change.new) + doubt
    return f"`{change.key}`", *values, named, tuned.stage, by, _said(tuned.before), _said(tuned.after)


def _said(saying: Saying | None) -> str:
    return "nothing" if saying is None else f"{saying.verdict} ({saying.by})"


def _saying(saying: Saying) -> Sequence[str]:
    return _when(saying.at), saying.by, saying.stage or "the fleet", saying.verdict, saying.why


def _approved(rollout: Rollout, approved: Approved) -> Sequence[str]:
    what = "the plan as a whole" if approved.phase is None else f"phase {approved.phase}"
    if approved.digest != rollout.digest:
        what += f", of another plan ({approved.digest[:12]})"
    return approved.who, _when(approved.at), what, approved.reason


def _noted(rollout: Rollout, noted: Noted) -> Sequence[str]:
    stages = rollout.plan.stages
    stage = stages[noted.stage].name if 0 <= noted.stage < len(stages) else "?"
    return noted.who, _when(noted.at), stage, "" if noted.complaints is None else str(noted.complaints), noted.text


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Words of people and nodes cannot break out of their cell."""
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def _cell(text: str) -> str:
    return printable(" ".join(text.split())).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
