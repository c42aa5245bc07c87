"""Documents name only what exists: files, anchors, commands, options, exit codes, playbooks, metrics, settings."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import urllib3
from running_node import RunningNode

from runbook.cli.root import cli
from runbook.errors import MEANINGS
from runbook.model.settings import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCUMENTS += sorted((ROOT / "docs").rglob("*.md"))
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))

FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
VARIABLES = {
    "engram_url",
    "engram_way",
    "engram_command",
    "engram_token_file",
    "engram_allow_plain_http",
    "engram_pid_file",
}
"""What an inventory says of a node."""


def text_of(document: Path) -> str:
    """Its whole text."""
    return document.read_text(encoding="utf-8")


def code_of(document: Path) -> list[str]:
    """Every line of the fenced blocks, with continued lines joined, and every piece of code within the text."""
    text = text_of(document)
    fenced = [line for block in FENCE.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    return fenced + INLINE.findall(FENCE.sub("", text))


def anchors_of(document: Path) -> set[str]:
    """The anchors that GitHub and others make of headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(document)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    """Files and anchors; addresses of the web are not asked."""
    broken = []
    for link in LINK.findall(FENCE.sub("", text_of(document))):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists() or (anchor and anchor not in anchors_of(path)):
            broken.append(link)
    assert broken == []


def test_every_document_is_reached_from_the_readme() -> None:
    """By following links; else nobody finds it."""
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        document = todo.pop()
        if document in reached:
            continue
        reached.add(document)
        names = [link.partition("#")[0] for link in LINK.findall(FENCE.sub("", text_of(document)))]
        todo += [(document.parent / name).resolve() for name in names if name.endswith(".md") and "://" not in name]
    assert sorted(set(DOCUMENTS) - reached) == []


def invocations(code: str) -> Iterator[list[str]]:
    """The words behind each `runbook` in a piece of code, up to the end of that command."""
    nested = re.findall(r"\$\(([^)]*)\)", code)
    for part in (re.sub(r"\$\([^)]*\)", "IT", code), *nested):
        for found in re.finditer(r"(?<![\w./-])runbook ((?:--)?[a-z][^|;&<>)#]*)", part):
            yield [word.strip("\"'`,.:") for word in found.group(1).split()]


def unknown_in(words: list[str]) -> str:
    """The first word that the command line does not have: a command, or an option of the command before it."""
    command: click.Command = cli
    context = click.Context(command, info_name="runbook")
    for position, word in enumerate(words):
        if word.startswith("-") and len(word) > 1 and not word[1:].isdigit():
            named = {option for each in command.get_params(context) for option in each.opts}
            if word.split("=")[0] not in named | {"--help", "-h"}:
                return " ".join(words[: position + 1])
        elif isinstance(command, click.Group):
            if not re.fullmatch(r"[a-z][a-z-]*", word):
                return ""  # a placeholder, such as COMMAND
            found = command.get_command(context, word)
            if found is None:
                return " ".join(words[: position + 1])
            command, context = found, click.Context(found, info_name=word, parent=context)
    return ""


@each_document
def test_every_command_and_option_exists(document: Path) -> None:
    """Wherever code in a document says `runbook ...`."""
    said = [words for code in code_of(document) for words in invocations(code)]
    assert [unknown for words in said if (unknown := unknown_in(words))] == []


def test_a_command_that_does_not_exist_would_be_found() -> None:
    """The walk looks into groups, and at options."""
    assert unknown_in(["audit", "verify", "--json"]) == ""
    assert unknown_in(["audit", "burn"]) == "audit burn"
    assert unknown_in(["undo", "RUN", "--yes", "--quick"]) == "undo RUN --yes --quick"
    assert unknown_in(["COMMAND", "--help"]) == ""
    assert list(invocations("x; runbook undo $(runbook runs --id) --yes && runbook runs")) == [
        ["undo", "IT", "--yes"],
        ["runs"],
        ["runs", "--id"],
    ]


def test_the_readme_lists_exactly_the_commands() -> None:
    """Those of the command line, each with a row."""
    rows = re.findall(r"^\| `runbook ([a-z-]+)` \|", text_of(ROOT / "README.md"), re.MULTILINE)
    assert sorted(rows) == sorted(cli.list_commands(click.Context(cli)))


@each_document
def test_every_playbook_exists(document: Path) -> None:
    """Named with its path or by its verb."""
    named = {name for code in code_of(document) for name in re.findall(r"\b((?:set|restore)_[a-z_]+)\b", code)}
    assert sorted(name for name in named if not (ROOT / "playbooks" / f"{name}.yml").exists()) == []


@each_document
def test_every_setting_exists(document: Path) -> None:
    """By its full name."""
    named = set(re.findall(r"\bdual_memory\.[a-z_]+", text_of(document)))
    assert sorted(named - set(CATALOGUE)) == []


@each_document
def test_every_file_of_the_project_exists(document: Path) -> None:
    """Paths in code that begin with a folder of the project."""
    folders = "benchmarks|docs|playbooks|runbook|schemas|tests|tools"
    named = {path for code in INLINE.findall(FENCE.sub("", text_of(document))) for path in _paths_of(code, folders)}
    assert sorted(path for path in named if not list(ROOT.glob(path.rstrip("/")))) == []


def _paths_of(code: str, folders: str) -> list[str]:
    found = re.findall(rf"(?<![\w./~-])(?:{folders})/[\w./*-]*", code)
    return [path for path in found if not re.search(r"[A-Z]{3}", path)]


@pytest.fixture(scope="module")
def metrics(shared_node: RunningNode) -> set[str]:
    """Every name that a node exposes, of families and of samples."""
    reply = urllib3.request("GET", f"http://127.0.0.1:{shared_node.port}/metrics/prometheus", timeout=10.0)
    return set(re.findall(r"^(?:# TYPE )?([a-z_]+)", reply.data.decode(), re.MULTILINE))


def test_every_metric_exists(metrics: set[str]) -> None:
    """On a real node."""
    pattern = re.compile(r"(?<![.\w])(?:engram|process|python_gc)_[a-z_]+\b")
    named = {name for document in DOCUMENTS for code in code_of(document) for name in pattern.findall(code)}
    named = {name for name in named if not name.startswith(("engram_runbook", "engram_command"))}
    assert sorted(named - metrics - VARIABLES) == []


@each_document
def test_every_exit_code_exists(document: Path) -> None:
    """Written as `exit code N` or `(exit N)`; 137 is the kernel's word for a process that was killed."""
    named = {int(code) for code in re.findall(r"\bexit(?: code)? (\d+)\b", text_of(document))}
    assert sorted(named - {int(code) for code in MEANINGS} - {137}) == []
