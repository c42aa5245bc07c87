"""Look at a fleet until its eight checks are settled, or the time is up; then say what follows.

A source that looks back is asked once. A soak looks to its end. Ctrl-C ends the looking, and what was seen is judged:
it loses nothing, and is no whole validation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from runbook.engine.measure import FEWEST_SCRAPES
from runbook.engine.validate.keeper import Keeper
from runbook.engine.validate.look import Look
from runbook.engine.validate.observe import SERIES
from runbook.engine.validate.operation import consolidation, errors
from runbook.engine.validate.performance import cpu, latency, memory
from runbook.engine.validate.quality import MOST_CONCEPTS, coherence, fan_effect, recall
from runbook.engine.validate.recommend import recommend
from runbook.engine.validate.tracks import tracks
from runbook.errors import UnreachableError
from runbook.model.measurement import Baseline, Samples, Silence, WarmUp
from runbook.model.target import Node, Target
from runbook.model.validation import Asked, Checked, Outcome, Recommendation, Validation
from runbook.model.validation_golden import Answered
from runbook.model.validation_limits import CONFIDENCE, LOOKS
from runbook.ports import ReadPorts

SCRAPES = 30
"""Looks in a window where no baseline says how far apart."""
SOAK_SCRAPES = 360
SHORTEST_PAUSE, LONGEST_PAUSE, LONGEST_SOAK_PAUSE = 0.2, 15.0, 240.0
ONCE_MORE = 2.0
"""Seconds after which a node that is silent at the end is asked again."""
_TELLING = {"latency", "memory", "cpu", "fan-effect", "error-rate", "consolidation"}
"""The checks that more time may settle; the others are asked once, at the end."""

Ask = Callable[[], Answered | str]


@dataclass(frozen=True, slots=True)
class Scope:
    """Who is looked at, for how long: `window`, or with `soak` all of that; `nodes` are some of the target's."""

    target: Target
    nodes: tuple[Node, ...]
    baseline: Baseline | None
    window: timedelta
    soak: timedelta | None = None

    @property
    def whole(self) -> bool:
        """Is it every node of the target?"""
        return len(self.nodes) == len(self.target.nodes)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at, for how long, at the which of how many looks; `interrupted` by a signal."""

    samples: Samples
    seconds: float
    looks: int
    confidence: float
    notes: tuple[str, ...] = ()
    interrupted: KeyboardInterrupt | None = None
    heard: bool = True
    """Did any node tell anything at all?"""


@dataclass(slots=True)
class _Watch:
    """One watching: it grows while it goes on."""

    ports: ReadPorts
    scope: Scope
    keeper: Keeper
    looks: int = 0
    seconds: float = 0.0
    interrupted: KeyboardInterrupt | None = None
    dues: list[float] = field(default_factory=list)

    @property
    def confidence(self) -> float:
        """Of each look, so that all of them together miss no more often than `CONFIDENCE` says."""
        return 1 - (1 - CONFIDENCE) / max(len(self.dues), 1)

    def seen(self) -> Seen:
        """What there is so far."""
        notes = tuple(f"{name} was silent at {count} of the looks" for name, count in self.keeper.silences())
        seen = Seen(self.keeper.samples(), self.seconds, self.looks, self.confidence, notes, self.interrupted)
        return replace(seen, heard=self.keeper.heard)


def watch(ports: ReadPorts, scope: Scope) -> Seen:
    """Look, until it is settled or the time is up.

    Raises:
        UnreachableError: the source of the metrics cannot be reached.
    """
    if ports.probes.looks_back and scope.soak is None:
        samples = ports.probes.samples(scope.nodes, SERIES, scope.window)
        keeper = Keeper(node.name for node in scope.nodes)
        keeper.add(samples)
        return Seen(keeper.samples(), scope.window.total_seconds(), 1, CONFIDENCE, heard=keeper.heard)
    state = _Watch(ports, scope, Keeper(node.name for node in scope.nodes))
    window = scope.window.total_seconds()
    state.dues = [window * each for each in LOOKS] if scope.soak is None else [scope.soak.total_seconds()]
    try:
        _watch(state, _pause(scope))
    except KeyboardInterrupt as error:
        state.interrupted = error
    return state.seen()


def _pause(scope: Scope) -> float:
    """As far apart as the baseline looked, since to be scraped costs a node CPU time; a long soak less often."""
    length = (scope.soak or scope.window).total_seconds()
    known = None if scope.baseline is None else scope.baseline.pause_seconds
    pause = min(known or length / SCRAPES, length / FEWEST_SCRAPES)
    if scope.soak is not None:
        pause = max(pause, length / SOAK_SCRAPES)
    return min(max(pause, SHORTEST_PAUSE), LONGEST_PAUSE if scope.soak is None else LONGEST_SOAK_PAUSE)


def _watch(state: _Watch, pause: float) -> None:
    ports, begin = state.ports, state.ports.clock.monotonic()
    label = "validating" if state.scope.soak is None else "soak"
    whole = state.dues[0]
    while state.looks < len(state.dues):
        _observe(state, pause)
        state.seconds = ports.clock.monotonic() - begin
        if state.seconds >= state.dues[state.looks]:
            _once_more(state, pause)
            state.looks += 1
            if state.looks == len(state.dues) or settled(_look(state.seen(), state.scope)):
                break
            whole = state.dues[-1]
            ports.talk.say(f"not settled after {state.seconds:.0f} s: looking on, for up to {whole:.0f} s in all")
        ports.talk.progress(label, state.seconds, whole)
        ports.clock.sleep(min(pause, max(state.dues[state.looks] - state.seconds, pause / 10)))
    ports.talk.progress(label, whole, whole)


def _observe(state: _Watch, pause: float) -> None:
    """One look at every node. What was before the watch is none of it; a source that fails later on is a silence."""
    probes, nodes = state.ports.probes, state.scope.nodes
    try:
        probes.observe(nodes, SERIES)
        lately = probes.samples(nodes, SERIES, timedelta(seconds=2 * pause + 1))
    except UnreachableError as error:
        if not state.keeper.heard:
            raise
        lately = {node.name: Silence(node.name, error.message) for node in nodes}
    state.keeper.add(lately, newest=not state.keeper.heard)


def _once_more(state: _Watch, pause: float) -> None:
    """A node that is silent at the very end makes all that it told before worth nothing: it is asked again, twice."""
    for _ in range(2):
        silent = any(isinstance(found, Silence) for found in state.keeper.samples().values())
        if not (silent and state.keeper.heard):
            return
        state.ports.clock.sleep(min(pause, ONCE_MORE))
        _observe(state, pause)


def settled(look: Look) -> bool:
    """Would looking on tell anything new? Not where all that time can settle is settled, nor where users are hurt.

    Nor where no node tells anything.
    """
    checks = [each for each in judged(look) if each.name in _TELLING]
    if recommend(checks)[0] is Recommendation.ROLL_BACK or not list(look.heard()):
        return True
    return all(each.outcome is not Outcome.UNKNOWN for each in checks)


def _look(seen: Seen, scope: Scope) -> Look:
    known = set() if scope.baseline is None or not scope.whole else set(scope.baseline.nodes)
    return Look(
        nodes=tuple(node.name for node in scope.nodes),
        samples=seen.samples,
        baseline=scope.baseline,
        confidence=seen.confidence,
        seconds=seen.seconds,
        soak=scope.soak is not None,
        gone=tuple(sorted(known - {node.name for node in scope.nodes})),
    )


def judged(look: Look) -> tuple[Checked, ...]:
    """The eight checks, in the seed's order."""
    ways = (latency, memory, cpu, recall, coherence, fan_effect, errors, consolidation)
    return tuple(way(look) for way in ways)


