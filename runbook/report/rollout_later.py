"""What people will have to do before later phases of a rollout, told as it starts."""

from collections.abc import Iterator

from runbook.engine.rollout.gates.every import binding
from runbook.engine.rollout.gates.facts import Facts
from runbook.report.lines import EXPECTATION_STYLES, Line, Style, line


def later_lines(facts: Facts) -> Iterator[Line]:
    """Each gate once, under the first phase that it binds; those that are open already are not told."""
    told: set[str] = set()
    phases = facts.rollout.plan.phases
    here = facts.rollout.current.phase.name
    ahead = phases[[phase.name for phase in phases].index(here) + 1 :]
    for phase in ahead:
        gates = [gate for gate in binding(facts, phase) if not gate.open and gate.name not in told]
        if gates:
            yield line(f"Before {phase.name} is entered:", Style.STRONG, 2)
        for gate in gates:
            told.add(gate.name)
            mark = (f"{gate.answer.value:<8} ", EXPECTATION_STYLES[gate.answer])
            to_do = (f"   ({gate.to_do})", Style.FAINT) if gate.to_do else ("", Style.FAINT)
            yield Line((mark, (f"{gate.name}: {gate.arithmetic}", Style.PLAIN), to_do), 4, 9)
