"""A bundle of evidence, and what a check of it found, as text and as data."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from runbook.model.bundle import APPROVALS, BACKUPS, SELF_TEST, VERDICTS, Manifest, Proven, Recomputed
from runbook.report.lines import Line, Style, line

_WIDTH = 11


def bundle_lines(manifest: Manifest, documents: Mapping[str, Any]) -> Iterator[Line]:
    """What it is, then each look, approval and backup, and the self-test."""
    yield from _head(manifest)
    for look in documents[VERDICTS]:
        yield _row("look", f"{look['name']} look {look['look']}, {look['at']}: {look['verdict']}: {look['why']}")
    for each in documents[APPROVALS]:
        what = "the plan" if each["phase"] is None else f"the phase {each['phase']}"
        yield _row("approval", f"{each['who']} at {each['at']}: {what} {each['reason']}".rstrip())
    for each in documents[BACKUPS]:
        yield _row("backup", f"{each['name']}  {each.get('not_read') or each.get('seal', '')}")
    yield _row("self-test", documents[SELF_TEST]["arithmetic"])
    for name, seal in sorted(manifest.files.items()):
        yield line(f"{name:<{_WIDTH + 5}}{seal.size:>10} bytes  {seal.sha256}", Style.FAINT)


def bundle_data(manifest: Manifest, documents: Mapping[str, Any]) -> dict[str, Any]:
    """The same as data."""
    shown = {name.removesuffix(".json"): document for name, document in documents.items()}
    return {"manifest": _manifest(manifest), "shown": shown, "proven": None}


def proven_lines(proven: Proven) -> Iterator[Line]:
    """What was proven: bytes, chain, and how many verdicts came out the same."""
    manifest = proven.manifest
    yield from _head(manifest)
    yield _row("files", f"{len(manifest.files)} files, every byte as it was written")
    count = manifest.last - manifest.first + 1
    yield _row("chain", f"{count} entries, {manifest.first} to {manifest.last}, each follows the one before")
    if proven.journal:
        yield _row("journal", proven.journal)
    for look in proven.looks:
        if look.differs:
            yield line(f"{look.stage} look {look.look}: journaled {look.journaled}; {look.differs}", Style.BAD, hang=2)
        elif not look.found:
            yield line(f"{look.stage} look {look.look}: {look.journaled}; {look.untold}", Style.UNSURE, hang=2)
    yield _verdicts(proven)


def proven_data(proven: Proven) -> dict[str, Any]:
    """The same as data."""
    found = {"looks": [_look(look) for look in proven.looks], "journal": proven.journal or None}
    return {"manifest": _manifest(proven.manifest), "shown": None, "proven": found}


def _verdicts(proven: Proven) -> Line:
    total, differing, untold = len(proven.looks), len(proven.differing), len(proven.untold)
    agree = total - differing - untold
    if not total:
        return line("No look of the judge was journaled: there is no verdict to come to again.", Style.GOOD)
    words = f"{agree} of {total} verdicts were come to again from the plan and the rows, and agree"
    if differing:
        return line(f"{words}; {differing} DO NOT", Style.BAD)
    return line(f"{words}; {untold} cannot be", Style.UNSURE) if untold else line(f"{words}.", Style.GOOD)


def _head(manifest: Manifest) -> Iterator[Line]:
    yield _row("bundle", manifest.name)
    yield _row("rollout", f"{manifest.rollout} of {manifest.target}")
    yield _row("why", manifest.why)
    yield _row("written", f"{manifest.written_at} by engram-runbook {manifest.tool}")
    yield _row("manifest", manifest.digest)
    if manifest.waiting:
        yield _row("waiting", f"{manifest.waiting} entries that the journal had refused are not in it")


def _row(name: str, text: str) -> Line:
    return Line(((f"{name:<{_WIDTH}}", Style.STRONG), (text, Style.PLAIN)), hang=_WIDTH)


def _manifest(manifest: Manifest) -> dict[str, Any]:
    return asdict(manifest)


def _look(look: Recomputed) -> dict[str, Any]:
    return asdict(look) | {"found": look.found or None, "differs": look.differs or None, "untold": look.untold or None}
