"""What acting on a rollout came to, for people and as data: gates with their numbers, its standing, what comes next."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from runbook.engine.rollout.crew import Acted
from runbook.errors import ExitCode
from runbook.model.gate import Gate
from runbook.model.rollout import Rollout, Standing
from runbook.report.lines import EXPECTATION_STYLES, Line, Style, line
from runbook.report.rollback import rolled_data, rolled_lines

Binding = Mapping[str, Sequence[Gate]]
"""The gates that people will have to open, by phase."""
NOTHING_BINDS: Binding = {}
STANDING_STYLES = {
    Standing.RUNNING: Style.GOOD,
    Standing.COMPLETED: Style.GOOD,
    Standing.ENTERING: Style.UNSURE,
    Standing.HELD: Style.UNSURE,
    Standing.REVERTING: Style.BAD,
    Standing.ABORTED: Style.BAD,
    Standing.ROLLED_BACK: Style.BAD,
}


def standing_line(rollout: Rollout) -> Line:
    """`Rollout 2026...: RUNNING, gradual-5%`."""
    told = f"{rollout.standing.value.upper()}, {rollout.current.name}"
    why = f": {rollout.why}" if rollout.why else ""
    style = STANDING_STYLES[rollout.standing]
    return Line(((f"Rollout {rollout.id}: ", Style.STRONG), (told, style), (why, Style.PLAIN)), hang=2)


def gate_lines(gates: Iterable[Gate]) -> Iterator[Line]:
    """Each gate with its answer and its numbers."""
    for gate in gates:
        mark = (f"{gate.answer.value:<8} ", EXPECTATION_STYLES[gate.answer])
        to_do = f"   ({gate.to_do})" if gate.to_do and not gate.open else ""
        yield Line((mark, (f"{gate.name}: {gate.arithmetic}", Style.PLAIN), (to_do, Style.FAINT)), indent=2, hang=9)


def acted_lines(acted: Acted) -> Iterator[Line]:
    """What was done, where the rollout stands, and what a person does now."""
    if acted.rolled is not None:
        yield from rolled_lines(acted.rolled)
    style = Style.GOOD if acted.code is ExitCode.DONE else Style.BAD
    yield line(sentence(acted.told), style, hang=2)
    yield standing_line(acted.rollout)
    for text in next_steps(acted.rollout):
        yield line(text, indent=2, hang=2)


def sentence(text: str) -> str:
    """Begun with a capital, and ended with one full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def next_steps(rollout: Rollout) -> tuple[str, ...]:
    """What a person does now."""
    target = rollout.target
    back = f"to take it back: runbook rollout abort --target {target} --reason TEXT"
    match rollout.standing:
        case Standing.ENTERING:
            return (f"to go on: runbook rollout advance --target {target}", back)
        case Standing.RUNNING:
            return (f"to look after it: runbook rollout watch --target {target}", back)
        case Standing.HELD:
            return (f"to let it go on: runbook rollout resume --target {target}", back)
        case Standing.REVERTING:
            return (f"again: runbook rollout abort --target {target}",)
        case Standing.ROLLED_BACK | Standing.ABORTED if rollout.bundles:
            return (f"the evidence: runbook evidence show {rollout.bundles[-1]}",)
        case _:
            return ()


def acted_data(
    rollout: Rollout, gates: Sequence[Gate], acted: Acted | None, binding: Binding = NOTHING_BINDS
) -> dict[str, Any]:
    """The whole of it."""
    rolled = None if acted is None or acted.rolled is None else rolled_data(acted.rolled)
    return {
        "rollout": rollout_data(rollout),
        "gates": [gate_data(gate) for gate in gates],
        "done": None if acted is None else acted.told,
        "run": (acted.run if acted is not None else "") or None,
        "rollback": rolled,
        "binding": [
            {"phase": name, "gates": [f"{gate.name}: {gate.arithmetic}" for gate in found]}
            for name, found in binding.items()
        ],
        "next": list(next_steps(rollout)),
    }


def rollout_data(rollout: Rollout) -> dict[str, Any]:
    """Where it stands, in short."""
    split = {"splitters": list(rollout.splitters)} if rollout.splitters else {}
    return split | {
        "id": rollout.id,
        "target": rollout.target,
        "plan": rollout.plan.name,
        "digest": rollout.digest,
        "standing": rollout.standing.value,
        "stage": rollout.stage,
        "stage_name": rollout.current.name,
        "share": rollout.current.share,
        "why": rollout.why or None,
        "looks": rollout.looks,
        "evidence": list(rollout.bundles),
    }


def gate_data(gate: Gate) -> dict[str, Any]:
    """One gate."""
    return {"name": gate.name, "answer": gate.answer.value, "arithmetic": gate.arithmetic, "to_do": gate.to_do or None}
