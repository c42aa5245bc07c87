"""Carry out `runbook check`: gather what there is, read what is said, compare."""

import pkgutil
from collections.abc import Iterator
from pathlib import Path

import runbook.issues
from runbook.adapters.documents import Around, document_of, repository_of, text_of
from runbook.adapters.engram.speaking import Speaking
from runbook.cli import compose
from runbook.cli.check_known import PACKAGE, known
from runbook.cli.issue import issue_of
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.check import Known, names_in, names_in_issue, names_in_material, names_in_messages
from runbook.engine.check.live import Heard, spoken
from runbook.errors import ExitCode, UnreachableError
from runbook.material import folder
from runbook.model.answer import Answer
from runbook.report.check import Checked, Outcome, check_data, check_lines
from runbook.report.document import envelope

_NO_DOCUMENTS = "this installation has no documents: only its issues and playbooks were checked"


def check(documents: tuple[Path, ...], target: str | None, config: Path | None, *, as_json: bool) -> ExitCode:
    """Print what does not exist; BAD_NEWS where there is anything.

    Raises:
        UsageError: a document cannot be read, or there is no such target.
        DamagedError: a document is no text, or the configuration does not read.
        UnreachableError: no node of the target answered.
    """
    told = known()
    notes: tuple[str, ...] = ()
    if documents:
        checked = tuple(_document(path, told) for path in documents)
    else:
        notes = () if _root() else (_NO_DOCUMENTS,)
        checked = tuple(_everything(told))
    heard = _heard(target, config) if target else ()
    said = tuple(each for one in heard for each in spoken(one))
    outcome = Outcome(checked, said, tuple((one.node, one.silence) for one in heard if one.silence), notes)
    code = _code(outcome)
    if as_json:
        show_json(envelope("check", "runbook check", code, check_data(outcome)))
    else:
        show(check_lines(outcome))
    return code


def _code(outcome: Outcome) -> ExitCode:
    answers = {each.answer for each in outcome.spoken}
    if any(document.missing for document in outcome.documents) or Answer.NO in answers:
        return ExitCode.BAD_NEWS
    return ExitCode.COULD_NOT_TELL if outcome.silent or Answer.UNKNOWN in answers else ExitCode.DONE


def _root() -> Path | None:
    """The checkout that this package runs from; None where it was installed from a wheel."""
    root = PACKAGE.parent
    return root if (root / "docs").is_dir() and (root / "pyproject.toml").is_file() else None


def _document(path: Path, told: Known) -> Checked:
    """Somebody's document; the files that it names may lie beside it, in its repository, or in this project."""
    document = document_of(path)
    roots = (path.resolve().parent, repository_of(path), _root(), folder("playbooks").parent)
    around = Around(path, tuple(root for root in roots if root is not None))
    return Checked(str(path), tuple(names_in(document, told, around, own=False)), document.passed_over)


def own_documents(root: Path) -> list[Path]:
    """The project's own documents."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def _everything(told: Known) -> Iterator[Checked]:
    root = _root()
    if root is not None:
        for path in own_documents(root):
            document = document_of(path)
            names = names_in(document, told, Around(path, (root,)), own=True)
            yield Checked(str(path.relative_to(root)), tuple(names), document.passed_over)
        for path in sorted(root.glob("monitoring/**/*.y*ml")):
            yield Checked(str(path.relative_to(root)), tuple(names_in_material(text_of(path), told)))
    for module in pkgutil.iter_modules(runbook.issues.__path__):
        source = PACKAGE / "issues" / f"{module.name}.py"
        in_issue = names_in_issue(issue_of(module.name), text_of(source), told)
        yield Checked(f"runbook/issues/{source.name}", tuple(in_issue))
    for path in sorted(PACKAGE.rglob("*.py")):
        said = tuple(names_in_messages(text_of(path), told))
        if said:
            yield Checked(f"runbook/{path.relative_to(PACKAGE)}", said)
    for path in sorted(folder("playbooks").glob("*.yml")):
        yield Checked(f"playbooks/{path.name}", tuple(names_in_material(text_of(path), told)))


def _heard(name: str, config: Path | None) -> tuple[Heard, ...]:
    current = compose.session()
    target = compose.target_of(current, name, config)
    with ScreenTalk() as talk:
        heard = Speaking(target.allow_plain_http, talk.say).hear_all(target.nodes)
    if all(one.silence for one in heard):
        raise UnreachableError(
            f"no node of {target.name} answered: {heard[0].node}: {heard[0].silence}", hint=f"runbook doctor -t {name}"
        )
    return heard
