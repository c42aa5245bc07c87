"""The page of incidents in `docs/reference/`, and the operational runbook, both from the issues."""

import pkgutil
from collections.abc import Iterator
from pathlib import Path

import runbook.issues
from pages.markdown import NOTE, page, table
from runbook.cli.issue import issue_of
from runbook.model.duration import in_words
from runbook.model.quantity import Reported, Sustained
from runbook.model.runbook import Runbook, Step, Symptom
from runbook.report.condition import condition_text
from runbook.report.lines import shown

FRAME = Path(__file__).parent / "dual_memory_runbook.md"
"""What a person wrote; `{{incidents}}` and `{{alerts}}` stand where the issues go."""


def issues() -> Iterator[Runbook]:
    """Every known issue."""
    for module in pkgutil.iter_modules(runbook.issues.__path__):
        yield issue_of(module.name)


def incidents() -> str:
    """What each asks, does and expects, as tables."""
    said = (
        "What each incident command asks, does and expects. It is *present* on a node when the leading symptom is YES "
        "and one supporting symptom is YES, or when a symptom is YES that stands alone. In order of what to do: "
        "[operational runbook](../operations/dual_memory_runbook.md)."
    )
    parts = [said]
    for issue in issues():
        parts += [f"## {issue.title}", f"`runbook {issue.slug}` - {issue.why}"]
        parts += [_symptoms(issue), _checks(issue), *_looks(issue), _steps(issue)]
        parts += [_recovered(issue), f"Escalation: {issue.escalate}"]
    return page("# Incidents", parts)


def operations() -> str:
    """The operational runbook: the frame, with each issue as a procedure."""
    procedures = "\n\n".join(part for issue in issues() for part in _procedure(issue))
    rows = [(f"{alert}", f"`runbook {issue.slug}`") for issue in issues() for alert in issue.known_alerts]
    text = FRAME.read_text(encoding="utf-8").replace("{{incidents}}", procedures)
    heading, _, rest = text.replace("{{alerts}}", table(("alert", "command"), rows)).partition("\n\n")
    return f"{heading}\n\n{NOTE.replace('the code', 'the issues and tools/pages/dual_memory_runbook.md')}\n\n{rest}"


def _procedure(issue: Runbook) -> Iterator[str]:
    yield f"### {issue.title}"
    yield f"{issue.why}\n\n```sh\nrunbook {issue.slug}{_asked(issue)}\n```"
    yield "**1. Symptoms.** The first line must be YES, and one more; or one that stands alone."
    yield _symptoms(issue)
    yield "**2. Diagnosis.** What explains it. These do not decide."
    yield _checks(issue)
    yield from _looks(issue)
    yield "**3. Actions**, in this order; each is skipped where it would change nothing."
    yield f'```sh\nrunbook {issue.slug} --act --reason "page 4711"\n```'
    yield _steps(issue)
    yield f"**4. Verification.** {_recovered(issue)}"
    yield f"**5. Escalation.** {issue.escalate}"
    yield (
        f"Back to what it was: `runbook undo RUN`, with the id that the report ends with. Rehearse it: `runbook drill "
        f"{issue.slug}`."
    )


def _asked(issue: Runbook) -> str:
    """The options for what only a person can know."""
    asked = [each.condition for each in issue.symptoms if isinstance(each.condition, Reported)]
    return "".join(f" --{each.name} N" for each in asked)


def _symptoms(issue: Runbook) -> str:
    rows = [(_title(each), condition_text(each.condition), each.why) for each in issue.symptoms]
    return table(("symptom (the leading one first)", "YES when", "why"), rows)


def _title(symptom: Symptom) -> str:
    return f"{symptom.title}{' (stands alone)' if symptom.alone else ''}"


def _checks(issue: Runbook) -> str:
    rows = [(each.title, f"`{each.key}`", f"`{shown(each.good)}`", each.hint) for each in issue.checks]
    return table(("check", "setting", "good without a baseline", "hint"), rows)


def _looks(issue: Runbook) -> Iterator[str]:
    """What is looked at beside settings."""
    if issue.review is not None:
        review = issue.review
        yield (
            f"Review: the last {review.most} concepts of {in_words(review.within)}: time, size, coherence, texts. "
            f"Weak is what is under `{review.coherence_key}` or `{review.size_key}` of the baseline; more than "
            f"{review.share:.0%} weak is bad news: *{review.title}*."
        )
    if issue.breakdown is not None:
        yield f"Which part grows: `{issue.breakdown.metric}` by `{issue.breakdown.label}`."
    if issue.evidence is not None:
        evidence = issue.evidence
        yield (
            f"{evidence.title}: with `--act`, `playbooks/{evidence.playbook}.yml` collects it from the suspect nodes "
            f"twice, {in_words(evidence.apart)} apart, before the first step, and it is kept with the run."
        )


def _steps(issue: Runbook) -> str:
    rows = [
        (str(index), _step(each), _change(each), each.risk.name.lower(), each.why, _way(each))
        for index, each in enumerate(issue.steps, start=1)
    ]
    return table(("step", "", "change", "risk", "why", "playbook / undo"), rows)


def _step(step: Step) -> str:
    return f"{step.title}{' (emergency: `--allow-disruptive`)' if step.emergency else ''}"


def _change(step: Step) -> str:
    return f"`{step.do.key}` -> {'the baseline, else ' if step.to_baseline else ''}`{shown(step.value)}`"


def _way(step: Step) -> str:
    return f"`{step.do.playbook}` / `{step.undo.playbook}`"


def _recovered(issue: Runbook) -> str:
    expected = "; ".join(condition_text(each) for each in issue.verify.expect)
    minutes = issue.verify.watch.total_seconds() / 60
    lower = ", or under the lower limit that the node was above for longer" * isinstance(
        issue.leading.condition, Sustained
    )
    return f"Recovered when, over a third of the watch ({minutes:g} minutes by default): {expected}{lower}."
