"""Prove a bundle without the fleet: bytes, chain, plan, approvals; and every verdict once more from its rows. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from runbook.engine.judging.judgement import judge_stage, rows_needed
from runbook.engine.proof.manifest import check_files, damaged, json_of, read_manifest
from runbook.engine.proof.table import rows_of
from runbook.engine.proof.told import (
    approvals_in,
    at_look,
    basis_in,
    before_in,
    looks_in,
    plan_in,
    rollout_in,
)
from runbook.engine.proof.write import Lines, self_test
from runbook.engine.rollout.basis import recalls_of
from runbook.engine.rollout.plan.document import digest_of as plan_digest
from runbook.engine.rollout.record import judgement_details
from runbook.errors import DamagedError
from runbook.model.bundle import (
    APPROVALS,
    BACKUPS,
    CELLS,
    JOURNAL,
    MANIFEST,
    PLAN,
    SELF_TEST,
    SETTINGS,
    VERDICTS,
    Manifest,
    Proven,
    Recomputed,
)
from runbook.model.cells import Cell
from runbook.model.journal import Entry, Event, original
from runbook.model.rollout import Rollout

_WORDS = frozenset({"arithmetic", "sentence", "why", "told"})
_LOOK = {"name": str, "look": int, "verdict": str, "judgement": Mapping}
_CLOSE = 1e-9
"""Of two machines' floating point: an estimate is the same where it is this near."""


def open_bundle(files: Mapping[str, bytes]) -> Manifest:
    """The manifest, where every file is as it was written.

    Raises:
        DamagedError: a file is not, one is missing or strange.
        NotSupportedError: another version of this tool wrote it.
    """
    if MANIFEST not in files:
        raise damaged(MANIFEST, "it is missing: this is no bundle of evidence, or not all of one")
    manifest = read_manifest(files[MANIFEST])
    check_files(manifest, files)
    return manifest


def prove(files: Mapping[str, bytes], lines: Lines) -> Proven:
    """Check all of a bundle; `lines` are those of its journal, whose chain was followed.

    Raises:
        DamagedError: a file is not as it was written, or does not fit the journal's lines; file and place are named.
        NotSupportedError: another version of this tool wrote it.
    """
    manifest = open_bundle(files)
    rollout = _rollout(manifest, lines)
    told = (
        (PLAN, plan_in(rollout)),
        (APPROVALS, approvals_in(rollout)),
        (VERDICTS, looks_in(lines.entries, rollout.id)),
    )
    for name, wanted in told:
        _same(name, json_of(name, files[name]), _plain(wanted))
    if plan_digest(rollout.plan) != rollout.digest:
        raise damaged(
            PLAN, f"its digest is {plan_digest(rollout.plan)}, and the rollout was started with {rollout.digest}"
        )
    _settings(json_of(SETTINGS, files[SETTINGS]), lines.entries, rollout.target)
    _backups(json_of(BACKUPS, files[BACKUPS]), rollout)
    rows = rows_of(files[CELLS])
    _same(SELF_TEST, json_of(SELF_TEST, files[SELF_TEST]), _plain(self_test(rollout, rows)))
    looks = looks_in(lines.entries, rollout.id)
    return Proven(manifest, tuple(_again(look, lines.entries, rollout.id, rows) for look in looks))


def against_journal(manifest: Manifest, raw: bytes, lines: Lines) -> str:
    """How the bundle fits the journal at hand, in words; `raw` are the bundle's own lines.

    Raises:
        DamagedError: the journal knows other lines, another bundle of that name, or none.
    """
    if not b"".join(lines.raw).startswith(raw):
        raise damaged(JOURNAL, "the journal at hand has other lines in that place")
    written = [
        entry
        for entry in map(original, lines.entries)
        if entry.event is Event.EVIDENCE_WRITTEN and entry.details.get("name") == manifest.name
    ]
    digests = [str(entry.details.get("manifest")) for entry in written]
    if manifest.digest in digests:
        return f"entry {written[digests.index(manifest.digest)].seq} of the journal names this very manifest"
    if digests:
        told = f"its SHA-256 is {manifest.digest}, and entry {written[-1].seq} of the journal says {digests[-1]}"
        raise damaged(MANIFEST, told)
    raise damaged(MANIFEST, f"the journal at hand does not know of a bundle {manifest.name}")


