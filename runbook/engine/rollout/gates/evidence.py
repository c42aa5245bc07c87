"""The gates that measurements open: criteria, the judge, the mismatch of the arms, the validator, drift. Pure."""

from collections.abc import Iterator, Sequence

from runbook.engine.rollout.gates.facts import NOTED_WITHIN, Facts
from runbook.engine.rollout.gates.lasted import stage_age
from runbook.model.answer import Answer, all_of
from runbook.model.duration import in_words
from runbook.model.finding import Finding
from runbook.model.gate import Gate
from runbook.model.judgement import Guardrail, Judgement, Verdict
from runbook.model.rollout import Criterion, Judging
from runbook.model.validation import Recommendation

_VERDICTS = {
    Verdict.SAFE: Answer.YES,
    Verdict.HARM: Answer.NO,
    Verdict.INCONCLUSIVE: Answer.UNKNOWN,
    Verdict.NO_DATA: Answer.UNKNOWN,
}
_RECOMMENDED = {
    Recommendation.PROCEED: Answer.YES,
    Recommendation.HOLD: Answer.UNKNOWN,
    Recommendation.ROLL_BACK: Answer.NO,
}
WHOLE = 1.0


def criteria(facts: Facts) -> Iterator[Gate]:
    """Each criterion of the phase, on every node; a node that did not answer is UNKNOWN."""
    asked = facts.rollout.current.phase.criteria
    if asked and facts.live.findings is None:
        told = f"{len(asked)} are not measured: {', '.join(each.title for each in asked)}"
        yield Gate("criteria", Answer.UNKNOWN, told, "runbook rollout advance measures them")
        return
    for criterion in asked:
        yield _criterion(facts, criterion, facts.live.findings or ())


def _criterion(facts: Facts, criterion: Criterion, findings: Sequence[Finding]) -> Gate:
    """Nodes where the question does not arise are not counted; where it arises nowhere, nothing is known."""
    name = f"criterion: {criterion.title}"
    found = {each.node: each for each in findings if each.question == criterion.title}
    asked = [node for node in facts.nodes if node not in found or not found[node].moot]
    if not asked:
        why = "; ".join(f"{node}: {each.arithmetic}" for node, each in found.items())
        return Gate(name, Answer.UNKNOWN, why or "there is no node to ask")
    answers = {node: found[node].answer if node in found else Answer.UNKNOWN for node in asked}
    answer = all_of(answers.values())
    shown = asked if answer is Answer.YES else [node for node in asked if answers[node] is not Answer.YES]
    told = "; ".join(f"{node}: {found[node].arithmetic if node in found else 'not measured'}" for node in shown)
    bare = answer is Answer.UNKNOWN and "no baseline" in told
    return Gate(name, answer, told, "runbook baseline capture, while the fleet is well" if bare else "")


def judged(facts: Facts) -> Iterator[Gate]:
    """What the judge says of each guardrail, and of the ratio of the arms; only where the phase is judged."""
    stage = facts.rollout.current
    judging = stage.phase.judging
    if judging is None or not stage.treats:
        return
    if stage.share >= WHOLE:
        answer = Answer.YES if stage.phase.validated else Answer.UNKNOWN
        told = "at 100 % no control group is left to compare with: the validator is the gate"
        yield Gate("judge", answer, told, "runbook validate")
        return
    judgement = facts.live.judgement
    if judgement is None or judgement.stage != stage.name:
        answer = Answer.UNKNOWN if judging.required else Answer.YES
        yield Gate(
            "judge", answer, f"{stage.name} was not judged", "runbook rollout watch   (or: runbook abtest report)"
        )
        return
    yield _together(judgement, judging)
    for guardrail in judging.guardrails:
        yield _guardrail(judgement, judging, guardrail)
    yield _ratio(judgement, judging)
    for why in judgement.blocked:
        yield Gate("judge: assignment", Answer.NO, why, "runbook abtest report")


def _together(judgement: Judgement, judging: Judging) -> Gate:
    answer = _VERDICTS[judgement.verdict]
    if answer is Answer.UNKNOWN and not judging.required:
        answer = Answer.YES
    return Gate("judge", answer, f"{judgement.verdict.value}: {judgement.why}")