def validate(ports: ReadPorts, scope: Scope, seen: Seen, ask: Ask) -> Validation:
    """Judge what was seen; `ask` asks the golden queries of all nodes, where nothing interrupted the watch.

    Ctrl-C while they are asked loses nothing either.
    """
    from runbook.engine.baseline import EVER  # noqa: PLC0415 - which needs this package itself

    look = _look(seen, scope)
    warm_up = WarmUp(scope.target.warm_up, ports.clock.now().timestamp())
    try:
        if seen.interrupted is None:
            look = replace(look, concepts=ports.nodes.concepts(scope.nodes, EVER, MOST_CONCEPTS))
            look = replace(look, answered=ask())
    except KeyboardInterrupt as error:
        seen = replace(seen, interrupted=error)
    look = replace(look, warm_up=warm_up)
    checks = judged(look)
    recommendation, because = recommend(checks)
    wanted = scope.soak or scope.window
    return Validation(
        target=scope.target.name,
        at=ports.clock.now(),
        source=ports.probes.source,
        baseline_at=None if scope.baseline is None else scope.baseline.captured_at,
        nodes=look.nodes,
        checks=checks,
        recommendation=recommendation,
        because=because,
        seconds=seen.seconds,
        wanted=wanted.total_seconds(),
        soak=look.soak,
        looks=seen.looks,
        confidence=seen.confidence,
        notes=(*seen.notes, *_notes(scope, seen, look.answered)),
        tracks=tracks(seen.samples),
        asked=_asked(look.answered),
        interrupted=seen.interrupted,
    )


def _notes(scope: Scope, seen: Seen, answered: Answered | str) -> Sequence[str]:
    notes = []
    if seen.interrupted is not None:
        notes += [f"interrupted after {seen.seconds:.0f} s: what was seen until then is judged, and opens no gate"]
    if scope.baseline is None:
        notes += ["no baseline was captured: runbook baseline capture"]
    if not scope.whole:
        notes += [f"only {len(scope.nodes)} of {len(scope.target.nodes)} nodes were asked: it opens no gate"]
    return notes + ([] if isinstance(answered, str) else list(answered.missing))


def _asked(answered: Answered | str) -> Asked | None:
    if isinstance(answered, str):
        return None
    return Asked(len(answered.recalled), answered.seconds, answered.read_bytes)


def all_silent(seen: Seen) -> list[Silence]:
    """The silences, where there never was anything else."""
    if seen.heard:
        return []
    silences = [found for found in seen.samples.values() if isinstance(found, Silence)]
    return silences if len(silences) == len(seen.samples) else []
