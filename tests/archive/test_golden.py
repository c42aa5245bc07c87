"""Golden queries over records: drawn the same every time, and their neighbours exact, also by what changed since."""

import base64
import random
import struct
from typing import Any

import numpy as np
import pytest

from runbook.archive.golden import Draw, Neighbours, share_of
from runbook.archive.golden_document import golden_document, golden_of
from runbook.model.validation_golden import Golden, GoldenQuery, Place

DIMENSIONS = 8


def text(space: str, id_: str, numbers: list[float], kind: str = "episode") -> dict[str, Any]:
    """A record of an archive, as far as it matters."""
    embedding = base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    return {"type": kind, "space": space, "id": id_, "content": f"text {id_}", "embedding": embedding}


def tombstone(space: str, id_: str) -> dict[str, Any]:
    """That was forgotten."""
    return {"type": "tombstone", "of": "episode", "space": space, "id": id_}


def texts(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Texts of three spaces, in random directions, by a fixed seed."""
    source = random.Random(seed)
    return [
        text(f"s{number % 3}", f"{seed}-{number}", [source.gauss(0, 1) for _ in range(DIMENSIONS)])
        for number in range(count)
    ]


def drawn(records: list[dict[str, Any]], most: int = 5) -> Draw:
    """Drawn from records that come in batches of seven."""
    draw = Draw(most, lambda space: "treatment" if space == "s0" else "control")
    for at in range(0, len(records), 7):
        draw.see(records[at : at + 7])
    return draw


def test_the_same_texts_are_drawn_in_whatever_order_they_come() -> None:
    """Of both groups, so many of each."""
    records = texts(200)
    one, other = drawn(records), drawn(list(reversed(records)))
    assert one.drawn == other.drawn
    assert {group: len(found) for group, found in one.drawn.items()} == {"treatment": 5, "control": 5}
    assert {each.space for each in one.drawn["treatment"]} == {"s0"}


def test_neighbours_are_exact() -> None:
    """As a search over all cosines finds them, of the cue's space alone; other records count for nothing."""
    records = texts(300)
    cues = [each for group in drawn(records).drawn.values() for each in group]
    near = Neighbours([(each.space, each.embedding) for each in cues], [{} for _ in cues], 10)
    for at in range(0, len(records), 50):
        near.see([*records[at : at + 50], {"type": "concept", "space": "s0", "id": "c"}])
    for number, cue in enumerate(cues):
        vectors = {
            each["id"]: np.frombuffer(base64.b64decode(each["embedding"]), "<f4").astype(float)
            for each in records
            if each["space"] == cue.space
        }
        direction = np.array(cue.embedding)
        cosines = {
            id_: float(v @ direction / np.linalg.norm(v) / np.linalg.norm(direction)) for id_, v in vectors.items()
        }
        best = sorted(cosines, key=lambda id_: -cosines[id_])[:10]
        assert [id_ for id_, _ in near.nearest(number)] == best
        assert best[0] == cue.id


def test_what_changed_since_gives_the_same_as_everything() -> None:
    """Texts that were forgotten, written anew and added: known neighbours and the changes are the whole truth."""
    before, added = texts(120), texts(30, seed=2)
    cue = drawn(before).drawn["control"][0]
    cues = [(cue.space, cue.embedding)]
    whole = Neighbours(cues, [{}], 40)
    whole.see(before)
    forgotten = [each for each in before if each["space"] == cue.space and each["id"] != cue.id][::4]
    since = Neighbours(cues, [dict(whole.nearest(0))], 40)
    since.see([*(tombstone(each["space"], each["id"]) for each in forgotten), *added])
    again = Neighbours(cues, [{}], 40)
    again.see([each for each in [*before, *added] if each not in forgotten])
    assert since.nearest(0)[:10] == again.nearest(0)[:10]


def test_the_share_that_came_to_mind() -> None:
    """What is as near as the last of the truth counts as well; an id that is given twice counts once."""
    nearest = [("a", 1.0), ("b", 0.9), ("c", 0.5), ("d", 0.5), ("e", 0.1)]
    assert share_of(["a", "b", "d"], nearest, 3) == 1.0
    assert share_of(["a", "a", "e"], nearest, 3) == pytest.approx(1 / 3)
    assert share_of([], nearest, 3) == 0.0
    assert share_of([], [], 3) == 1.0


def test_a_baseline_gives_them_back() -> None:
    """As they were, embeddings to the bit; what is no embedding is refused with the query's id."""
    query = GoldenQuery("n", "s", "x", "text", (0.5, -0.25), (("x", 1.0), ("y", 0.75)), 0.9, "control")
    golden = Golden((query,), {"n": Place("g1", 7)}, {"m": "silent"}, 12, 0.5)
    document = golden_document(golden)
    assert golden_of(document) == golden
    for bad in ("####", "AAAA", base64.b64encode(struct.pack("<f", float("nan"))).decode(), ""):
        document["queries"][0]["embedding"] = bad
        with pytest.raises(ValueError, match="'x'"):
            golden_of(document)
