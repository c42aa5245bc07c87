"""Makes plans of migrations, as documents too, and compares them: a plan is carried out only where nothing has changed.

A document of a plan carries its digest; one whose digest does not fit it was changed by somebody.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

import orjson

from runbook import __version__
from runbook.errors import DamagedError, RefusedError
from runbook.model.conversion import Residue, Surveyed
from runbook.model.conversion_plan import Carried, ConversionPlan, Places
from runbook.model.migration import Concepts, Filled, Loss, Migration, losses

RECORDS_A_SECOND = 10_000
"""What one process converts on a small machine, with all that is read again for the proof."""
COPIES = 2
"""How often the source's size is needed on the disk: for the units, and for what they become."""
_UNDIGESTED = ("seconds", "digest")
_WORDS = {
    "version": "the version of runbook",
    "migration": "the migration",
    "target": "what it becomes",
    "concepts": "--concepts",
    "source": "what is converted",
    "places": "where it goes",
}


def plan_of(migration: Migration, surveyed: Surveyed, concepts: Concepts, places: Places) -> ConversionPlan:
    """The plan for what was surveyed; `seconds` are those of one process."""
    counts = dict(surveyed.counts)
    if surveyed.residue is not None:
        counts["concept memory"] = surveyed.residue.concept_memories
    records = sum(surveyed.counts.values())
    found = ConversionPlan(
        version=__version__,
        migration=migration.name,
        target=migration.target,
        concepts=concepts,
        source=surveyed,
        places=places,
        carried=_carried(migration, counts, concepts),
        losses=losses(migration, counts, concepts),
        filled=migration.filled,
        disk_bytes=COPIES * surveyed.bytes,
        seconds=round(records / RECORDS_A_SECOND, 1),
    )
    return replace(found, digest=_digest(document(found)))


def _carried(migration: Migration, counts: Mapping[str, int], concepts: Concepts) -> tuple[Carried, ...]:
    found: dict[tuple[str, str], int] = {}
    for field in migration.fields:
        if field.to and field.only in {None, concepts}:
            about = (field.record, field.to.partition(".")[0])
            found[about] = found.get(about, 0) + 1
    return tuple(
        Carried(record, becomes, counts[record], fields)
        for (record, becomes), fields in found.items()
        if counts.get(record, 0)
    )


def document(plan: ConversionPlan) -> dict[str, Any]:
    """As `schemas/plan.v1.schema.json` has it."""
    found: dict[str, Any] = orjson.loads(orjson.dumps({"version": 1, "kind": "plan", **_body(plan)}))
    return found


def _body(plan: ConversionPlan) -> dict[str, Any]:
    found = asdict(plan)
    return {"tool": found.pop("version"), **found}


def parse(found: Mapping[str, Any], name: str) -> ConversionPlan:
    """The plan of a document that is valid by its schema; `name` is the file's, for messages.

    Raises:
        DamagedError: it is not as it was written.
    """
    if _digest(found) != found["digest"]:
        raise DamagedError(f"{name}: the plan was changed since it was written", hint="make a new one: --plan-out FILE")
    source = found["source"]
    residue = None if source["residue"] is None else Residue(**source["residue"])
    return ConversionPlan(
        version=found["tool"],
        migration=found["migration"],
        target=found["target"],
        concepts=Concepts(found["concepts"]),
        source=Surveyed(**{**source, "residue": residue}),
        places=Places(**found["places"]),
        carried=tuple(Carried(**each) for each in found["carried"]),
        losses=tuple(Loss(**{**each, "fields": tuple(each["fields"])}) for each in found["losses"]),
        filled=tuple(Filled(**each) for each in found["filled"]),
        disk_bytes=found["disk_bytes"],
        seconds=found["seconds"],
        digest=found["digest"],
    )


def refuse_unless_same(wanted: ConversionPlan, now: ConversionPlan) -> None:
    """Do exactly that plan, or nothing.

    Raises:
        RefusedError: what would be done now is not what was planned; the message says what changed.
    """
    if wanted.digest == now.digest:
        return
    changed = [words for name, words in _WORDS.items() if getattr(wanted, name) != getattr(now, name)]
    raise RefusedError(
        f"this is not what was planned any more: {' and '.join(changed) or 'the plan'} changed since",
        hint="look at a new plan: --dry-run",
    )


def _digest(found: Mapping[str, Any]) -> str:
    told = {name: value for name, value in found.items() if name not in _UNDIGESTED}
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()
