"""Where a rollout is, as text and as data: how long, what is left, each gate with its sum, the next command."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from runbook.engine.rollout.gates.facts import Facts
from runbook.engine.rollout.gates.lasted import overdue, phase_age, stage_age, time_left
from runbook.model.duration import in_words
from runbook.model.gate import Gate
from runbook.model.rollout import NOTHING
from runbook.report.lines import EXPECTATION_STYLES, Line, Style, line
from runbook.report.rollout_acted import gate_data, next_steps, rollout_data, standing_line


@dataclass(frozen=True, slots=True)
class Watch:
    """Whether anybody watches a rollout that is under way, and the sentence that says so."""

    told: str
    heard_of: bool


def status_lines(facts: Facts, gates: Sequence[Gate], watch: Watch | None) -> Iterator[Line]:
    """All of it."""
    rollout, stages = facts.rollout, facts.rollout.plan.stages
    yield standing_line(rollout)
    reason = f": {rollout.reason}" if rollout.reason else ""
    started = f"plan {rollout.plan.name}, digest {rollout.digest[:12]}, started by {rollout.who}"
    yield line(f"{started} {in_words(facts.age[rollout.seq])} ago{reason}", indent=2, hang=2)
    yield line(_place(facts), indent=2, hang=2)
    if rollout.splitters:
        yield line(f"its traffic is split by {', '.join(rollout.splitters)}", indent=2, hang=2)
    if watch is not None:
        yield line(watch.told, Style.FAINT if watch.heard_of else Style.UNSURE, 2, 2)
    if told := overdue(facts):
        yield line(told, Style.UNSURE, 2, 2)
    if facts.next is not None and not rollout.standing.is_over and not rollout.standing.is_between:
        yield line(f"next: {facts.next.name} ({rollout.stage + 2} of {len(stages)})", indent=2)
    told_below = next_steps(rollout)
    for bundle in (each for each in rollout.bundles if not any(text.endswith(each) for text in told_below)):
        yield line(f"evidence: {bundle}", Style.FAINT, 2)
    if gates:
        yield line("What lets it go on:" if facts.next else "What lets it end:", Style.STRONG)
    for gate in gates:
        mark = (f"{gate.answer.value:<8} ", EXPECTATION_STYLES[gate.answer])
        yield Line((mark, (f"{gate.name}: {gate.arithmetic}", Style.PLAIN)), 2, 9)
        if not gate.open and gate.to_do and not rollout.standing.is_over:
            yield line(gate.to_do, Style.FAINT, 11, 2)
    for text in commands(facts, gates):
        yield line(text, indent=2, hang=2)


def _place(facts: Facts) -> str:
    rollout, stage = facts.rollout, facts.rollout.current
    told = f"stage {stage.number + 1} of {len(rollout.plan.stages)}, {stage.share * 100:g} % of the spaces"
    named = stage.phase.spaces
    told += f" and {len(named)} by name" if named else ""
    age = stage_age(facts)
    if age is None or rollout.standing.is_over or rollout.standing.is_between:
        return told
    left = time_left(facts)
    told += f"; it has lasted {in_words(age)}, " + (f"{in_words(left)} at least are left" if left else "long enough")
    return told + (f"; {rollout.looks} looks of the judge taken" if stage.phase.judging is not None else "")


def commands(facts: Facts, gates: Sequence[Gate]) -> tuple[str, ...]:
    """What a person does now."""
    if gates and all(gate.open for gate in gates):
        return (f"to go on: runbook rollout advance --target {facts.rollout.target}", *next_steps(facts.rollout))
    return next_steps(facts.rollout)


def status_data(facts: Facts, gates: Sequence[Gate], watch: Watch | None) -> dict[str, Any]:
    """The same as data."""
    between = facts.rollout.standing.is_between
    stage, phase = (None, None) if between else (stage_age(facts), phase_age(facts))
    still = NOTHING if facts.rollout.standing.is_over or between else time_left(facts)
    return {
        "rollout": rollout_data(facts.rollout),
        "started_by": facts.rollout.who,
        "started_at": facts.rollout.at.isoformat(),
        "reason": facts.rollout.reason or None,
        "stages": len(facts.rollout.plan.stages),
        "next_stage": None if facts.next is None else facts.next.name,
        "stage_seconds": None if stage is None else stage.total_seconds(),
        "phase_seconds": None if phase is None else phase.total_seconds(),
        "left_seconds": still.total_seconds(),
        "overdue": overdue(facts) or None,
        "watch": None if watch is None else asdict(watch),
        "gates": [gate_data(gate) for gate in gates],
        "next": list(commands(facts, gates)),
    }
