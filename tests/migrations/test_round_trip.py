"""Dual memory to single memory and back, on everything that hypothesis thinks of: bit for bit."""

import json
from hashlib import sha256
from typing import Any

import pytest
from generated_records import dual, memories
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records_in_memory import InMemory, convert, in_order

from runbook.errors import DamagedError, RefusedError
from runbook.model.migration import Concepts, Migration, Record, UnknownMappingError

quick = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
choices = st.sampled_from(Concepts)
EMBEDDING = "A" * 4096


def exact(records: list[Record]) -> str:
    """Every bit of them: the text tells -0.0 from 0.0, and a float from a whole number."""
    return json.dumps(records)


def episode(id_: str, **other: Any) -> Record:
    """An episode with plain values."""
    plain: Record = {"type": "episode", "id": id_, "space": "default", "content": f"of {id_}", "when": "w"}
    plain |= {"where": "there", "who": ["a"], "embedding": EMBEDDING, "embedding_provenance": None}
    plain |= {"encoding_confidence": 0.1, "vividness_confidence": 0.2, "reliability_confidence": 0.3}
    plain |= {"activation": 0.4, "consolidation_score": 0.5, "last_recall": "l", "recall_count": 1}
    return plain | {"decay_rate": 0.05, "created_at": "c", "metadata": {"k": "v"}} | other


def concept(id_: str) -> Record:
    """A concept with plain values."""
    plain: Record = {"type": "concept", "id": id_, "space": "default", "embedding": EMBEDDING, "coherence": 0.8}
    plain |= {"instance_count": 3, "formed_at": "f", "confidence": 0.6, "activation": 0.5}
    return plain | {"last_access": "l", "created_at": "c"}


def binding(of: str, to: str) -> Record:
    """A binding with plain values."""
    ends = {"type": "binding", "space": "default", "episode_id": of, "concept_id": to}
    return {**ends, "strength": 0.9, "contribution": 0.3, "created_at": "c", "last_activated": "l"}


STORE = [*map(episode, "abc"), *map(concept, "pq"), binding("a", "p"), binding("b", "p"), binding("b", "q")]


@quick
@given(records=dual(), concepts=choices)
def test_there_and_back_is_the_identity(
    to_single: Migration, to_dual: Migration, records: list[Record], concepts: Concepts
) -> None:
    """With the residue and without writes in between; nothing is dropped, and order is the archive's."""
    single = convert(to_single, InMemory(records), concepts)
    back = convert(to_dual, InMemory(single.data, single.residue))
    assert exact(back.data) == exact(records)
    assert back.dropped == single.dropped == []
    assert single.data == in_order(single.data)


@quick
@given(records=dual(), concepts=choices)
def test_no_episode_is_missing(to_single: Migration, records: list[Record], concepts: Concepts) -> None:
    """Every episode is a memory of its id, with its words and its vector; concepts are, where they are kept."""
    single = convert(to_single, InMemory(records), concepts)
    meant = [
        each for each in records if each["type"] == "episode" or (concepts == "keep" and each["type"] == "concept")
    ]
    said = {(each["space"], each["id"]): (each.get("content", ""), each["embedding"]) for each in meant}
    assert {(each["space"], each["id"]): (each["content"], each["embedding"]) for each in single.data} == said
    assert len(single.residue) == len(records)


@quick
@given(records=st.lists(memories, max_size=6, unique_by=lambda each: (each["space"], each["id"])))
def test_single_memory_to_dual_and_back_is_the_identity(
    to_single: Migration, to_dual: Migration, records: list[Record]
) -> None:
    """Without any residue: a memory has no field that an episode lacks."""
    ordered = in_order(records)
    there = convert(to_dual, InMemory(ordered))
    assert exact(convert(to_single, InMemory(there.data)).data) == exact(ordered)


@quick
@given(records=dual(), concepts=choices, data=st.data())
def test_whatever_was_written_or_forgotten_since_is_told(
    to_single: Migration, to_dual: Migration, records: list[Record], concepts: Concepts, data: st.DataObject
) -> None:
    """What returns and what is dropped are, together, exactly the residue; no binding leads to nothing."""
    single = convert(to_single, InMemory(records), concepts)
    now: list[Record] = []
    for memory in single.data:
        fate = data.draw(st.sampled_from(["same", "forgotten", "rewritten", "recalled"]))
        changed = {"rewritten": {"content": "other words, surely"}, "recalled": {"access_count": 99, "activation": 0.9}}
        now += [] if fate == "forgotten" else [{**memory, **changed.get(fate, {})}]
    back = convert(to_dual, InMemory(now, single.residue))
    episodes = [each for each in back.data if each["type"] == "episode"]
    there = {(each["space"], each["id"]) for each in back.data if each["type"] == "concept"}
    assert {(each["space"], each["id"]) for each in episodes} | there >= {(m["space"], m["id"]) for m in now}
    rewritten = {(m["space"], m["id"]) for m in now if m["content"] == "other words, surely"}
    fresh = [each for each in episodes if (each["space"], each["id"]) in rewritten]
    assert len(fresh) == len(rewritten)
    assert len(back.data) - len(fresh) + len(back.dropped) == len(single.residue)
    sound = {(each["space"], each["id"]) for each in episodes if each not in fresh}
    for edge in (each for each in back.data if each["type"] == "binding"):
        assert (edge["space"], edge["episode_id"]) in sound
        assert (edge["space"], edge["concept_id"]) in there


