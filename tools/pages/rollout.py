"""The page of the format of rollout plans: its keys by the schema, and the built-in plan."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pages.markdown import NOTE, page, table
from runbook.adapters.rollout_plans import plan_yaml
from runbook.cli.rollout.plans import known_plans, plan_named
from runbook.material import schema
from runbook.model.bundle import CONTENTS, MANIFEST
from runbook.model.duration import in_words
from runbook.model.judgement import Guardrail, Metric
from runbook.model.rollout import Advance, Phase, RolloutPlan
from runbook.report.condition import condition_text
from runbook.report.rollout_plan import phase_facts

FRAME = Path(__file__).parent / "dual_memory_rollout.md"
SAID = """A plan is data: phases, and what leads from one to the next. The built-in one is `dual-memory`;
`runbook rollout plan --yaml` prints it as a file to begin with, and `runbook rollout start --plan FILE` starts
one. A file is read strictly: a key that is unknown or stands there twice, an alias, a share or a phase out of
order, a setting, flag or metric that does not exist is refused (exit 12) with its line and its place, and
nothing is changed. Lengths of time are written as `48h`, `14d`, `1h30m` or `2s`; a bare number is none. A file
has 256 KiB at most."""
ORDER = (
    ("", "The plan"),
    ("phase", "`phases`"),
    ("criterion", "`criteria`"),
    ("trigger", "`triggers`"),
    ("condition", "`when`"),
    ("quantity", "`of`"),
    ("tripwire", "`tripwire`"),
    ("judging", "`judging`"),
    ("guardrail", "`guardrails`"),
    ("approvals", "`approvals`"),
    ("fresh", "`fresh`"),
    ("freeze", "`freeze`"),
)


def rollout_plan() -> str:
    """The whole page."""
    document = schema("rollout_plan.v1")
    parts = [SAID]
    for name, title in ORDER:
        about = document if not name else document["$defs"][name]
        parts += [f"## {title}", str(about["description"]), table(("key", "form", "as usual", "meaning"), _rows(about))]
    for name in known_plans():
        parts += _plan(plan_named(name))
    return page("# Rollout plans", parts)


def operations() -> str:
    """The rollout guide: the frame, with the built-in plan as tables."""
    plan = plan_named("dual-memory")
    parts = {
        "phases": table(
            ("phase", "weeks", "who is treated", "each stage lasts", "who leads on"), map(_phase, plan.phases)
        ),
        "plan": "\n\n".join(part for phase in plan.phases for part in _whole(phase)),
        "gates": table(("gate", "asks", "binds"), _gates(plan)),
        "judging": _judging(plan),
        "evidence": table(("file", "what is in it"), _files()),
    }
    text = FRAME.read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"{{{{{name}}}}}", part)
    heading, _, rest = text.partition("\n\n")
    note = NOTE.replace("the code", "the plan and tools/pages/dual_memory_rollout.md")
    return f"{heading}\n\n{note}\n\n{rest}"


def _files() -> Iterator[tuple[str, ...]]:
    yield (
        f"`{MANIFEST}`",
        "the size and the SHA-256 of every file, under a seal of its own; the journal knows its digest",
    )
    yield from ((f"`{name}`", what) for name, what in CONTENTS.items())


def _phase(phase: Phase) -> tuple[str, ...]:
    title, _, weeks = phase.title.rstrip(")").partition(" (weeks ")
    shares = ", ".join(f"{share * 100:g} %" for share in phase.shares if share)
    who = f"{shares} of the spaces" if shares else "spaces that are named" if phase.names_spaces else "nobody"
    length = phase.minimum if len(phase.shares) == 1 else phase.hold
    return (
        f"`{phase.name}`: {title}",
        weeks,
        who,
        in_words(length),
        "the watcher" if phase.advance is Advance.BY_ITSELF else "a person",
    )


def _gates(plan: RolloutPlan) -> Iterator[tuple[str, ...]]:
    """Each with the phases that it binds in, or on entering."""
    yield "standing", "is it in a stage, neither held nor on its way back?", "always"
    yield "time of the stage, of the phase", "has it lasted as long as the plan asks?", "always"
    yield "freeze window", "is it outside of all of them?", "where the plan has some"
    yield "named spaces", "are the spaces of people who know about it named?", _on(plan, lambda each: each.names_spaces)
    if plan.approve_plan:
        yield "approval of the plan", "did somebody else say yes to this very plan?", "before anyone is treated"
    yield "approval of a phase", "did enough people say yes?", _on(plan, lambda each: bool(each.approvals.people))
    yield (
        "backup of a node",
        "is there a fresh one that was read back?",
        _on(plan, lambda each: bool(each.fresh.backup)),
    )
    yield (
        "rehearsal",
        "was the brake rehearsed lately, with success, by this version?",
        _on(plan, lambda each: bool(each.fresh.rehearsal)),
    )
    yield "criterion", "is each criterion YES on every node?", _in(plan, lambda each: bool(each.criteria))
    judged = _in(plan, lambda each: each.judging is not None)
    yield "judge", "is every guardrail `safe`?", judged
    yield "sample ratio", "are the arms as large as they were assigned?", judged
    yield "complaints", "how many are there, said within a day?", _in(plan, lambda each: each.complaints is not None)
    yield (
        "validator",
        "did the production validator say proceed of this stage, within a day?",
        _in(plan, lambda each: each.validated),
    )
    yield "nodes agree", "do all nodes run with the values of the stage?", "always"
    yield (
        "access logs",
        "was every space served in its group, in the ratio that was assigned, with few enough errors?",
        "where splitters stand in front of the nodes; asked last",
    )


def _on(plan: RolloutPlan, binds: Callable[[Phase], bool]) -> str:
    return f"on entering {', '.join(f'`{each.name}`' for each in plan.phases if binds(each))}"


def _in(plan: RolloutPlan, binds: Callable[[Phase], bool]) -> str:
    return f"in {', '.join(f'`{each.name}`' for each in plan.phases if binds(each))}"


def _judging(plan: RolloutPlan) -> str:
    rows = [
        (each.name, in_words(each.judging.look_every), guardrail.metric.value, _percent(guardrail))
        for each in plan.phases
        if each.judging is not None
        for guardrail in each.judging.guardrails
    ]
    return table(("phase", "looks every", "guardrail", "must not be worse by"), rows)


def _percent(guardrail: Guardrail) -> str:
    if guardrail.metric is Metric.CONFIDENCE:
        return f"{guardrail.margin:g}"
    return f"{guardrail.margin * 100:g} {'%' if guardrail.metric is Metric.LATENCY else 'percentage points'}"


def _rows(about: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    required = set(about.get("required", ()))
    for key, rule in about["properties"].items():
        usual = "must be said" if key in required else _usual(rule)
        yield f"`{key}`", _form(rule), usual, str(rule.get("description") or _described(rule))


def _described(rule: Mapping[str, Any]) -> str:
    found = schema("rollout_plan.v1")["$defs"].get(str(rule.get("$ref", "")).rpartition("/")[2], {})
    return str(found.get("description", ""))


def _usual(rule: Mapping[str, Any]) -> str:
    if "default" not in rule:
        return ""
    value = rule["default"]
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value != "" else "none"


def _form(rule: Mapping[str, Any]) -> str:
    if "$ref" in rule:
        name = rule["$ref"].rpartition("/")[2]
        return "length of time" if name == "length" else name
    if "enum" in rule:
        return ", ".join(f"`{word}`" for word in rule["enum"])
    if "const" in rule:
        return f"`{rule['const']}`"
    if rule["type"] == "array":
        return f"list of {_form(rule['items'])}"
    words = {"string": "text", "boolean": "true or false", "object": "mapping", "integer": "whole number"}
    return f"{words.get(rule['type'], rule['type'])}{_span(rule)}"


def _span(rule: Mapping[str, Any]) -> str:
    parts = [
        f"{word} {rule[key]:g}"
        for key, word in (
            ("minimum", "from"),
            ("exclusiveMinimum", "above"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
        )
        if key in rule
    ]
    return f" {' '.join(parts)}" if parts else ""


def _plan(plan: RolloutPlan) -> Iterator[str]:
    yield f"## The plan `{plan.name}`"
    yield f"{plan.title}. `runbook rollout plan` tells it with what the fleet gives."
    for phase in plan.phases:
        yield from _whole(phase)
    yield f"## A plan as a file: `{plan.name}`"
    yield f"```yaml\n{plan_yaml(plan)}```"


def _whole(phase: Phase) -> Iterator[str]:
    yield f"### {phase.title}"
    yield phase.why
    yield "\n".join(f"- {text[:1].upper()}{text[1:]}." for text in phase_facts(phase))
    yield table(
        ("it is left when", "it is so when", "where that comes from"),
        ((each.title, condition_text(each.condition), each.why) for each in phase.criteria),
    )
    yield table(
        ("it is rolled back when", "it is so when", "for", "where that comes from"),
        ((each.title, condition_text(each.condition), _lasting(each.lasting), each.why) for each in phase.triggers),
    )


def _lasting(length: timedelta) -> str:
    return in_words(length) if length else "at once"
