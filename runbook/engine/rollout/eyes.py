"""What is asked of a fleet in a rollout: metrics, rows, settings. A source that fails is a silence with a reason."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from runbook.engine.judging.collect import collect
from runbook.engine.judging.judgement import judge_stage, rows_needed
from runbook.engine.measure import gather, series_of
from runbook.engine.rollout.crew import Crew
from runbook.engine.rollout.gates.facts import Live
from runbook.engine.rollout.triggers import Reading, answers
from runbook.engine.rollout.tripwire import NAMES
from runbook.engine.rollout.values import drift, silent
from runbook.errors import RunbookError, UnreachableError
from runbook.model.finding import Finding
from runbook.model.judgement import Judgement
from runbook.model.measurement import Baseline, NodeSamples, Samples, Silence, WarmUp
from runbook.model.quantity import Quantity, quantities_of
from runbook.model.rollout import Phase, Rollout
from runbook.ports import AccessLogs, CellSource, CellStore

LOOKS_PER_WINDOW = 3
"""A window of a source that only knows what it observed holds as many checks at least."""
FARTHEST = timedelta(hours=2)
"""How far a scraper remembers."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """What looking needs beside the crew. `logs` is None where no splitter stands in front of the nodes."""

    source: CellSource
    store: CellStore
    baseline: Baseline | None = None
    logs: AccessLogs | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """What came of collecting rows: who was silent, and what people have to know."""

    silent: tuple[Silence, ...] = ()
    told: tuple[str, ...] = ()


def observe(crew: Crew, eyes: Eyes, rollout: Rollout, apart: timedelta = timedelta()) -> Reading:
    """One observation of every node, and what is known of the windows by now; never raises for a source.

    `apart` is how long ago the last one was: where a look takes long (a node hangs, the store is busy), windows are
    longer, so that they still hold several.
    """
    asked = _quantities(rollout.current.phase)
    names, probes = (*series_of(asked), *NAMES), crew.ports.read.probes
    try:
        probes.observe(crew.target.nodes, names)
    except UnreachableError as error:
        return _reading(crew, eyes, _quiet(crew, error.message))
    every = rollout.plan.check_every if probes.looks_back else max(rollout.plan.check_every, apart)
    window = probes.usual_window if probes.looks_back else max(probes.usual_window, LOOKS_PER_WINDOW * every)
    return _windows(crew, eyes, rollout, _samples(crew, names, window), every)


def warm(crew: Crew, rollout: Rollout) -> None:
    """Let a source that only knows what it observed observe for its usual window: for who will look but once."""
    probes = crew.ports.read.probes
    if probes.looks_back:
        return
    with suppress(UnreachableError):  # the look itself will tell
        names = (*series_of(_quantities(rollout.current.phase)), *NAMES)
        gather(crew.ports.read, crew.target.nodes, names, probes.usual_window)


def measured(crew: Crew, eyes: Eyes, rollout: Rollout) -> Reading:
    """For who looks once: a source that does not look back is observed for its usual window, if anything is asked."""
    asked, probes = _quantities(rollout.current.phase), crew.ports.read.probes
    if not rollout.current.phase.criteria:
        return _reading(crew, eyes, _quiet(crew, "nothing was asked"))
    try:
        samples = gather(crew.ports.read, crew.target.nodes, series_of(asked), probes.usual_window)
    except UnreachableError as error:
        return _reading(crew, eyes, _quiet(crew, error.message))
    return _windows(crew, eyes, rollout, samples, rollout.plan.check_every)


def rows(crew: Crew, eyes: Eyes, now: float) -> Rows:
    """Collect what the nodes tell; a store that refuses is told, and what it has is judged on."""
    try:
        found = collect(eyes.source, eyes.store, crew.target.nodes, now)
    except RunbookError as error:
        return Rows(told=(f"rows were not collected: {error.message}",))
    return Rows(found.silent, found.told)


def silent_splitters(crew: Crew) -> tuple[Silence, ...]:
    """Where clients reach nobody, the nodes have nothing to complain of: few recalls, and no errors.

    One that hangs is waited for: ask once it is known that nothing takes the rollout back.
    """
    if not crew.target.splitters:
        return ()
    try:
        told = crew.ports.read.nodes.settings(crew.target.splitters)
    except RunbookError as error:
        return tuple(Silence(each.name, error.message) for each in crew.target.splitters)
    return tuple(each for each in told.values() if isinstance(each, Silence))


def judgement(eyes: Eyes, rollout: Rollout, now: float) -> Judgement:
    """What the kept rows say at that moment.

    Raises:
        StorageError, DamagedError: the store cannot be read.
    """
    return judge_stage(rollout, eyes.store.rows(rows_needed(rollout), now), now)


def unheard(reading: Reading) -> tuple[Silence, ...]:
    """The nodes that did not tell their metrics, or told what is no number, with the reasons."""
    found = {**reading.samples, **{name: each for name, each in reading.short.items() if isinstance(each, Silence)}}
    quiet = [each for each in found.values() if isinstance(each, Silence)]
    wrong = [name for name, each in found.items() if isinstance(each, NodeSamples) and not _is_numbers(each)]
    return (*quiet, *(Silence(name, "it tells values that are no numbers", answered=True) for name in wrong))


def _is_numbers(found: NodeSamples) -> bool:
    return all(math.isfinite(sample.value) for series in found.series for sample in series.samples)


def live(crew: Crew, rollout: Rollout, reading: Reading, judged: Judgement | None) -> Live:
    """What the gates are decided by beside the journal."""
    settings = crew.ports.read.nodes.settings(crew.target.hosts)
    wrong = drift(crew.target, rollout, settings)
    return Live(findings(rollout, reading), judged, wrong, silent(settings))


def findings(rollout: Rollout, reading: Reading) -> tuple[Finding, ...]:
    """Every criterion of the phase on every node."""
    found: list[Finding] = []
    for criterion in rollout.current.phase.criteria:
        found += answers(criterion.title, criterion.condition, reading)
    return tuple(found)


def _quantities(phase: Phase) -> list[Quantity]:
    asked = [*(each.condition for each in phase.triggers), *(each.condition for each in phase.criteria)]
    return [quantity for condition in asked for quantity in quantities_of(condition)]


def _windows(crew: Crew, eyes: Eyes, rollout: Rollout, samples: Samples, every: timedelta) -> Reading:
    """The other windows: the tripwire's, and the hours that some quantities ask for."""
    reading, phase = _reading(crew, eyes, samples), rollout.current.phase
    if phase.tripwire is not None:
        # One check longer, so that a source that observes has both ends of the window.
        reading = replace(reading, short=_samples(crew, NAMES, phase.tripwire.window + every))
    lasting = [each for each in _quantities(phase) if each.over is not None]
    if lasting:
        longest = max(each.over for each in lasting if each.over is not None)
        far = longest if crew.ports.read.probes.looks_back else min(longest, FARTHEST)
        reading = replace(reading, history=_samples(crew, series_of(lasting), far))
    return reading


def _reading(crew: Crew, eyes: Eyes, samples: Samples) -> Reading:
    read = crew.ports.read
    warm_up = WarmUp(crew.target.warm_up, read.clock.now().timestamp())
    names = tuple(node.name for node in crew.target.nodes)
    return Reading(names, samples, samples, None, eyes.baseline, read.probes.source, warm_up)


def _samples(crew: Crew, names: Sequence[str], window: timedelta) -> Samples:
    try:
        return crew.ports.read.probes.samples(crew.target.nodes, names, window)
    except UnreachableError as error:
        return _quiet(crew, error.message)


def _quiet(crew: Crew, reason: str) -> Samples:
    return {node.name: Silence(node.name, reason) for node in crew.target.nodes}
