"""Whatever the nodes say: the judge answers, and its answers keep their promises."""

import math
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.engine.judging.judge import judge
from runbook.model.judgement import Guardrail, Metric, Path, Stratum, Verdict
from runbook.model.rollout import Judging

VALUES = st.one_of(
    st.floats(-2, 2), st.sampled_from([0.0, 1.0, math.nan, math.inf, -math.inf, 1e308, -1e300, 1e-300, 800.0])
)
PATHS = st.builds(
    Path,
    space=st.text(max_size=3),
    treated=st.booleans(),
    differences=st.lists(VALUES, max_size=4).map(tuple),
    before=st.integers(0, 3),
    after=st.integers(0, 1000),
    failed=st.integers(0, 1000),
)
LOOKS = st.lists(st.integers(1, 6), max_size=4, unique=True).map(sorted).map(tuple)


def strata(metric: Metric) -> st.SearchStrategy[Stratum]:
    """Up to twelve spaces, or more than thirty an arm, with any paths."""
    few = st.lists(PATHS, max_size=12)
    many = st.lists(PATHS, min_size=3, max_size=5).map(lambda some: some * 22)
    return st.builds(
        Stratum,
        stage=st.just("canary"),
        metric=st.just(metric),
        bucket_seconds=st.just(2.0),
        paths=st.one_of(few, many).map(tuple),
        looks=LOOKS,
        seed=st.just("seed"),
    )


@settings(max_examples=40, deadline=None)
@given(strata(Metric.LATENCY), strata(Metric.ERRORS))
def test_no_verdict_without_its_reason(latency: Stratum, errors: Stratum) -> None:
    """Safe is under the margin, harm is above its own; nothing else promotes or rolls back, and each is told."""
    guardrails = (Guardrail(Metric.LATENCY, 0.1), Guardrail(Metric.ERRORS, 0.01))
    found = judge("canary", (latency, errors), Judging(guardrails, timedelta(hours=1)))
    for one in found.judged:
        assert one.sentence.endswith(".")
        assert one.arithmetic.endswith(f"-> {one.verdict.value}")
        if one.estimate is None:
            assert one.verdict is Verdict.NO_DATA
            continue
        assert one.estimate.low <= one.estimate.high
        assert not math.isnan(one.estimate.value)
        if one.verdict is Verdict.SAFE:
            assert one.estimate.high < one.guardrail.margin
        if one.verdict is Verdict.HARM:
            assert one.estimate.low > one.guardrail.harm_margin
            assert one.estimate.p_harm <= 0.05
    verdicts = {one.verdict for one in found.judged}
    assert (found.verdict is Verdict.HARM) == (Verdict.HARM in verdicts)
    assert (found.verdict is Verdict.SAFE) == (verdicts == {Verdict.SAFE})