def _guardrail(judgement: Judgement, judging: Judging, guardrail: Guardrail) -> Gate:
    name = f"judge: {guardrail.metric.value}"
    found = next((each for each in judgement.judged if each.guardrail.metric is guardrail.metric), None)
    if found is None:
        return Gate(name, Answer.UNKNOWN, "not judged", "runbook abtest report")
    answer = _VERDICTS[found.verdict]
    if answer is Answer.UNKNOWN and not judging.required:
        answer = Answer.YES
    to_do = "" if answer is Answer.YES else "runbook rollout abort" if answer is Answer.NO else "wait, or abort"
    if answer is Answer.UNKNOWN and found.left is not None:
        to_do = f"wait {in_words(found.left)}, or abort"
    return Gate(name, answer, f"{found.verdict.value}: {found.arithmetic or found.sentence}", to_do)


def _ratio(judgement: Judgement, judging: Judging) -> Gate:
    """A mismatch shuts it whether or not the judge is required: then the comparison means nothing."""
    name, found = "sample ratio", judgement.mismatch
    if found is None:
        answer = Answer.UNKNOWN if judging.required else Answer.YES
        return Gate(name, answer, "the ratio of the arms was not looked at", "runbook abtest report")
    to_do = "find out who assigns otherwise: runbook abtest report" if found.blocks else ""
    return Gate(name, Answer.NO if found.blocks else Answer.YES, found.arithmetic, to_do)


def validated(facts: Facts) -> Iterator[Gate]:
    """Has the production validator said `proceed` of the whole fleet since the stage began, and lately?

    All that it looked at has to be of this stage: one that was under way when the stage began says nothing of it.
    """
    if not facts.rollout.current.phase.validated:
        return
    name, to_do, found = "validator", "runbook validate", facts.validation
    began = facts.rollout.entered[-1].seq if facts.rollout.entered else 0
    if found is None or found.seq < began:
        yield Gate(name, Answer.UNKNOWN, f"it was not run since {facts.rollout.current.name} began", to_do)
        return
    passed = sum(outcome.value == "PASS" for outcome in found.outcomes.values())
    told = f"{found.recommendation.value}, {passed} of {len(found.outcomes)} checks passed, "
    told += f"{in_words(facts.age[found.seq])} ago"
    if facts.age[found.seq] > NOTED_WITHIN:
        yield Gate(name, Answer.UNKNOWN, f"{told} > {in_words(NOTED_WITHIN)}: too long ago to count", to_do)
        return
    stage = stage_age(facts)
    if stage is not None and facts.age[found.seq] + found.length > stage:
        sum_ = f"{told}; it looked back over {in_words(found.length)}, and the stage is only {in_words(stage)} old"
        yield Gate(name, Answer.UNKNOWN, f"{sum_}: it saw the time before", to_do)
        return
    if not found.whole or set(facts.nodes) - set(found.nodes):
        yield Gate(name, Answer.UNKNOWN, f"{told}; not of every node, or broken off", to_do)
        return
    yield Gate(name, _RECOMMENDED[found.recommendation], told, to_do)


def drift(facts: Facts) -> Iterator[Gate]:
    """Do all nodes, and what splits their traffic, run with what the stage wants?"""
    if not facts.rollout.entered:
        return
    name, wrong = "nodes agree", facts.live.drift
    if wrong:
        again = " (splitters: runbook rollout hold, then resume)" if facts.rollout.splitters else ""
        hint = f"runbook nodes; then set it back{again}, or runbook rollout abort"
        yield Gate(name, Answer.NO, "; ".join([*wrong, *facts.live.silent]), hint)
    elif wrong is None:
        yield Gate(name, Answer.UNKNOWN, "the nodes were not asked", "runbook rollout advance asks them")
    elif facts.live.silent:
        yield Gate(name, Answer.UNKNOWN, f"not all answer: {'; '.join(facts.live.silent)}", "runbook nodes")
    else:
        split = len(facts.rollout.splitters)
        who = f"all {len(facts.nodes)}, and {split} that split their traffic," if split else f"all {len(facts.nodes)}"
        told = f"{who} run with the flags and settings of {facts.rollout.current.name}"
        yield Gate(name, Answer.YES, told)
