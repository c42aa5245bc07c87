"""What is made of access logs: errors by group, who was served otherwise than assigned, the ratio of the arms."""

from collections.abc import Mapping

import pytest

from runbook.engine.judging.access import Since, access_report
from runbook.engine.judging.assigned import Regime
from runbook.model.access import AccessLog, Calls, SpaceCalls
from runbook.model.assignment import in_treatment
from runbook.model.measurement import Silence

REGIME = Regime("salt", 0.5, frozenset({"named"}))
SINCE = Since(1000.0, 60.0)
NOTHING: Mapping[str, Calls] = {"control": Calls(), "treatment": Calls()}
SPACES = [f"space-{number}" for number in range(400)]


def of(space: str, first: float = 1000.0, *, treated: bool | None = None, calls: int = 2) -> SpaceCalls:
    """A space that was served as assigned, or as told."""
    mine = in_treatment(space, salt="salt", share=0.5, always=("named",)) if treated is None else treated
    return SpaceCalls(space, first, Calls(0 if mine else calls), Calls(calls if mine else 0))


def log(
    *spaces: SpaceCalls, source: str = "split-1", nameless: Mapping[str, Calls] = NOTHING, garbage: int = 0
) -> AccessLog:
    """One log."""
    return AccessLog(source, spaces, NOTHING, nameless, NOTHING, Calls(), 100, garbage, 0, 1000.0)


def test_what_was_kept_is_as_assigned() -> None:
    """Two splitters in front of one fleet are one comparison."""
    half = len(SPACES) // 2
    logs = [log(*map(of, SPACES[:half])), log(*map(of, SPACES), of("named"), source="split-2")]
    found = access_report(logs, (), REGIME, SINCE)
    assert found.spaces == 401
    assert sum(calls.calls for calls in found.recalls.values()) == 2 * (half + 401)
    assert (found.misplaced_spaces, found.blocks) == (0, ())
    assert found.mismatch is not None
    assert (found.mismatch.blocks, found.mismatch.expected_share) == (False, 0.5)


def test_a_space_in_the_wrong_group_is_named_and_blocks() -> None:
    """The worst first; and recalls that name no space have to be control."""
    wrong = [_wrong(space, calls) for calls, space in enumerate(SPACES[:30], 1)]
    astray = {"control": Calls(1), "treatment": Calls(5)}
    found = access_report([log(*wrong, *map(of, SPACES[30:]), nameless=astray)], (), REGIME, SINCE)
    assert (found.misplaced_spaces, len(found.misplaced), found.misplaced[0].space) == (31, 20, SPACES[29])
    (nameless,) = access_report([log(nameless=astray)], (), REGIME, SINCE).misplaced
    assert (nameless.space, nameless.assigned, nameless.calls, nameless.recalls) == ("", "control", 5, 6)
    assert "31 spaces served in another group" in found.blocks[0]


def _wrong(space: str, calls: int) -> SpaceCalls:
    return of(space, treated=not in_treatment(space, salt="salt", share=0.5), calls=calls)


def test_a_ratio_that_is_not_as_assigned_blocks() -> None:
    """Treated spaces are missing in the log, as where their pool was never reached."""
    control = [space for space in SPACES if not in_treatment(space, salt="salt", share=0.5)]
    kept = [of(space, 1000.0 + place) for place, space in enumerate(control)]
    found = access_report([log(*kept)], (), REGIME, SINCE)
    assert found.misplaced_spaces == 0
    assert found.mismatch is not None
    assert found.mismatch.blocks
    assert "ratio of the arms" in found.blocks[0]


@pytest.mark.parametrize("span", [60.0, 60.0 * 86_400 * 365])
def test_a_long_log_has_no_more_buckets_than_can_be_judged(span: float) -> None:
    """A year in buckets of a minute would take days."""
    rows = [of(space, 1000.0 + span * place / len(SPACES)) for place, space in enumerate(SPACES)]
    found = access_report([log(*rows)], (), REGIME, SINCE)
    assert found.mismatch is not None
    assert not found.mismatch.blocks


def test_what_is_not_known_is_said() -> None:
    """No assignment, no log, silence: nothing of it is a pass."""
    found = access_report([log(*map(of, SPACES))], (), None, SINCE)
    assert (found.mismatch, found.misplaced_spaces) == (None, 0)
    assert "not known how the traffic was to be split" in found.told[0]
    silent = access_report([], [Silence("split-1", "no connection")], REGIME, SINCE)
    assert (silent.mismatch, silent.spaces, silent.silent[0].node) == (None, 0, "split-1")
    assert silent.blocks == ("how recalls were served is not known: the access logs could not be read of split-1",)
    half = access_report([log(*map(of, SPACES))], [Silence("split-2", "no connection")], REGIME, SINCE)
    assert half.blocks[0].endswith("of split-2")
    assert access_report([log()], (), REGIME, SINCE).blocks[0].startswith("no recall went through the splitters")
    assert "50 of 100 lines" in access_report([log(garbage=50)], (), REGIME, SINCE).told[0]
