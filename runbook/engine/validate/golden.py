"""Golden queries: chosen when a baseline is captured, asked again when a fleet is validated.

The truth is exact search over what a node holds. The baseline reads all texts for it, twice; a validation reads only
what changed since, where the node still serves the same generation. A recall changes no state and no metric.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from runbook.archive.golden import Draw, Drawn, Neighbours, place_of, share_of
from runbook.archive.kinds import Record
from runbook.engine.validate.golden_groups import group_of
from runbook.errors import RunbookError
from runbook.model.generation import Generation
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.settings import Settings
from runbook.model.target import Node
from runbook.model.validation_golden import COUNT, NEIGHBOURS, QUERIES, Answered, Golden, GoldenQuery, Place, Recalled
from runbook.ports import Bench, Clock, DataNode, Talk

_GONE = "was forgotten since"
_TOO_FEW = "too many of its neighbours were forgotten since; capture a new baseline"


@dataclass(slots=True)
class Golds:
    """What asking takes: the data of each node, a strict reader, time, and somebody to tell how far it is.

    With `split` nodes are asked as their splitter would ask: the group is named to them.
    """

    data: Callable[[Node], DataNode]
    bench: Bench
    clock: Clock
    talk: Talk
    split: bool = False
    read_bytes: int = field(default=0)

    def choose(self, nodes: Sequence[Node], settings: NodeSettings) -> Golden:
        """Choose stored texts, of both groups where there are any, and find what must come to mind by each.

        A node that cannot be read has none, and is named with the reason.
        """
        begin, self.read_bytes = self.clock.monotonic(), 0
        chosen = sorted(nodes, key=lambda node: place_of(node.name))[:QUERIES]
        quota = -(-QUERIES // max(len(chosen), 1))
        queries: list[GoldenQuery] = []
        places: dict[str, Place] = {}
        missing: dict[str, str] = {}
        self.talk.say(f"golden queries: reading the texts of {_counted(chosen)}, twice")
        for node in chosen:
            known = settings.get(node.name, Silence(node.name, "its settings were not read"))
            if isinstance(known, Silence):
                missing[node.name] = known.reason
                continue
            try:
                place, found = self._choose_of(node, known, quota)
            except RunbookError as error:
                missing[node.name] = error.message
            else:
                places[node.name] = place
                queries += found
        seconds = self.clock.monotonic() - begin
        return Golden(_fairly(queries), places, missing, self.read_bytes, seconds)

    def _choose_of(self, node: Node, settings: Settings, quota: int) -> tuple[Place, list[GoldenQuery]]:
        data = self.data(node)
        active = data.holdings().active
        draw = Draw(quota, lambda space: group_of(space, settings))
        for batch in self._records(data, active):
            draw.see(batch)
        drawn = _shared_out(draw.drawn, quota)
        minds = [data.recall(each.space, each.embedding, COUNT, self._named(each.space, settings)) for each in drawn]
        near = Neighbours([(each.space, each.embedding) for each in drawn], [{} for _ in drawn], NEIGHBOURS)
        place = Place(active.id, active.sequence)
        for batch in self._records(data, active):
            near.see(batch)
        return place, [
            _query(node.name, each, near.nearest(number), [one.id for one in minds[number]], settings)
            for number, each in enumerate(drawn)
        ]

    def ask(self, golden: Golden | None, nodes: Sequence[Node], settings: NodeSettings) -> Answered | str:
        """Ask them again, of these nodes; or why there are none."""
        if golden is None:
            return "the baseline has no golden queries: runbook baseline capture"
        begin, self.read_bytes = self.clock.monotonic(), 0
        recalled: list[Recalled] = []
        missing: list[str] = []
        named = {node.name for node in nodes}
        silent = {name: reason for name, reason in golden.missing.items() if name in named}
        asked = [node for node in nodes if any(each.node == node.name for each in golden.queries)]
        self.talk.say(f"golden queries: asking {_counted(asked)}")
        for node in asked:
            queries = [each for each in golden.queries if each.node == node.name]
            known = settings.get(node.name, Silence(node.name, "its settings were not read"))
            if isinstance(known, Silence):
                silent[node.name] = known.reason
                continue
            try:
                found = list(self._ask_of(node, queries, golden.places.get(node.name), known))
            except RunbookError as error:
                silent[node.name] = error.message
                continue
            recalled += [each for each in found if isinstance(each, Recalled)]
            missing += [each for each in found if isinstance(each, str)]
        seconds = self.clock.monotonic() - begin
        return Answered(tuple(recalled), tuple(missing), silent, self.read_bytes, seconds)

    def _ask_of(
        self, node: Node, queries: Sequence[GoldenQuery], place: Place | None, settings: Settings
    ) -> Iterator[Recalled | str]:
        data = self.data(node)
        active = data.holdings().active
        found = (data.recall(each.space, each.embedding, COUNT, self._named(each.space, settings)) for each in queries)
        minds = [[one.id for one in each] for each in found]
        known = place is not None and place.generation == active.id and place.sequence <= active.sequence
        since = place.sequence if known and place is not None else None
        before = [dict(each.nearest) if known else {} for each in queries]
        near = Neighbours([(each.space, each.embedding) for each in queries], before, NEIGHBOURS)
        for batch in self._records(data, active, since):
            near.see(batch)
        for number, query in enumerate(queries):
            truth = near.nearest(number)
            ids = {id_ for id_, _ in truth}
            told = f"{node.name}, {query.space}, {query.id}: not asked, since"
            if query.id not in ids:
                yield f"{told} it {_GONE}"
            elif known and len(query.nearest) >= NEIGHBOURS and sum(id_ in ids for id_, _ in query.nearest) < COUNT:
                yield f"{told} {_TOO_FEW}"
            else:
                share = share_of(minds[number], truth, COUNT)
                changed = {id_ for id_, _ in truth[:COUNT]} != {id_ for id_, _ in query.nearest[:COUNT]}
                yield Recalled(query, group_of(query.space, settings), share, changed)

    def _named(self, space: str, settings: Settings) -> str:
        return group_of(space, settings) if self.split else ""

    def _records(self, data: DataNode, active: Generation, since: int | None = None) -> Iterator[Iterable[Record]]:
        with (
            data.export(active.kind, since=since, generation=active.id) as chunks,
            closing(self.bench.reading(self._counted(chunks), f"the texts of {data.name}")) as reader,
        ):
            yield from reader.batches()

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.read_bytes += len(chunk)
            yield chunk


def _counted(nodes: Sequence[Node]) -> str:
    return f"{len(nodes)} node{'s' * (len(nodes) != 1)}"


def _shared_out(drawn: dict[str, list[Drawn]], most: int) -> list[Drawn]:
    """As many of each group as there are, as evenly as that goes."""
    groups = [list(each) for _, each in sorted(drawn.items())]
    found: list[Drawn] = []
    while len(found) < most and any(groups):
        found += [group.pop(0) for group in groups if group][: most - len(found)]
    return found


def _fairly(queries: Sequence[GoldenQuery]) -> tuple[GoldenQuery, ...]:
    """So many as a fleet has, node by node in turn."""
    by_node: dict[str, list[GoldenQuery]] = {}
    for each in queries:
        by_node.setdefault(each.node, []).append(each)
    found: list[GoldenQuery] = []
    while len(found) < QUERIES and any(by_node.values()):
        found += [rest.pop(0) for rest in by_node.values() if rest]
    return tuple(sorted(found[:QUERIES], key=lambda each: (each.node, each.space, each.id)))


def _query(
    node: str, drawn: Drawn, nearest: tuple[tuple[str, float], ...], answered: list[str], settings: Settings
) -> GoldenQuery:
    recall = share_of(answered, nearest, COUNT)
    group = group_of(drawn.space, settings)
    return GoldenQuery(node, drawn.space, drawn.id, drawn.text, drawn.embedding, nearest, recall, group)
