"""The gate of the splitters' access logs: who was served in which group, the ratio of the arms, errors. Pure.

They know what no node has heard of: recalls that nobody answered, and groups as they left nginx.
"""

from collections.abc import Iterator

from runbook.engine.rollout.gates.facts import Facts
from runbook.model.access import AccessReport, Calls
from runbook.model.answer import Answer, all_of
from runbook.model.cells import CONTROL, TREATMENT
from runbook.model.gate import Gate
from runbook.model.judgement import Metric
from runbook.model.rollout import Judging, Rollout, Tripwire
from runbook.statistics.shares import least_more, share_interval

ACCESS = "access logs"
REPORT = "runbook abtest report"
READABLE = "Ansible's user must be able to read it there; runbook abtest report tries again"
BYPASSED = "do clients go round them, or was a log moved away without nginx -s reopen? runbook abtest report"
AGAIN = "find out who assigned otherwise: runbook abtest report; then hold and resume: they count from then on"


def unread(facts: Facts) -> Iterator[Gate]:
    """They are not read in passing: that is a play on the splitters' hosts. Nothing is told where nodes split."""
    if facts.rollout.entered and facts.rollout.splitters:
        told = "they are read on the splitters' hosts once every other gate is passed"
        yield Gate(ACCESS, Answer.UNKNOWN, told, "runbook rollout advance reads them")


def access(rollout: Rollout, found: AccessReport | None) -> tuple[Gate, ...]:
    """What they say of the stage that the rollout is in; None: they are being read."""
    if found is None:
        return (Gate(ACCESS, Answer.UNKNOWN, "they are being read on the splitters' hosts"),)
    return (_served(found), *_ratio(rollout, found), *_errors(rollout, found))


def held_by(gate: Gate) -> str:
    """What holds a rollout up, in a word; with its sum what only a play on other hosts knows."""
    return f"{gate.name} ({gate.arithmetic})" if gate.name.startswith(ACCESS) else gate.name


def _served(found: AccessReport) -> Gate:
    """Was every space served in its group? A log that nobody could read says neither yes nor no."""
    recalls = sum(each.calls for each in found.recalls.values())
    silent = [f"{each.node}: {each.reason}" for each in found.silent]
    if found.misplaced_spaces:
        worst = found.misplaced[0]
        astray = f"{worst.calls} of {worst.recalls} recalls of {worst.space or 'no space'}, assigned {worst.assigned}"
        told = f"{found.misplaced_spaces} of {found.spaces} spaces were served in another group: {astray}"
        return Gate(ACCESS, Answer.NO, "; ".join([told, *silent]), AGAIN)
    if silent:
        return Gate(ACCESS, Answer.UNKNOWN, f"not all could be read: {'; '.join(silent)}", READABLE)
    if not recalls:
        return Gate(ACCESS, Answer.UNKNOWN, "no recall of the stage went through the splitters", BYPASSED)
    through = ", ".join(log.source for log in found.logs)
    told = f"{recalls} recalls of {found.spaces} spaces through {through}, each space in its group"
    return Gate(ACCESS, Answer.YES, "; ".join([told, *found.told]))


def _ratio(rollout: Rollout, found: AccessReport) -> Iterator[Gate]:
    """Only where chance decides on some spaces, and not on all."""
    if found.mismatch is None or not 0 < rollout.current.share < 1:
        return
    blocks = found.mismatch.blocks
    answer, to_do = (Answer.NO, AGAIN) if blocks else (Answer.YES, "")
    yield Gate(f"{ACCESS}: sample ratio", answer, found.mismatch.arithmetic, to_do)


def _errors(rollout: Rollout, found: AccessReport) -> Iterator[Gate]:
    """By the plan's own limits: the guardrail's margin between the arms, the tripwire's share of treated recalls."""
    phase, mine, others = rollout.current.phase, found.recalls[TREATMENT], found.recalls[CONTROL]
    if not mine.calls:
        return
    asked = [*_margin(phase.judging, mine, others), *_limit(phase.tripwire, mine)]
    told = [f"treatment {_text(mine)}; control {_text(others)}", *(each for _, each in asked)]
    answer = all_of(each for each, _ in asked) if asked else Answer.YES  # no limit in the plan: told, as in a report
    yield Gate(f"{ACCESS}: errors", answer, "; ".join(told), "" if answer is Answer.YES else REPORT)


def _margin(judging: Judging | None, mine: Calls, others: Calls) -> Iterator[tuple[Answer, str]]:
    guardrails = () if judging is None else judging.guardrails
    margin = next((each.margin for each in guardrails if each.metric is Metric.ERRORS), None)
    least = least_more((mine.errors, mine.calls), (others.errors, others.calls))
    if judging is None or margin is None or least is None:
        return
    more = mine.errors / mine.calls - others.errors / others.calls
    told = f"{more:+.2%} (from {least:+.2%} on, at 95 %)"
    if least > margin:
        yield Answer.NO, f"{told} > {margin:.2%}"
    elif more > margin:
        answer = Answer.UNKNOWN if judging.required else Answer.YES
        yield answer, f"{told} > {margin:.2%}, which may be chance"
    else:
        yield Answer.YES, f"{told}, not above {margin:.2%}"


def _limit(tripwire: Tripwire | None, mine: Calls) -> Iterator[tuple[Answer, str]]:
    share = share_interval(mine.errors, mine.calls)
    if tripwire is None or share is None or mine.calls < tripwire.fewest:
        return
    told = f"{share.value:.2%} of treatment (from {share.low:.2%} on, at 95 %)"
    if share.low > tripwire.errors:
        yield Answer.NO, f"{told} > {tripwire.errors:.2%}"
    else:
        yield Answer.YES, f"{told}, not above {tripwire.errors:.2%} for certain"


def _text(calls: Calls) -> str:
    unanswered = f" ({calls.unanswered} that no node answered)" if calls.unanswered else ""
    return f"{calls.errors} errors of {calls.calls} recalls{unanswered}"
