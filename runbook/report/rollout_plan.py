"""A rollout plan for people and as data: phases, stages, what leads on, what takes back, and what the fleet gives."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runbook.engine.judging.fleet_arms import StageArms
from runbook.engine.rollout.plan.document import details_of, digest_of
from runbook.model.duration import in_words
from runbook.model.foresight import FEWEST_UNITS
from runbook.model.judgement import Guardrail, Metric
from runbook.model.rollout import Advance, Phase, RolloutPlan
from runbook.report.condition import condition_text
from runbook.report.lines import EMPTY, Line, Style, line, shown


def plan_lines(plan: RolloutPlan, arms: Sequence[StageArms], told: str) -> Iterator[Line]:
    """The whole plan; `told` says what is known of the fleet's spaces."""
    yield line(f"Plan {plan.name}: {plan.title}", Style.STRONG)
    salt = f"salt {plan.salt!r}" if plan.salt else "its salt is made when it starts, and is part of the digest then"
    yield line(f"digest {digest_of(plan)[:12]}; {salt}", Style.FAINT, 2, 2)
    yield line(
        f"recalls are added up over {in_words(plan.bucket)}, triggers asked every {in_words(plan.check_every)}, "
        f"{plan.hold_back * 100:g} % of the spaces stay control below a whole share",
        indent=2,
        hang=2,
    )
    if plan.approve_plan:
        yield line("before anyone is treated a second person approves the plan as a whole", indent=2, hang=2)
    for window in plan.freeze:
        span = f"{window.begin:%Y-%m-%d %H:%M %Z} to {window.end:%Y-%m-%d %H:%M %Z}"
        yield line(f"nothing is advanced from {span}: {window.why}", indent=2, hang=2)
    seen: set[tuple[str, str]] = set()
    for number, phase in enumerate(plan.phases, 1):
        yield EMPTY
        yield from _phase_lines(number, phase, seen)
    yield EMPTY
    yield from _fleet_lines(arms, told)


def _phase_lines(number: int, phase: Phase, seen: set[tuple[str, str]]) -> Iterator[Line]:
    """What an earlier phase asks too is only named: `seen` are those questions."""
    yield line(f"{number}. {phase.name}: {phase.title}", Style.STRONG)
    if phase.why:
        yield line(phase.why, Style.FAINT, 3)
    for text in phase_facts(phase):
        yield line(text, indent=3, hang=2)
    if phase.criteria:
        yield line("it is left when:", indent=3)
        for criterion in phase.criteria:
            yield _asked(criterion.title, condition_text(criterion.condition), criterion.why, seen)
    if phase.triggers:
        yield line("it is rolled back by itself when:", indent=3)
        for trigger in phase.triggers:
            lasting = f", for {in_words(trigger.lasting)}" if trigger.lasting else ""
            yield _asked(trigger.title, condition_text(trigger.condition) + lasting, trigger.why, seen)


def _asked(title: str, condition: str, why: str, seen: set[tuple[str, str]]) -> Line:
    if (title, condition) in seen:
        return line(f"{title}: as above", indent=5)
    seen.add((title, condition))
    reason = f"  ({why})" if why else ""
    return Line(((f"{title}: {condition}", Style.PLAIN), (reason, Style.FAINT)), 5, 2)


def phase_facts(phase: Phase) -> Iterator[str]:
    """Everything but its conditions, a sentence each."""
    yield _who(phase)
    yield from _times(phase)
    yield "flags: " + (
        ", ".join(f"{key} {'on' if value else 'off'}" for key, value in phase.flags.items()) or "as they are"
    )
    if phase.settings:
        yield "settings: " + ", ".join(f"{key} = {shown(value)}" for key, value in phase.settings.items())
    yield from _asks(phase)
    if phase.judging is not None:
        margins = ", ".join(_margin(each) for each in phase.judging.guardrails)
        must = "only `safe` leads on" if phase.judging.required else "harm rolls back"
        yield f"judged every {in_words(phase.judging.look_every)}, {must}: {margins}"
    if phase.tripwire is not None:
        wire = phase.tripwire
        yield (
            f"tripwire: errors of treatment above {wire.errors * 100:g} %, or its p99 above {wire.latency_ratio:g} x "
            f"control's, over {in_words(wire.window)} (with {wire.fewest} recalls at least)"
        )