def test_what_recall_changed_is_the_memorys(to_single: Migration, to_dual: Migration) -> None:
    """Activation, last access and count are carried back; everything else is as it was."""
    single = convert(to_single, InMemory(STORE))
    recalled = [{**single.data[0], "activation": 0.99, "last_access": "L", "access_count": 7}, *single.data[1:]]
    back = convert(to_dual, InMemory(recalled, single.residue))
    assert back.data[0] == {**STORE[0], "activation": 0.99, "last_recall": "L", "recall_count": 7}
    assert exact(back.data[1:]) == exact(STORE[1:])


def test_a_memory_written_since_becomes_a_fresh_episode(to_single: Migration, to_dual: Migration) -> None:
    """With its own values, and nobody else's."""
    single = convert(to_single, InMemory(STORE))
    new = {**single.data[0], "id": "new", "confidence": 0.77}
    back = convert(to_dual, InMemory([*single.data, new], single.residue))
    (found,) = [each for each in back.data if each.get("id") == "new"]
    assert (found["where"], found["who"], found["metadata"], found["consolidation_score"]) == (None, [], {}, 0.0)
    assert (found["encoding_confidence"], found["vividness_confidence"], found["when"]) == (0.77, 0.77, "w")
    assert back.dropped == []


def test_what_was_forgotten_since_takes_its_bindings_along(to_single: Migration, to_dual: Migration) -> None:
    """Each is told, with the reason."""
    single = convert(to_single, InMemory(STORE))
    back = convert(to_dual, InMemory([m for m in single.data if m["id"] != "b"], single.residue))
    assert [each for each in back.data if each["type"] == "binding"] == [binding("a", "p")]
    assert [(record["type"], why) for record, why in back.dropped] == [
        ("episode", "its memory was forgotten since"),
        ("binding", "what it binds was forgotten or written anew since"),
        ("binding", "what it binds was forgotten or written anew since"),
    ]


def test_a_concept_that_was_forgotten_as_a_memory_does_not_return(to_single: Migration, to_dual: Migration) -> None:
    """With `keep` it was one of the memories, so forgetting it means something."""
    single = convert(to_single, InMemory(STORE), Concepts.KEEP)
    assert [memory["id"] for memory in single.data] == ["a", "b", "c", "p", "q"]
    back = convert(to_dual, InMemory([m for m in single.data if m["id"] != "p"], single.residue))
    assert [each["id"] for each in back.data if each["type"] == "concept"] == ["q"]
    assert [each for each in back.data if each["type"] == "binding"] == [binding("b", "q")]


def test_a_concept_called_like_an_episode_is_refused_when_it_is_kept(to_single: Migration) -> None:
    """One memory cannot be both, and neither may take the other's place."""
    with pytest.raises(RefusedError, match="default/a") as refused:
        convert(to_single, InMemory([episode("a"), concept("a")]), Concepts.KEEP)
    assert "--concepts drop" in refused.value.hint


def test_foreign_residue_is_refused(to_dual: Migration, to_single: Migration) -> None:
    """What another mapping left means something else."""
    single = convert(to_single, InMemory(STORE))
    foreign = [{**record, "mapping": "m0009_else"} for record in single.residue]
    with pytest.raises(UnknownMappingError, match="m0009_else"):
        convert(to_dual, InMemory(single.data, foreign))


@pytest.mark.parametrize("disorder", [["b", "a"], ["a", "a"]])
def test_records_out_of_order_are_refused(to_single: Migration, to_dual: Migration, disorder: list[str]) -> None:
    """A join of what is not sorted would lose records silently."""
    single = convert(to_single, InMemory(STORE))
    memories_there = {memory["id"]: memory for memory in single.data}
    with pytest.raises(DamagedError, match="stands behind"):
        convert(to_dual, InMemory([memories_there[id_] for id_ in disorder], single.residue))


def tombstone(of: str, id_: str, to: str = "") -> Record:
    """That it was forgotten."""
    return {"type": "tombstone", "space": "default", "of": of, "id": id_, "concept_id": to, "sequence": 9}


@pytest.mark.parametrize(("concepts", "memories_gone"), [(Concepts.DROP, "a"), (Concepts.KEEP, "ap")])
def test_what_a_delta_forgets_is_forgotten_on_both_sides(
    to_single: Migration, to_dual: Migration, concepts: Concepts, memories_gone: str
) -> None:
    """In the memories, and in the residue; and the way back knows which of the memories was a concept."""
    forgotten = [tombstone("binding", "a", "p"), tombstone("concept", "p"), tombstone("episode", "a")]
    delta = convert(to_single, InMemory(forgotten), concepts)
    assert delta.data == [tombstone("memory", id_) for id_ in memories_gone]
    assert delta.residue == forgotten
    left = convert(to_single, InMemory(STORE), concepts).residue
    back = convert(to_dual, InMemory(delta.data, left))
    assert [each for each in back.data if each["type"] == "tombstone"] == forgotten[3 - len(memories_gone) :]


def test_a_conversion_is_what_it_always_was(to_single: Migration, to_dual: Migration) -> None:
    """Migrations are frozen once released: archives and residue of years ago must come out the same."""
    single = convert(to_single, InMemory(STORE), Concepts.KEEP)
    now = [{**m, "content": "new"} if m["id"] == "b" else m for m in single.data if m["id"] != "q"]
    back = convert(to_dual, InMemory(now, single.residue))
    told = exact([*single.data, *single.residue, *back.data, *(record for record, _ in back.dropped)])
    assert sha256(told.encode()).hexdigest() == "c5961759024b6b4c4a454ca16451ef247823869958b3bea2aeb7078d01b2a08e"
