"""The schema of a line says what is written, no more and no less."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.line import KEYS
from runbook.errors import DamagedError
from runbook.material import schema
from runbook.model.journal import Event


def test_every_line_that_is_written_fits_the_schema(journal: FileJournal, folder: Path) -> None:
    """Every event, the two that the journal writes by itself among them."""
    for event in Event:
        journal.append(event, "run-1", {"step": 1})
    with (folder / "journal.jsonl").open("ab") as stream:
        stream.write(b"torn")
    journal.append(Event.RUN_ENDED, "", {})
    check = Draft202012Validator(schema("journal.v1"))
    for line in (folder / "journal.jsonl").read_bytes().splitlines():
        check.validate(json.loads(line))


def test_the_schema_knows_every_event_and_every_member() -> None:
    """A new event needs a line there."""
    document = schema("journal.v1")
    Draft202012Validator.check_schema(document)
    assert document["properties"]["event"]["enum"] == [event.value for event in Event]
    assert tuple(document["required"]) == tuple(document["properties"]) == KEYS


def test_a_file_that_is_there_is_never_begun_anew(journal: FileJournal, folder: Path) -> None:
    """Lines without a head and a key are damage, not an empty journal."""
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(b'{"seq":1}\n')
    assert not journal.verify().sound
    with pytest.raises(DamagedError):
        journal.append(Event.RUN_STARTED, "run-1", {})
    assert (folder / "journal.jsonl").read_bytes() == b'{"seq":1}\n'
