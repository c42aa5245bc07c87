"""The project's own documents: what they name exists, they are all reached, and they list every command."""

import re
from pathlib import Path

import click
import pytest

from runbook.adapters.documents import Around, document_of
from runbook.cli.check import own_documents
from runbook.cli.check_known import known
from runbook.cli.root import cli, run
from runbook.engine.check import Known, names_in

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = own_documents(ROOT)


@pytest.fixture(scope="module")
def told() -> Known:
    """Everything that there is."""
    return known()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_exists(document: Path, told: Known) -> None:
    """Commands, options, settings, metrics, endpoints, playbooks, exit codes, files, links."""
    names = names_in(document_of(document), told, Around(document, (ROOT,)), own=True)
    assert [f"{named.line}: {named.kind} {named.name}" for named in names if not named.exists] == []


def test_the_command_says_so_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Issues and playbooks included; it ends with 0."""
    code = run(["check"])
    assert (code, capsys.readouterr().out.splitlines()[-1].rpartition(":")[2]) == (0, " all of them exist")


def test_every_document_is_reached_from_the_readme() -> None:
    """By following links; else nobody finds it."""
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        document = todo.pop()
        if document in reached:
            continue
        reached.add(document)
        names = [link.to.partition("#")[0] for link in document_of(document).links]
        todo += [(document.parent / name).resolve() for name in names if name.endswith(".md") and "://" not in name]
    assert sorted(set(DOCUMENTS) - reached) == []


def test_the_index_names_every_document() -> None:
    """Decisions have an index of their own."""
    index = ROOT / "docs" / "README.md"
    named = {(index.parent / link.to.partition("#")[0]).resolve() for link in document_of(index).links}
    there = {path for path in (ROOT / "docs").rglob("*.md") if not path.name.startswith("0") and path != index}
    assert sorted(there - named) == []


def test_the_readme_lists_exactly_the_commands() -> None:
    """Those of the command line, each with a row."""
    rows = re.findall(r"^\| `runbook ([a-z-]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(cli.list_commands(click.Context(cli)))
