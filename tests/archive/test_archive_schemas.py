"""The schemas are frozen, and both validators read them in the same way."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import jsonschema_rs
import orjson
import pytest
from archive_records import (
    ABOUT,
    FINGERPRINT,
    NOW,
    binding,
    concept,
    dropped_concept,
    dual,
    episode,
    header,
    memory,
    of_type,
    residue,
    written,
)
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from runbook import material
from runbook.archive.digest import ContentDigest
from runbook.archive.kinds import archive_kind
from runbook.archive.manifest import JournalPoint, Manifest, Part, SchemaFile
from runbook.archive.shards import Shard

FROZEN = {
    "dual_memory.v1": "7ba234d96c9610777a2f4a125d884a050304583284a46a789482534a5eb9c2e4",
    "single_memory.v1": "0890c6df7ac3b0745980132fa12d491667ebcfcfb17e96e63214d0138b2d48c5",
    "residue.v1": "67153cd8cf8bba99a1e30210ee6fd23e26c43002649f790ebc8e2b74c5797912",
    "manifest.v1": "2ddc527a86d58fb8549344c358ed065a76a2a7fd9043073eed285f451de10ad3",
}
TOMBSTONE = {"type": "tombstone", "space": "a", "of": "binding", "id": "ep", "concept_id": "x", "sequence": 1}
ODD: tuple[Any, ...] = (
    None, True, "", "x", "x\n", "\u0085", "\u00fc" * 129, "a" * 256, "a" * 257,
    0, 1, -1, 1.0, 1.5, -0.0, 5e-324, 1e308, 2**63, 2**64 - 1, 2**64, [], ["a"], [1], {}, {"a": "b"},
    {"a": 1}, {"a": {"b": [1]}}, NOW, NOW[:-1], NOW + "\n", NOW.lower(),
    "2026-13-01T00:00:00.000000Z", "2026-01-01T23:60:00.000000Z", FINGERPRINT, FINGERPRINT.upper(), FINGERPRINT + "\n",
    "g1:5", "g1:5\n", "g1:", ":5", "0" * 4096, "snapshot", "records-00000.ndjson.zst\n", "m0001_dual_to_single\n",
)  # fmt: skip


def manifest() -> dict[str, Any]:
    """A manifest with everything in it."""
    key = ("episode", "default", "ep_1")
    shard = Shard("records-00000.ndjson.zst", 1, 2, FINGERPRINT, 3, FINGERPRINT, key, key)
    part = Part("records", "dual_memory", {"episode": 1}, ContentDigest(5, 1), (shard,))
    about = ABOUT.__class__("prod", NOW, "n", "g1:5", "runbook 0.1.0", parent="p", journal=JournalPoint(4, FINGERPRINT))
    schema = SchemaFile("dual_memory.v1.schema.json", 5, FINGERPRINT)
    document: dict[str, Any] = orjson.loads(Manifest(about, (part,), (schema,)).sealed().render())
    return document


EXAMPLES = {
    "episode": ("dual_memory.v1", "episode", episode()),
    "concept": ("dual_memory.v1", "concept", concept()),
    "binding": ("dual_memory.v1", "binding", binding()),
    "tombstone": ("dual_memory.v1", "tombstone", TOMBSTONE),
    "memory": ("single_memory.v1", "memory", memory()),
    "residue of an episode": ("residue.v1", "episode", residue()[0]),
    "residue of a concept": ("residue.v1", "concept", residue()[1]),
    "residue of a dropped concept": ("residue.v1", "concept", dropped_concept()),
    "residue of a binding": ("residue.v1", "binding", residue()[2]),
    "tombstone of a residue": ("residue.v1", "tombstone", TOMBSTONE),
    "header": ("dual_memory.v1", "archive", orjson.loads(header("dual_memory", 5).line()[len(b'{"archive":') : -1])),
    "manifest": ("manifest.v1", "", manifest()),
}


def schema_of(name: str, definition: str) -> dict[str, Any]:
    """The schema of one definition."""
    document = material.schema(name)
    if not definition:
        return document
    return {"$schema": document["$schema"], "$ref": f"#/$defs/{definition}", "$defs": document["$defs"]}


def variations(value: Any) -> Iterator[Any]:
    """The value, and every one that differs from it in one place: a member less, a member more, an odd member."""
    yield value
    yield from ODD
    if isinstance(value, dict):
        yield {**value, "unknown": 1}
        for name, member in value.items():
            yield {other: found for other, found in value.items() if other != name}
            for changed in variations(member):
                yield {**value, name: changed}
    if isinstance(value, list) and value:
        yield [*value, *value]
        for changed in variations(value[0]):
            yield [changed, *value[1:]]


@pytest.mark.parametrize("name", EXAMPLES)
def test_both_validators_agree_on_every_example(name: str) -> None:
    """The compiled one and jsonschema, on what is valid and on what is not quite."""
    schema_name, definition, example = EXAMPLES[name]
    schema = schema_of(schema_name, definition)
    compiled, oracle = jsonschema_rs.validator_for(schema), Draft202012Validator(schema)
    assert oracle.is_valid(example)
    answers = [(compiled.is_valid(found), oracle.is_valid(found), found) for found in variations(example)]
    assert [found for ours, theirs, found in answers if ours is not theirs] == []
    assert len({ours for ours, _, _ in answers}) == 2


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(of_type("episode"), of_type("concept"), of_type("memory"))
def test_both_validators_agree_on_whatever_the_format_can_hold(
    one: dict[str, Any], other: dict[str, Any], third: dict[str, Any]
) -> None:
    """Every generated record is valid by both."""
    for record in (one, other, third):
        name = "single_memory" if record["type"] == "memory" else "dual_memory"
        assert archive_kind(name).records[record["type"]].is_valid(record)
        assert Draft202012Validator(schema_of(f"{name}.v1", record["type"])).is_valid(record)


@pytest.mark.parametrize("kind", ["dual_memory", "single_memory", "residue"])
def test_an_archive_is_valid_by_its_schema_as_one_document(kind: str) -> None:
    """Whoever has only the schema and a JSON Schema validator can check an export."""
    records = {"dual_memory": dual(), "single_memory": [memory()], "residue": [*residue()[:1], dropped_concept()]}[kind]
    document = orjson.loads(written(kind, records))
    assert list(Draft202012Validator(material.schema(f"{kind}.v1")).iter_errors(document)) == []
    assert jsonschema_rs.validator_for(material.schema(f"{kind}.v1")).is_valid(document)


@pytest.mark.parametrize("name", FROZEN)
def test_a_schema_never_changes(name: str) -> None:
    """Archives of version 1 exist: what needs another schema needs another version."""
    data = (material.folder("schemas") / f"{name}.schema.json").read_bytes()
    assert sha256(data).hexdigest() == FROZEN[name]
    Draft202012Validator.check_schema(material.schema(name))
