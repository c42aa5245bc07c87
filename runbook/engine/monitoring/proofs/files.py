"""The files of promtool's tests, put together."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from runbook.engine.monitoring.promql import USUAL, selector, widest
from runbook.engine.monitoring.proofs.alerts import Case, every_case, proof_of, stage_of
from runbook.engine.monitoring.proofs.nodes import node_proofs
from runbook.engine.monitoring.proofs.ourselves import HOUR, STEP, own_proofs
from runbook.engine.monitoring.proofs.present import present_scenes, restarting
from runbook.engine.monitoring.proofs.tripwire import tripwire_proofs
from runbook.engine.monitoring.questions import BASELINE, TOLD
from runbook.engine.monitoring.stage import PHASE, SAID
from runbook.engine.monitoring.symptoms import conditions, symptom_alerts
from runbook.engine.monitoring.triggers import gate_alerts, standing_alerts, trigger_alerts
from runbook.model.monitoring import SCRAPE, Expected, Given, Proof, ProofFile, RuleFile
from runbook.model.rollout import RolloutPlan
from runbook.model.runbook import Runbook

QUICK, SLOW, SLOWEST = timedelta(seconds=15), timedelta(minutes=2), timedelta(minutes=4)
"""The steps of a test. Every rule is evaluated at each, so that few steps are quick; a rate of five minutes needs two
of them within its window, and no step may be as long as Prometheus looks back."""
LONG = timedelta(minutes=20)
"""What takes longer is tested in slow steps, and in the slowest where its very window is longer."""


def proof_files(
    runbooks: Sequence[Runbook], plans: Sequence[RolloutPlan], rules: Iterable[RuleFile], scrape: timedelta = SCRAPE
) -> tuple[ProofFile, ...]:
    """Every file."""
    order = _order(rules)
    asked = conditions(runbooks)
    symptoms = [each for issue in runbooks for each in symptom_alerts(issue)]
    rollout = [*trigger_alerts(plans, asked), *standing_alerts(plans, asked), *gate_alerts(plans)]
    every = every_case([*symptoms, *rollout], widest(USUAL, scrape))
    quick, long = [each for each in every if each.reach <= LONG], [each for each in every if each.reach > LONG]
    slow, slowest = (
        [each for each in long if (each.bound.quantity.over is not None) is over] for over in (False, True)
    )
    proofs, step = tripwire_proofs(plans, scrape)
    files = ("recording", "issues", "rollout")
    return (
        ProofFile(
            "alerts",
            "Symptoms and triggers: beyond the limit they fire, after their time; on the good side never.",
            files,
            QUICK,
            order,
            (_with(proof_of(quick, QUICK, "Within minutes"), runbooks),),
        ),
        ProofFile(
            "alerts_long",
            "What has to last for longer.",
            files,
            SLOW,
            order,
            (proof_of(slow, SLOW, "Within hours"),),
        ),
        ProofFile(
            "alerts_hours",
            "What looks back for hours, and what is remembered for hours.",
            files,
            SLOWEST,
            order,
            (_remembering(slowest, plans[0]),),
        ),
        ProofFile("tripwire", "Gross damage, where the plan has a tripwire.", files, step, order, proofs),
        ProofFile("nodes", "The nodes themselves.", ("nodes",), QUICK, order, node_proofs()),
        ProofFile("runbook", "This tool.", ("runbook",), STEP, order, own_proofs(plans)),
    )


def _remembering(cases: Sequence[Case], plan: RolloutPlan) -> Proof:
    """Serve is gone after some minutes: what was usual, and the last phase, count for hours, and not for ever."""
    proof = proof_of(cases, SLOWEST, "For hours")
    told = {"target": "known", "node": "one", "address": "one:7432", "quantity": "q"}
    given = (
        Given(selector(TOLD, told), "5+0x5 stale"),
        Given(selector(SAID, {"target": "gone"}), "1+0x10 stale"),
        Given(stage_of("gone", plan.name, "first"), "1+0x5 stale"),
        Given(stage_of("gone", plan.name, "last"), "_x6 1+0x4 stale"),
        Given(selector(SAID, {"target": "over"}), "1+0x5 0+0x4 stale"),
        Given(stage_of("over", plan.name, "last"), "1+0x9 stale"),
    )
    known = f"count({selector(BASELINE, {'target': 'known'})})"
    first, last, over = (
        f"count({selector(PHASE, {'target': target, 'phase': phase})})"
        for target, phase in (("gone", "first"), ("gone", "last"), ("over", "last"))
    )
    expected = (
        *(Expected(each, SLOWEST * 4, 1.0) for each in (first, over)),
        *(Expected(each, HOUR * 3, 1.0) for each in (known, last)),
        *(Expected(each, HOUR * 3, None) for each in (first, over)),
        *(Expected(each, HOUR * 7, None) for each in (known, last)),
    )
    return replace(proof, given=proof.given + given, expected=proof.expected + expected)


def _with(proof: Proof, runbooks: Sequence[Runbook]) -> Proof:
    """One test more costs an evaluation of every rule at every moment: so the same one proves this, too."""
    scenes = [scene for issue in runbooks for scene in (*present_scenes(issue), *restarting(issue))]
    given = tuple(series for more, _ in scenes for series in more)
    expected = tuple(told for _, more in scenes for told in more)
    return replace(proof, given=proof.given + given, expected=proof.expected + expected)


def _order(rules: Iterable[RuleFile]) -> tuple[str, ...]:
    """What is recorded comes first: promtool takes the groups of an instant in any order."""
    groups = [group for file in rules for group in file.groups]
    first = [group.name for group in groups if group.recordings]
    return (*first, *(group.name for group in groups if not group.recordings))