def _rollout(manifest: Manifest, lines: Lines) -> Rollout:
    if not lines.entries:
        raise damaged(JOURNAL, "it has no line")
    first, last = lines.entries[0], lines.entries[-1]
    if (first.seq, last.seq, lines.head) != (manifest.first, manifest.last, manifest.head):
        told = f"entries {first.seq} to {last.seq} with the head {lines.head}"
        wanted = f"{manifest.first} to {manifest.last} with {manifest.head}"
        raise damaged(JOURNAL, f"it holds {told}, and the manifest says {wanted}")
    if original(first).event is not Event.ROLLOUT_STARTED or first.run != manifest.rollout:
        raise damaged(JOURNAL, f"line 1: entry {first.seq} is not the start of rollout {manifest.rollout}")
    try:
        rollout = rollout_in(lines.entries, manifest.rollout)
    except DamagedError as error:
        raise damaged(JOURNAL, error.message) from error
    if rollout.target != manifest.target:
        raise damaged(MANIFEST, f"it says that the target is {manifest.target}, and the rollout is of {rollout.target}")
    return rollout


def _settings(document: Any, entries: Sequence[Entry], target: str) -> None:
    if not isinstance(document, dict) or document.keys() != {"before", "after"}:
        raise damaged(SETTINGS, "it has to say what was before, and after")
    after = document["after"]
    if not isinstance(after, dict) or not all(isinstance(each, dict) for each in after.values()):
        raise damaged(SETTINGS, "after: it has to say of each node what it ran with")
    try:
        before = before_in(entries, target, after)
    except DamagedError as error:
        raise damaged(JOURNAL, error.message) from error
    _same(SETTINGS, document["before"], _plain(before), "before")


def _backups(document: Any, rollout: Rollout) -> None:
    if not isinstance(document, list) or not all(isinstance(each, dict) for each in document):
        raise damaged(BACKUPS, "it has to say of each backup what is known of it")
    names = [each.get("name") for each in document]
    _same(BACKUPS, names, list(rollout.backups), "names")


def _again(look: Mapping[str, Any], entries: Sequence[Entry], rollout: str, rows: Iterable[Cell]) -> Recomputed:
    """One look taken again, from the rows that there were then."""
    if not all(isinstance(look.get(key), kind) for key, kind in _LOOK.items()):
        raise damaged(JOURNAL, f"entry {look['seq']} is no look of the judge")
    stage, number, journaled = look["name"], look["look"], look["verdict"]
    basis = basis_in(look)
    if basis is None:
        return Recomputed(stage, number, journaled, "", untold="the journal does not say what it was taken of")
    then = at_look(entries, look, rollout)
    known = [row for row in basis.rows(rows) if row.bucket >= rows_needed(then)]
    if more := _more(recalls_of(known, basis.now), basis.recalls):
        return Recomputed(stage, number, journaled, "", untold=more)
    judgement = judge_stage(then, known, basis.now)
    found = judgement.verdict.value
    if found != journaled:
        return Recomputed(stage, number, journaled, found, f"the rows give {found}: {judgement.why}")
    place = difference(_figures(look["judgement"]), _figures(_plain(judgement_details(judgement))))
    return Recomputed(stage, number, journaled, found, f"judgement{place}" if place else "")


def _more(found: Mapping[str, int], read: Mapping[str, int]) -> str:
    """Which node has told more since, of the time before the look; empty where none has. Fewer is another matter."""
    grown = {node: count - read.get(node, 0) for node, count in found.items() if count > read.get(node, 0)}
    if not grown or any(found.get(node, 0) < count for node, count in read.items()):
        return ""
    return f"of the time before it more was told after it ({', '.join(f'{n}: {c} recalls' for n, c in grown.items())})"


def _figures(value: Any) -> Any:
    """Without the sentences for people: they are made of the figures, and a later release may put them otherwise."""
    match value:
        case Mapping():
            return {key: _figures(each) for key, each in value.items() if key not in _WORDS}
        case list():
            return [_figures(each) for each in value]
        case _:
            return value


def difference(found: Any, wanted: Any, place: str = "") -> str:
    """Where two documents differ first, and in what; empty where they do not. Numbers may differ by a billionth."""
    if isinstance(found, dict) and isinstance(wanted, dict) and found.keys() == wanted.keys():
        return next(filter(None, (difference(found[key], wanted[key], f"{place}.{key}") for key in wanted)), "")
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        pairs = enumerate(zip(found, wanted, strict=True))
        return next(filter(None, (difference(*pair, f"{place}[{at}]") for at, pair in pairs)), "")
    if isinstance(found, float) and isinstance(wanted, float | int) and math.isclose(found, wanted, rel_tol=_CLOSE):
        return ""
    return (
        "" if found == wanted and type(found) is type(wanted) else f"{place}: {_short(found)}, and not {_short(wanted)}"
    )


def _same(name: str, found: Any, wanted: Any, place: str = "") -> None:
    if told := difference(found, wanted, place):
        raise damaged(name, f"{told}, which is what the journal's lines tell")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004  # a line on a screen


def _plain(value: Any) -> Any:
    """As it would be read back from JSON."""
    return orjson.loads(orjson.dumps(value))
