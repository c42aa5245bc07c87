"""Backups as lines for people and as data."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from runbook.engine.backup.create import Created
from runbook.engine.backup.verify import Failed
from runbook.model.backup import PROVES, Backup, Proof
from runbook.report.archives import counts_words, size_words
from runbook.report.lines import Line, Style, line


def backup_data(backup: Backup) -> dict[str, Any]:
    """One backup."""
    return {
        "name": backup.name,
        "number": backup.number,
        "target": backup.target,
        "host": backup.host,
        "node": backup.node,
        "kind": backup.kind,
        "snapshot": backup.snapshot,
        "consistency": backup.consistency,
        "created_at": backup.created_at,
        "counts": dict(backup.counts or {}),
        "stored_bytes": backup.stored_bytes,
        "parent": backup.parent,
        "encrypted_to": list(backup.recipients),
        "content_digest": backup.digest,
        "manifest_sha256": backup.seal,
        "level": backup.level,
        "pinned": backup.pinned,
        "damage": backup.damage,
    }


def proof_data(proof: Proof) -> dict[str, Any]:
    """What was proven of one."""
    proves = list(PROVES[: proof.level + 1])
    reached = {"asked": proof.asked, "level": proof.level, "proves": proves, "why_not": proof.why_not}
    recall = None if proof.recall is None else {"share": proof.recall, "asked": proof.recalls}
    return {"backup": backup_data(proof.backup), **reached, "recall": recall}


def failed_data(failed: Failed) -> dict[str, Any]:
    """One that is not proven."""
    return {"name": failed.name, "message": failed.error.message, "hint": failed.error.hint}


def vault_data(folder: Path, backups: Iterable[Backup] = (), answers: Iterable[Proof | Failed] = ()) -> dict[str, Any]:
    """What a command says of a folder of backups."""
    answers = tuple(answers)
    return {
        "folder": str(folder),
        "backups": [backup_data(each) for each in backups],
        "proofs": [proof_data(each) for each in answers if isinstance(each, Proof)],
        "failed": [failed_data(each) for each in answers if isinstance(each, Failed)],
    }


def created_lines(created: Created, folder: Path) -> Iterator[Line]:
    """What `backup create` made, or found."""
    proof, backup = created.proof, created.proof.backup
    if created.fresh:
        yield line(f"Backup {backup.name}", Style.STRONG)
    else:
        yield line(f"Nothing has changed since {backup.name}: it holds this very state", Style.STRONG)
    yield line(f"in {folder}", Style.FAINT, indent=2)
    yield line(
        f"of {_whose(backup)}: {counts_words(backup.counts or {})}, {size_words(backup.stored_bytes)} stored",
        indent=2,
        hang=2,
    )
    if backup.parent:
        yield line(f"what had not changed is shared with {backup.parent}", Style.FAINT, indent=2)
    if backup.consistency != "snapshot":
        yield line("fuzzy: records and residue are not of one moment; the node is written to", Style.UNSURE, 2, 2)
    yield from _proven(proof)


def shelf_lines(shelf: Sequence[Backup], folder: Path) -> Iterator[Line]:
    """The table of `backup list`."""
    if not shelf:
        yield line(f"There is no backup in {folder}.")
        yield line("runbook backup create", indent=2)
        return
    for each in shelf:
        marks = [*(["pinned"] if each.pinned else []), *(["encrypted"] if each.recipients else [])]
        marks += ["fuzzy"] if each.consistency != "snapshot" else []
        yield line(f"{each.name}{''.join(f'  {mark}' for mark in marks)}", Style.STRONG)
        if each.damage:
            yield line(f"DAMAGED: {each.damage}", Style.BAD, indent=2, hang=2)
        if each.kind:
            level = ", not verified yet" if each.level is None else f", verified at level {each.level}"
            style = Style.GOOD if each.level is not None else Style.UNSURE
            stored = f"{_whose(each)}: {counts_words(each.counts or {})}, {size_words(each.stored_bytes)}"
            yield Line(((stored, Style.PLAIN), (level if not each.damage else "", style)), 2, 2)
        if each.parent:
            yield line(f"parent {each.parent}", Style.FAINT, indent=2)


def verified_lines(answers: Iterable[Proof | Failed]) -> Iterator[Line]:
    """What `backup verify` found of each."""
    for each in answers:
        if isinstance(each, Failed):
            yield line(f"Backup {each.name}", Style.STRONG)
            yield line(f"FAILED: {each.error.message}", Style.BAD, indent=2, hang=2)
            if each.error.hint:
                yield line(f"hint: {each.error.hint}", indent=2, hang=2)
        else:
            yield line(f"Backup {each.backup.name}", Style.STRONG)
            yield line(f"of {_whose(each.backup)}: {counts_words(each.backup.counts or {})}", indent=2)
            yield from _proven(each)


def _proven(proof: Proof) -> Iterator[Line]:
    style = Style.GOOD if proof.complete else Style.UNSURE
    yield line(f"level {proof.level} reached" + ("" if proof.complete else f", not {proof.asked}"), style, indent=2)
    for level, proves in enumerate(PROVES[: proof.level + 1]):
        yield line(f"{level}  {proves}", Style.FAINT, indent=4, hang=3)
    if proof.recall is not None:
        told = f"recall@10 of the scratch node: {proof.recall:.1%} of the exact nearest, over {proof.recalls} recalls"
        yield line(told, Style.FAINT, indent=4, hang=3)
    if proof.why_not:
        yield line(proof.why_not, Style.UNSURE, indent=2, hang=2)


def _whose(backup: Backup) -> str:
    return f"{backup.target} {backup.host or backup.node} ({backup.kind})"
