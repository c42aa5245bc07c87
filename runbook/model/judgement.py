"""The words of an A/B judgement: what is measured, what may not happen to it, and what was found.

Everything is turned so that positive is worse: a relative difference of +0.06 in latency is 6 % slower, a difference of
+0.01 in errors one more failure in a hundred, a difference of +0.02 in confidence two hundredths less of it.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Metric(StrEnum):
    """What is compared, always per space and against the space's own time before it was treated."""

    LATENCY = "latency"  # mean logarithm of the latency; the difference is told as a ratio less one
    ERRORS = "errors"  # share of the recalls that failed, 0..1
    SLOW = "slow"  # share of the recalls over the service level objective, 0..1: what p99 is judged by
    CONFIDENCE = "confidence"  # mean confidence, 0..1, its sign turned: more is worse


class Verdict(StrEnum):
    """What an interval says of a margin. Only `safe` promotes, only `harm` rolls back."""

    SAFE = "safe"
    HARM = "harm"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no-data"


class Method(StrEnum):
    """Where an interval comes from."""

    RANDOMISATION = "randomisation group-sequential test"
    SEQUENCE = "asymptotic confidence sequence"
    BOTH = "randomisation test and confidence sequence, half of alpha each"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One metric that must not become worse by `margin`; worse than `harm_margin` for certain is harm.

    For latency both are relative (0.10 is 10 %), for the others they are differences of shares.
    """

    metric: Metric
    margin: float
    harm_margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Path:
    """One space in one stratum: the metric in each time bucket since the stratum began, less its own mean before.

    `differences` is NaN where the space was silent in that bucket. `before` is how many recalls its own mean rests on
    (with none there is nothing to compare with, and the space counts as silent), `after` how many there were since that
    the metric could be taken of: for errors all of them, for the others those that answered. `failed` is how many
    failed since.
    """

    space: str
    treated: bool
    differences: tuple[float, ...]
    before: int
    after: int
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Stratum:
    """The spaces newly moved at one stage, and as many that were not, over the same time.

    `looks` are the numbers of buckets after which the plan looks (ascending), `seed` makes the permutations the same
    each time. Strata are never pooled.
    """

    stage: str
    metric: Metric
    bucket_seconds: float
    paths: tuple[Path, ...]
    looks: tuple[int, ...]
    seed: str

    @property
    def treated(self) -> int:
        """How many spaces are treatment units."""
        return sum(path.treated for path in self.paths)

    @property
    def controls(self) -> int:
        """How many are control units."""
        return len(self.paths) - self.treated


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference, treatment less control, positive is worse; and the ends of its interval at error rate `alpha`.

    Relative for latency, a difference of shares else. Infinite ends: nothing is known. `low` and `high` are one-sided
    bounds, each at `alpha`. `p_harm` is the smallest alpha at which `low` would be above the harm margin, for Holm.
    """

    value: float
    low: float
    high: float
    p_harm: float
    alpha: float
    method: Method
    treated: int
    controls: int
    look: int
    looks: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One guardrail of one stratum: the verdict, how it was come by, and one plain sentence for people.

    `arithmetic` has every number that the verdict follows from. `worse` is True where the lower bound is above zero,
    whatever the verdict: slower, perhaps within the margin.
    """

    guardrail: Guardrail
    verdict: Verdict
    estimate: Estimate | None
    reporting: int
    spaces: int
    arithmetic: str
    sentence: str
    worse: bool = False
    left: timedelta | None = None
    """How much longer to look, as far as that can be said."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Is the ratio of the arms as it was assigned? `blocks` where it is not: then nothing is promoted.

    `e_value` is the evidence against it (e-process, blocks above 1/alpha), `since_bucket` when it began; shares are of
    the treatment arm, of the spaces and of the traffic: one whale is not one per cent.
    """

    blocks: bool
    e_value: float
    alpha: float
    since_bucket: int | None
    expected_share: float
    share_of_spaces: float
    share_of_traffic: float
    arithmetic: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """All guardrails of a stage at one look, and what follows from them together.

    `blocked` says what keeps the stage from being promoted whatever the intervals say: a node that serves another group
    than was assigned, a node whose buckets cannot be added up. `told` is what people have to know beside it.
    """

    stage: str
    judged: tuple[Judged, ...]
    mismatch: Mismatch | None
    verdict: Verdict
    why: str
    blocked: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
