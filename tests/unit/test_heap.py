"""Two heap dumps compared: whatever a node calls a dump."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.engine.heap import REST, grown


def dump(resident: object, **parts: object) -> dict[str, Any]:
    """A dump in which each part has its bytes, as a node writes them."""
    return {"resident_bytes": resident, "components": {name: {"bytes": size, "n": 1} for name, size in parts.items()}}


def rises(first: dict[str, Any], last: dict[str, Any]) -> dict[str, int]:
    """What grew by how much, in that order."""
    return {each.part: each.rise for each in grown(first, last)}


def test_what_grew_most_comes_first() -> None:
    """What stayed or shrank is left out; what the parts do not explain is a part."""
    first, last = dump(1000, cache=100, texts=300, bindings=50), dump(2000, cache=900, texts=200, bindings=60)
    found = grown(first, last)
    assert [(each.part, each.before, each.after, each.rise) for each in found] == [
        ("cache", 100, 900, 800),
        (REST, 550, 840, 290),
        ("bindings", 50, 60, 10),
    ]


def test_a_part_may_come_and_go() -> None:
    """A new one grew from nothing; one that is gone did not grow."""
    assert rises(dump(100, old=60), dump(100, new=30)) == {REST: 30, "new": 30}


def test_parts_that_explain_more_than_there_is_leave_no_rest() -> None:
    """Never less than nothing."""
    assert rises(dump(100, a=300), dump(100, a=400)) == {"a": 100}


def test_a_part_may_be_a_plain_number() -> None:
    """Without resident bytes there is no rest."""
    assert rises({"components": {"a": 1}}, {"components": {"a": 9}}) == {"a": 8}


@pytest.mark.parametrize("odd", [None, "12", 1.5, True, -1, [], {}, {"bytes": "x"}, {"bytes": -5}, {"bytes": 2**63}])
def test_a_size_that_is_no_size_is_left_out(odd: object) -> None:
    """The other parts are compared all the same."""
    first, last = {"components": {"a": 1, "b": odd}}, {"components": {"a": 3, "b": odd}}
    assert rises(first, last) == {"a": 2}
    assert rises({"components": {"b": odd}}, {"components": {"b": 7}}) == {"b": 7}
    assert rises({"components": {"b": 7}}, {"components": {"b": odd}}) == {}


@pytest.mark.parametrize("garbage", [{}, {"components": None}, {"components": [1]}, {"components": "x"}, {"x": 1}])
def test_a_dump_without_parts_has_nothing_that_grew(garbage: dict[str, Any]) -> None:
    """And two of them neither."""
    assert grown(garbage, garbage) == ()
    assert grown(dump(5, a=1), garbage) == ()


anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=3),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
dumps = some.fixed_dictionaries({}, optional={"resident_bytes": anything, "components": some.dictionaries(some.text(
    some.characters(exclude_categories=()), max_size=4), anything, max_size=4) | anything})  # fmt: skip


@given(dumps, dumps)
def test_whatever_a_node_dumps_is_compared_and_can_be_journaled(first: dict[str, Any], last: dict[str, Any]) -> None:
    """Only rises, the largest first, and of texts and numbers that JSON takes."""
    found = grown(first, last)
    assert all(each.rise > 0 and each.before >= 0 for each in found)
    assert [each.rise for each in found] == sorted((each.rise for each in found), reverse=True)
    orjson.dumps([[each.part, each.before, each.after] for each in found])


@given(dumps)
def test_a_dump_did_not_grow_since_itself(same: dict[str, Any]) -> None:
    """Whatever is in it."""
    assert grown(same, same) == ()