def _who(phase: Phase) -> str:
    shares = [f"{share * 100:g} %" for share in phase.shares if share]
    who = f"{', '.join(shares)} of the spaces" if shares else "no space by its hash"
    if phase.names_spaces and not phase.spaces:
        return f"treats {who}, and spaces that are named: runbook rollout start --space NAME"
    return f"treats {who}" + (f", and by name {', '.join(phase.spaces)}" if phase.spaces else "")


def _times(phase: Phase) -> Iterator[str]:
    parts = [f"each stage is held for {in_words(phase.hold)}"] if phase.hold else []
    parts += [f"the phase lasts {in_words(phase.minimum)} at least"] if phase.minimum else []
    parts += [f"it is overdue after {in_words(phase.maximum)}"] if phase.maximum is not None else []
    by = "the watcher leads on by itself" if phase.advance is Advance.BY_ITSELF else "a person leads on"
    yield "; ".join([*parts, by])


def _asks(phase: Phase) -> Iterator[str]:
    if phase.approvals.people:
        many = phase.approvals.people
        people = "one person approves it" if many == 1 else f"{many} people approve it"
        others = "who did not start it" if many == 1 else "none of whom started it"
        own = "who started it may do so too" if phase.approvals.starter_counts else others
        yield f"before it is entered {people}, {own}"
    fresh = phase.fresh
    if fresh.backup is not None:
        yield (
            f"before anyone is treated every node has a backup no older than {in_words(fresh.backup)}, "
            f"verified at level {fresh.backup_level}"
        )
    if fresh.rehearsal is not None:
        yield f"before anyone is treated the brake was rehearsed within {in_words(fresh.rehearsal)}"
    if phase.complaints is not None:
        back = phase.complaints_roll_back
        yield f"complaints: {phase.complaints} shut the gate" + (f", {back} roll back" if back is not None else "")
    if phase.validated:
        yield "the production validator must say proceed"


def _margin(guardrail: Guardrail) -> str:
    unit = (
        ""
        if guardrail.metric is Metric.CONFIDENCE
        else " %"
        if guardrail.metric is Metric.LATENCY
        else " percentage points"
    )
    value = guardrail.margin if guardrail.metric is Metric.CONFIDENCE else guardrail.margin * 100
    return f"{guardrail.metric.value} not worse by {value:g}{unit}"


def _fleet_lines(arms: Sequence[StageArms], told: str) -> Iterator[Line]:
    yield line(told, Style.STRONG if arms else Style.UNSURE, hang=2)
    for each in arms:
        style = Style.UNSURE if each.few or each.decides is False else Style.PLAIN
        text = f"{each.stage.name}: {each.treated} spaces of treatment, {each.controls} of control{_few(each)}"
        text += "" if each.decides is None or each.empty else f"; {_power(each)}"
        yield line(text, style, 2, 2)


def _few(arms: StageArms) -> str:
    if arms.empty:
        return ": an arm is empty, so that nothing can be compared"
    return f": fewer than {FEWEST_UNITS} in an arm, so the randomisation test decides alone" if arms.few else ""


def _power(arms: StageArms) -> str:
    return f"it {'can' if arms.decides else 'cannot'} decide its margins in its time"


def plan_data(plan: RolloutPlan, arms: Sequence[StageArms], told: str) -> Mapping[str, Any]:
    """The same as data; `plan` is by rollout_plan.v1."""
    known = {each.stage.number: each for each in arms}
    return {
        "plan": details_of(plan),
        "digest": digest_of(plan),
        "stages": [
            {
                "number": stage.number,
                "name": stage.name,
                "phase": stage.phase.name,
                "share": stage.share,
                "treats": stage.treats,
                "treated": known[stage.number].treated if stage.number in known else None,
                "controls": known[stage.number].controls if stage.number in known else None,
                "few": known[stage.number].few if stage.number in known else None,
                "decides": known[stage.number].decides if stage.number in known else None,
            }
            for stage in plan.stages
        ],
        "fleet": told,
    }
