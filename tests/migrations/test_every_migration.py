"""Every migration, as data, against the schemas: what a schema has is mapped, and what is mapped is what happens."""

import ast
import copy
from typing import Any

import pytest
from records_in_memory import InMemory, convert

from runbook.errors import NotSupportedError
from runbook.material import folder, migration, migrations, schema
from runbook.model.migration import Concepts, Loss, Migration, Record, losses

TYPES = {"dual_memory": ("episode", "concept", "binding"), "single_memory": ("memory",)}
VALUES = {"share": 0.5, "rate": 0.5, "count": 7, "time": "2026-11-22T17:00:00.000001Z", "embedding": "A" * 4096}
every_migration = pytest.mark.parametrize("found", migrations(), ids=lambda each: each.name)
every_choice = pytest.mark.parametrize("concepts", list(Concepts))


def fields(kind: str, type_: str) -> list[str]:
    """The fields of that record, in the order of the schema, without its type."""
    return [name for name in schema(f"{kind}.v1")["$defs"][type_]["properties"] if name != "type"]


def unmapped(found: Migration, concepts: Concepts, document: dict[str, Any], type_: str) -> set[str]:
    """Fields of the schema's record that the migration's table says nothing about, or that it says twice or wrongly."""
    known = {name for name in document["$defs"][type_]["properties"] if name != "type"}
    wrong: set[str] = set()
    for called in {each.record for each in found.fields if each.record.split()[-1] == type_}:
        lines = [each.name for each in found.fields if each.record == called and each.only in {None, concepts}]
        wrong |= known.symmetric_difference(lines) | {name for name in lines if lines.count(name) > 1}
    return wrong if any(each.record == type_ for each in found.fields) else known


def example(kind: str, type_: str) -> Record:
    """A record with all the fields that the schema has; its references are to be filled in."""
    made: Record = {"type": type_}
    for name, field in schema(f"{kind}.v1")["$defs"][type_]["properties"].items():
        reference = field.get("$ref", "").rpartition("/")[2]
        match reference or field.get("type"):
            case "array":
                made[name] = ["a"]
            case "object" | "provenance":
                made[name] = {"a": "b"}
            case None:
                pass
            case _:
                made[name] = VALUES.get(reference, "tenant-a" if name == "space" else f"some-{type_}")
    return made


@every_choice
@every_migration
def test_every_field_of_the_source_is_mapped(found: Migration, concepts: Concepts) -> None:
    """To a field of the target, or to where it is kept; each once."""
    document = schema(f"{found.source}.v1")
    for type_ in TYPES[found.source]:
        assert unmapped(found, concepts, document, type_) == set()


@every_migration
def test_a_field_added_to_a_schema_is_found(found: Migration) -> None:
    """The check above is able to fail: for each type, by the new field's name."""
    for type_ in TYPES[found.source]:
        document = copy.deepcopy(schema(f"{found.source}.v1"))
        document["$defs"][type_]["properties"]["mood"] = {"type": "string"}
        assert unmapped(found, Concepts.DROP, document, type_) == {"mood"}


@every_migration
def test_every_field_says_where_it_goes_or_where_it_is_kept(found: Migration) -> None:
    """One or the other; and the target has what it goes to."""
    for field in found.fields:
        assert bool(field.to) != bool(field.kept), field
        assert field.kept in {"", "residue", "backup"}
        if field.to:
            type_, _, name = field.to.partition(".")
            assert name in fields(found.target, type_), field


@every_choice
def test_everything_that_is_yielded_has_the_schemas_fields_in_their_order(
    to_single: Migration, to_dual: Migration, concepts: Concepts
) -> None:
    """Also of a fresh episode; so a field added to the target's schema is red until somebody fills it."""
    source = InMemory([example("dual_memory", type_) for type_ in TYPES["dual_memory"]])
    single = convert(to_single, source, concepts)
    back = convert(to_dual, InMemory(single.data, single.residue))
    fresh = convert(to_dual, InMemory(single.data))
    for kind, records in (("single_memory", single.data), ("dual_memory", back.data), ("dual_memory", fresh.data)):
        for record in records:
            assert list(record) == ["type", *fields(kind, record["type"])]
    for record in single.residue:
        assert list(record) == ["type", *fields("residue", record["type"])]
        known = schema("residue.v1")["$defs"][record["type"]]["properties"]["fields"]["properties"]
        assert list(record["fields"]) == [name for name in known if name in record["fields"]]
    assert [record["type"] for record in back.data] == list(TYPES["dual_memory"])


@every_choice
def test_the_table_says_what_happens(to_single: Migration, concepts: Concepts) -> None:
    """A field said to go to the memory is there with its value; one said to be residue is in the residue."""
    source = InMemory([example("dual_memory", type_) for type_ in TYPES["dual_memory"]])
    single = convert(to_single, source, concepts)
    memories = {record["id"]: record for record in single.data}
    left = {record["type"]: {**record, **record["fields"]} for record in single.residue}
    for field in to_single.fields:
        if field.only not in {None, concepts}:
            continue
        record = next(each for each in source.records if each["type"] == field.record)
        goes = memories[record["id"]][field.to.partition(".")[2]] if field.to else left[field.record][field.name]
        assert goes == record[field.name], field


def test_the_loss_table_counts_and_says_where_things_are_kept(to_single: Migration, to_dual: Migration) -> None:
    """Per type, with the counts of the plan; types without records are left out."""
    counts = {"episode": 3, "concept": 2, "binding": 0}
    dropped = losses(to_single, counts, Concepts.DROP)
    assert [(loss.record, loss.count, loss.kept) for loss in dropped] == [
        ("episode", 3, "residue"),
        ("concept", 2, "residue"),
    ]
    assert set(dropped[1].fields) == set(fields("dual_memory", "concept"))
    kept = losses(to_single, counts, Concepts.KEEP)
    assert kept[1] == Loss("concept", ("coherence", "instance_count", "formed_at"), 2, "residue")
    (back,) = losses(to_dual, {"memory": 5, "concept memory": 2}, Concepts.DROP)
    assert (back.record, back.count, back.kept) == ("concept memory", 2, "backup")


@every_migration
def test_a_migration_imports_the_migration_types_only(found: Migration) -> None:
    """And of the standard library nothing that touches the world."""
    path = folder("migrations") / f"{found.name}.py"
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {getattr(node, "module", None) or "import" for node in imports}
    assert named <= {"collections.abc", "hashlib", "runbook.model.migration"}


def test_a_migration_to_nowhere_is_refused() -> None:
    """With what there is."""
    with pytest.raises(NotSupportedError) as refused:
        migration("triple_memory")
    assert refused.value.hint == "one of: dual_memory, single_memory"
