"""Is the ratio of the arms as it was assigned? From the moments at which spaces were first heard of. Pure."""

from collections import Counter
from collections.abc import Iterable

from runbook.model.judgement import Mismatch
from runbook.statistics.mismatch import split

ALPHA = 0.001
"""A mismatch blocks, so it is called one seldom."""


def mismatch(
    spaces: Iterable[tuple[int, bool]], expected_share: float, recalls: tuple[int, int], alpha: float = ALPHA
) -> Mismatch:
    """The sample ratio of one stratum.

    Args:
        spaces: of each that has reported in it: the bucket in which it was first heard of, and whether it is treated.
        expected_share: how much of the two ranges of the hash together is treatment's; 0.5 where they are of a size.
        recalls: how many there were since the stratum began, of treatment and of control.
        alpha: the error rate over all looks together.
    """
    seen = list(spaces)
    treated, all_of = (Counter(bucket for bucket, mine in seen if mine), Counter(bucket for bucket, _ in seen))
    buckets = sorted(all_of)
    counts = [(treated[bucket], all_of[bucket] - treated[bucket]) for bucket in buckets]
    # Where everyone or nobody is treated nothing was drawn, so nothing can be out of ratio.
    found = split(counts if 0 < expected_share < 1 else (), expected_share, alpha)
    since = None if found.since is None else buckets[found.since]
    mine, total = sum(treated.values()), len(seen)
    share_of_spaces = mine / total if total else 0.0
    share_of_traffic = recalls[0] / sum(recalls) if sum(recalls) else 0.0
    blocks = since is not None
    arithmetic = (
        f"{mine} of {total} spaces are treated ({share_of_spaces * 100:.3g} %, assigned {expected_share * 100:.3g} %), "
        f"with {share_of_traffic * 100:.3g} % of the recalls; evidence of a mismatch at most {found.strongest:.3g}, "
        f"{'above' if blocks else 'not above'} {1 / alpha:.0f}{'' if since is None else f', since bucket {since}'}"
    )
    return Mismatch(
        blocks, found.strongest, alpha, since, expected_share, share_of_spaces, share_of_traffic, arithmetic
    )
