"""The page of the format of rollout plans: its keys by the schema, and the built-in plan."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pages.markdown import page, table
from runbook.adapters.rollout_plans import plan_yaml
from runbook.cli.rollout.plans import known_plans, plan_named
from runbook.material import schema
from runbook.model.duration import in_words
from runbook.model.rollout import RolloutPlan
from runbook.report.condition import condition_text
from runbook.report.rollout_plan import phase_facts

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
    yield f"## A plan as a file: `{plan.name}`"
    yield f"```yaml\n{plan_yaml(plan)}```"


def _lasting(length: timedelta) -> str:
    return in_words(length) if length else "at once"
