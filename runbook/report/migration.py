"""A migration, for people and as data: what it will do, what cannot be carried, and where each node stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from runbook.engine.migrate.back import Since
from runbook.engine.migrate.preflight import Ready
from runbook.model.generation import Generation, Holdings, State
from runbook.model.migration import Loss
from runbook.model.migration_run import DUAL, SINGLE, MigrationPlan, MigrationRun, NodeProgress, Step
from runbook.model.run import RunStatus
from runbook.report.lines import EMPTY, Line, Style, line
from runbook.report.run import STYLES

WORDS = {DUAL: "dual memory", SINGLE: "single memory"}
_KEPT = {
    "residue": "kept as residue on the node, beside the memories; it comes back with: runbook migrate --to dual_memory",
    "backup": "kept in the backup only",
}
FLAGS_STAY_OFF = "the flags of dual memory stay off: switch them on when you mean to (runbook flags set)"


def plan_lines(plan: MigrationPlan, ready: Sequence[Ready], losses: Sequence[Loss]) -> Iterator[Line]:
    """What would be done, what is lost, and where it is kept."""
    here, there = WORDS[plan.source_kind], WORDS[plan.target_kind]
    yield line(f"Migrate {plan.target} from {here} to {there}", Style.STRONG)
    for each in ready:
        counts = counted(each.holdings.active)
        newer = f"; {each.newer} writes are newer than it, and go along" if each.newer else ""
        source = f"from {each.plan.source}" if not each.plan.own else f"its data is written to {each.plan.source} first"
        yield line(f"{each.plan.node}: {counts}; {source}{newer}", indent=2, hang=2)
        yield from kept_lines(each)
    yield from loss_lines(losses, there)
    yield line("Writes go on meanwhile, and are refused for a moment at the switch: clients ask again.", indent=2)
    yield line("What is served now is kept until: runbook migrate finalize", indent=2)
    if plan.target_kind == DUAL:
        yield line(FLAGS_STAY_OFF, indent=2, hang=2)


def kept_lines(ready: Ready) -> Iterator[Line]:
    """A node keeps one generation: what it keeps of an earlier switch goes with the next one."""
    kept = ready.holdings.of(State.KEPT)
    if kept is not None:
        told = f"generation {kept.id} ({kept.kind}), kept since an earlier switch, is dropped: no way back to that"
        yield line(f"{ready.plan.node}: {told}", Style.UNSURE, indent=2, hang=2)


def loss_lines(losses: Iterable[Loss], there: str) -> Iterator[Line]:
    """The loss table, in plain words."""
    found = tuple(losses)
    if not found:
        yield line(f"{there} holds everything that is there.", indent=2)
        return
    yield line(f"{there} cannot hold:", Style.UNSURE, indent=2)
    for each in found:
        yield line(f"of {each.count} x {each.record}: {', '.join(each.fields)}", indent=4, hang=2)
        yield line(_KEPT.get(each.kept, each.kept), Style.FAINT, indent=6, hang=2)


def run_lines(run: MigrationRun) -> Iterator[Line]:
    """Every node on a line, the verdict last."""
    for progress in run.nodes.values():
        yield _node_line(run, progress)
    yield EMPTY
    status = (run.status.value.upper() + (", finalized" if run.finalized else ""), STYLES.get(run.status, Style.BAD))
    yield Line(((f"Migration {run.plan.id}: ", Style.STRONG), status))
    yield from (line(text, indent=2, hang=2) for text in next_steps(run))


def _node_line(run: MigrationRun, progress: NodeProgress) -> Line:
    name = progress.plan.node
    if progress.problem:
        return Line((("NOT DONE  ", Style.BAD), (f"{name}: {progress.problem}", Style.PLAIN)), indent=2, hang=10)
    if run.status is RunStatus.REVERTED:
        told = f"{name}: serves {WORDS[run.plan.source_kind]} again, generation {progress.plan.generation}"
        return Line((("back      ", Style.GOOD), (told + _refused(progress), Style.PLAIN)), indent=2, hang=10)
    if not progress.whole:
        return Line((("not yet   ", Style.UNSURE), (f"{name}: {_so_far(progress)}", Style.PLAIN)), indent=2, hang=10)
    recall = "" if progress.overlap is None else f"; {progress.overlap:.0%} of what came to mind before still does"
    told = f"{name}: serves {WORDS[run.plan.target_kind]}, generation {progress.staging}, {progress.records} records"
    return Line((("switched  ", Style.GOOD), (told + _refused(progress) + recall, Style.PLAIN)), indent=2, hang=10)


def _refused(progress: NodeProgress) -> str:
    return "" if progress.refused_ms is None else f"; writes were refused for {progress.refused_ms:.0f} ms"


def _so_far(progress: NodeProgress) -> str:
    done = [step.value for step in Step if step in progress.done]
    return f"done so far: {', '.join(done)}" if done else "nothing was changed"


def next_steps(run: MigrationRun) -> tuple[str, ...]:
    """What the person does now."""
    name = run.plan.id
    back, final = f"to go back: runbook undo {name}", f"to let go of what was before: runbook migrate finalize {name}"
    told = {
        RunStatus.DONE: (back, final),
        RunStatus.PARTIAL: (f"mend what is named above, then: runbook resume {name}", back),
        RunStatus.OPEN: (f"to go on: runbook resume {name}", back),
        RunStatus.PERSON_NEEDED: (f"look at the nodes named above now; then: runbook undo {name}",),
        RunStatus.REVERTED: (f"to let go of the migrated data: runbook migrate finalize {name}",),
    }
    return () if run.finalized else told.get(run.status, ())


def since_lines(found: Mapping[str, Since]) -> Iterator[Line]:
    """What a way back carries, and what it leaves out."""
    for node, since in found.items():
        yield line(f"{node}: what it served before is served again", Style.STRONG)
        yield line(
            f"with {since.written} written since, as new episodes{_some(since.examples, since.written)}", indent=2
        )
        yield line(f"without {since.forgotten} forgotten since{_some(since.gone, since.forgotten)}", indent=2)


def _some(names: Sequence[str], count: int) -> str:
    if not names:
        return ""
    return f": {', '.join(names)}" + (", ..." if count > len(names) else "")


def migration_data(
    run: MigrationRun, losses: Iterable[Loss] = (), holdings: Mapping[str, Holdings] | None = None
) -> dict[str, Any]:
    """The whole of it."""
    held = holdings or {}
    return _plan_data(run.plan, losses) | {
        "run": run.plan.id,
        "status": run.status.value,
        "finalized": run.finalized,
        "nodes": [_node_data(each, held.get(each.plan.node)) for each in run.nodes.values()],
        "next": list(next_steps(run)),
    }


def plan_data(plan: MigrationPlan, ready: Iterable[Ready], losses: Iterable[Loss]) -> dict[str, Any]:
    """What would be done; nothing was begun."""
    nodes = [_node_data(NodeProgress(each.plan), each.holdings) for each in ready]
    return _plan_data(plan, losses) | {"run": None, "status": None, "finalized": False, "nodes": nodes, "next": []}


def _plan_data(plan: MigrationPlan, losses: Iterable[Loss]) -> dict[str, Any]:
    return {
        "command": plan.command,
        "target": plan.target,
        "reason": plan.reason,
        "from": plan.source_kind,
        "to": plan.target_kind,
        "losses": [
            {"record": each.record, "fields": list(each.fields), "count": each.count, "kept": each.kept}
            for each in losses
        ],
    }


def _node_data(progress: NodeProgress, holdings: Holdings | None) -> dict[str, Any]:
    kept = None if holdings is None else holdings.of(State.KEPT)
    return {
        "node": progress.plan.node,
        "backup": progress.plan.source,
        "generation": progress.plan.generation,
        "staging": progress.staging or None,
        "records": progress.records,
        "switched": progress.whole,
        "refused_ms": progress.refused_ms,
        "recall_overlap": progress.overlap,
        "problem": progress.problem or None,
        "serves": None if holdings is None else f"{holdings.active.id} ({holdings.active.kind})",
        "keeps": None if kept is None else f"{kept.id} ({kept.kind})",
    }


def counted(generation: Generation) -> str:
    """How much is in it, in words."""
    if generation.kind == SINGLE:
        return f"{generation.counts.get('episode', 0)} memories"
    found = [f"{count} {name}s" for name, count in generation.counts.items() if count and name != "residue"]
    return ", ".join(found) or "nothing"
