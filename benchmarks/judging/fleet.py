"""A fleet that is like a real one: spaces differ, wander and burst; and everybody's latency has a day.

The logarithm of a request's latency is its space's own level + the hour of the day + where the space has wandered to
+ a burst + noise. A version that is slower by a share adds log(1 + share) to every request of a canary space, so one
simulated fleet serves every truth: the same noise, only the canary's shifted.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DAY = 24
WEEK = 7 * DAY
FURTHEST = 12.0
"""Heavy tails end here, in standard deviations: a request that takes a thousand times as long has timed out."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is simulated. Times are hours, spreads are of the logarithm of latency.

    `noise_degrees` None: requests are log-normal; a number: their noise is Student's with that many degrees of
    freedom (heavy tails), scaled to the same spread.
    """

    spaces: int = 60  # in each arm
    before: int = WEEK
    after: int = 2 * WEEK
    requests: int = 20  # a space and hour
    level: float = 2.3  # 10 ms
    noise: float = 0.6
    between: float = 0.25
    wander: float = 0.10
    persistence: float = 0.8  # of the wandering, from one hour to the next
    cycle: float = 0.07  # half of the day's swing
    burst_every: float = 500.0  # a space's hours between two bursts
    burst_hours: int = 3
    burst_factor: float = 2.0
    noise_degrees: float | None = None

    def heavy(self, spaces: int) -> "Fleet":
        """A small fleet with heavy tails: requests, wandering and levels come from t with three degrees of freedom."""
        return replace(self, spaces=spaces, noise_degrees=3.0, burst_every=self.burst_every / 2)


@dataclass(frozen=True, slots=True)
class History:
    """One run with identical versions, control spaces first; `truth` is added afterwards by whoever judges.

    `own` is the mean log latency of each space in the time before; `cells` the mean of each space and hour after it.
    `p99` is each arm's 99th percentile (log ms) of each hour after; `p99_before` the canary's over the time before.
    `total` and `squares` are each arm's sums of the latencies (ms) and of their squares by hour, and `before` the cells
    of the time before.
    """

    fleet: Fleet
    run: int
    own: Floats  # (2 * spaces,)
    before: Floats  # (2 * spaces, before)
    cells: Floats  # (2 * spaces, after)
    p99: Floats  # (2, after)
    p99_before: float
    total: Floats  # (2, after)
    squares: Floats  # (2, after)

    @property
    def differences(self) -> Floats:
        """Cells less the space's own mean before: what an own-period judge looks at."""
        return self.cells - self.own[:, None]

    @property
    def treated(self) -> Bools:
        """Which rows are canary."""
        return np.arange(len(self.own)) >= self.fleet.spaces


def levels(fleet: Fleet, draw: np.random.Generator) -> Floats:
    """The expected log latency of each space and hour: everything but the noise of the requests."""
    spaces, hours = 2 * fleet.spaces, fleet.before + fleet.after
    own = fleet.between * _standard(fleet, draw, (spaces, 1))
    day = fleet.cycle * np.sin(2 * np.pi * np.arange(hours) / DAY)
    return fleet.level + own + day + _wandering(fleet, draw, spaces, hours) + _bursts(fleet, draw, spaces, hours)


def simulate(fleet: Fleet, seed: int, run: int) -> History:
    """One run: the same for the same seed and number, whatever else is simulated."""
    draw = np.random.default_rng([seed, run])
    expected = levels(fleet, draw)
    shape = (*expected.shape, fleet.requests)
    requests = _standard(fleet, draw, shape, np.float32)
    requests *= fleet.noise
    requests += expected[:, :, None].astype(np.float32)
    means = requests.mean(axis=2, dtype=np.float64)
    canary_before = requests[fleet.spaces :, : fleet.before].ravel()
    after = requests[:, fleet.before :].reshape(2, fleet.spaces, fleet.after, fleet.requests)
    by_hour = np.ascontiguousarray(after.transpose(0, 2, 1, 3)).reshape(2, fleet.after, -1)
    p99 = quantile(by_hour)
    latencies = np.exp(by_hour, out=by_hour)
    return History(
        fleet,
        run,
        means[:, : fleet.before].mean(axis=1),
        means[:, : fleet.before],
        means[:, fleet.before :],
        p99,
        float(quantile(canary_before)),
        latencies.sum(axis=2, dtype=np.float64),
        np.einsum("abc,abc->ab", latencies, latencies, dtype=np.float64),
    )


def quantile(values: NDArray[np.float32], share: float = 0.99) -> Floats:
    """The smallest value that `share` of the last axis does not exceed."""
    at = int(np.ceil(share * values.shape[-1])) - 1
    return np.asarray(np.partition(values, at, axis=-1)[..., at], dtype=np.float64)


def _standard(
    fleet: Fleet, draw: np.random.Generator, shape: tuple[int, ...], dtype: type = np.float64
) -> NDArray[np.float64]:
    """Draws of mean 0 and variance 1."""
    if fleet.noise_degrees is None:
        return draw.standard_normal(shape, dtype=dtype)
    degrees = fleet.noise_degrees
    drawn = draw.standard_t(degrees, shape) * np.sqrt((degrees - 2) / degrees)
    return np.clip(drawn, -FURTHEST, FURTHEST).astype(dtype)


def _wandering(fleet: Fleet, draw: np.random.Generator, spaces: int, hours: int) -> Floats:
    """Autoregressive of order one, stationary from its first hour on."""
    steps = _standard(fleet, draw, (hours, spaces))
    steps[1:] *= np.sqrt(1 - fleet.persistence**2)
    for hour in range(1, hours):
        steps[hour] += fleet.persistence * steps[hour - 1]
    return fleet.wander * steps.T


def _bursts(fleet: Fleet, draw: np.random.Generator, spaces: int, hours: int) -> Floats:
    begun = draw.random((spaces, hours)) < 1 / fleet.burst_every
    bursting = begun.copy()
    for later in range(1, fleet.burst_hours):
        bursting[:, later:] |= begun[:, :-later]
    return np.log(fleet.burst_factor) * bursting
