"""Carry out `runbook evidence`, and `runbook runs --evidence`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from runbook.adapters.evidence_shelf import read_bundle
from runbook.adapters.journal.slice import follow
from runbook.cli import compose
from runbook.cli.rollout.evidence import lines_from
from runbook.cli.screen import show, show_json
from runbook.engine.proof.manifest import json_of
from runbook.engine.proof.verify import against_journal, open_bundle, prove
from runbook.engine.proof.write import Lines
from runbook.errors import DamagedError, ExitCode
from runbook.model.bundle import APPROVALS, BACKUPS, JOURNAL, SELF_TEST, VERDICTS, Manifest
from runbook.model.journal import Event, original
from runbook.report.bundle import bundle_data, bundle_lines, proven_data, proven_lines
from runbook.report.document import envelope
from runbook.report.lines import line

_SHOWN = (APPROVALS, VERDICTS, BACKUPS, SELF_TEST)


def show_bundle(folder: Path, *, as_json: bool) -> ExitCode:
    """Print what is in it, once every byte was held against the manifest.

    Raises:
        UsageError: there is no such folder.
        DamagedError, NotSupportedError: it is not as it was written, or was written by another version.
    """
    files, manifest = _opened(folder)
    with _in(folder):
        documents = {name: json_of(name, files[name]) for name in _SHOWN}
    if as_json:
        show_json(envelope("evidence", "runbook evidence show", ExitCode.DONE, bundle_data(manifest, documents)))
    else:
        show(bundle_lines(manifest, documents))
    return ExitCode.DONE


def verify_bundle(folder: Path, *, journal: bool, as_json: bool) -> ExitCode:
    """Print what a check of the whole bundle finds.

    Raises:
        As `show_bundle`; and DamagedError where it does not fit the journal at hand.
    """
    files, manifest = _opened(folder)
    with _in(folder):
        found = follow(files[JOURNAL], JOURNAL)
        proven = prove(files, Lines(found.raw, found.entries, found.head))
        proven = replace(proven, journal=_against(files, manifest) if journal else "")
    code = ExitCode.BAD_NEWS if proven.differing else ExitCode.COULD_NOT_TELL if proven.untold else ExitCode.DONE
    if as_json:
        show_json(envelope("evidence", "runbook evidence verify", code, proven_data(proven)))
    else:
        show(proven_lines(proven))
    return code


def list_bundles(*, last: bool, as_json: bool) -> ExitCode:
    """Print the folders of all bundles that the journal knows, oldest first; COULD_NOT_TELL for `--last` with none."""
    journal = compose.session().journal
    entries = map(original, [*journal.entries(), *journal.waiting()])
    folders = [str(entry.details["folder"]) for entry in entries if entry.event is Event.EVIDENCE_WRITTEN]
    folders = folders[-1:] if last else folders
    code = ExitCode.COULD_NOT_TELL if last and not folders else ExitCode.DONE
    if as_json:
        show_json(envelope("bundles", "runbook runs", code, {"folders": folders}))
    elif folders:
        show(line(folder) for folder in folders)
    else:
        click.echo("no evidence was written yet", err=True)
    return code


def _opened(folder: Path) -> tuple[Mapping[str, bytes], Manifest]:
    files = read_bundle(folder)
    with _in(folder):
        return files, open_bundle(files)


def _against(files: Mapping[str, bytes], manifest: Manifest) -> str:
    at_hand = lines_from(compose.session(), manifest.first)
    return against_journal(manifest, files[JOURNAL], at_hand)


@contextmanager
def _in(folder: Path) -> Iterator[None]:
    """Damage in a file of the bundle is told with the whole path."""
    try:
        yield
    except DamagedError as error:
        raise DamagedError(f"{folder}/{error.message}", hint=error.hint) from error
