"""What a migration compares and keeps: recalls, texts, changes, and its plan in the journal. Pure."""

import json

import pytest
from whole_data import SPACE, episode

from runbook.engine.migrate.contents import keys_in, residue_of, text_print, tombstone_of
from runbook.engine.migrate.recalling import overlap
from runbook.engine.migrate.record import begun, details_of, plan_of, stepped
from runbook.errors import DamagedError
from runbook.model.migration import Concepts
from runbook.model.migration_run import DUAL, SINGLE, MigrationPlan, NodePlan, Step

UUID = "00000000-0000-4000-8000-000000000001"
NODE = NodePlan("n1", "node-id", "g1", "/backup.json", own=False, sequence=7, sha256="f" * 64)
PLAN = MigrationPlan("run", "migrate", "prod", "m0001", DUAL, SINGLE, (NODE,), "/work", "0.1", Concepts.KEEP, 2, "why")


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [
        ((("a", "b"), ("c",)), (("b", "a"), ("c",)), 1.0),
        ((("a", "b"), ("c",)), (("a", "x"), ("c",)), 0.75),
        ((("a",), ()), ((), ("b",)), 0.0),
        (((), ()), ((), ()), 1.0),
    ],
)
def test_the_overlap_is_of_what_came_to_mind_before(
    before: tuple[tuple[str, ...], ...], after: tuple[tuple[str, ...], ...], share: float
) -> None:
    """Whatever the order; a cue that recalled nothing says nothing."""
    assert overlap(before, after) == share


def test_a_text_is_known_by_its_key_its_words_and_its_embedding() -> None:
    """Nothing that recall changes counts."""
    known = text_print(episode("a"))
    assert text_print(episode("a", activation=0.1, recall_count=3)) == known
    others = [episode("b"), episode("a", space="other"), episode("a", content="x"), episode("a", embedding="AAAA")]
    assert known not in {text_print(each) for each in others}


def test_residue_is_narrowed_to_what_was_a_memory_and_changed() -> None:
    """Episodes, and concepts that were memories; bindings are on the other side already."""
    left = {"space": SPACE, "fingerprint": "x"}
    kept = [{"type": "episode", "id": "a", **left}, {"type": "concept", "id": UUID, **left}]
    others = [
        {"type": "episode", "id": "b", **left},
        {"type": "concept", "id": UUID, "space": SPACE, "fingerprint": None},
        {"type": "binding", "space": SPACE, "episode_id": "a", "concept_id": UUID},
    ]
    keys = keys_in([episode("a"), {"type": "tombstone", "space": SPACE, "of": "memory", "id": UUID}])
    assert list(residue_of([*kept, *others], keys)) == kept


def test_tombstones_compare_without_their_numbers() -> None:
    """Each generation counts for itself."""
    of = {"type": "tombstone", "space": SPACE, "of": "episode", "id": "a", "concept_id": ""}
    assert tombstone_of({**of, "sequence": 1}) == tombstone_of({**of, "sequence": 2})


def test_a_plan_comes_back_from_the_journal_as_it_was() -> None:
    """Through JSON; one that does not read is damage."""
    details = json.loads(json.dumps(details_of(PLAN)))
    assert plan_of(details) == PLAN
    for broken in ({**details, "nodes": [{}]}, {**details, "concepts": "?"}, {"id": "run"}):
        with pytest.raises(DamagedError, match="cannot be read"):
            plan_of(broken)


def test_a_dropped_staging_generation_is_filled_again_from_the_beginning() -> None:
    """What was carried into it is gone with it."""
    progress = begun(NODE)
    for details in (
        {"step": "fill", "done": False, "before": ["g1"]},
        {"step": "fill", "done": True, "generation": "g2"},
        {"step": "verify", "done": True},
        {"step": "delta", "done": True, "until": 9},
    ):
        progress = stepped(progress, details)
    assert (progress.staging, progress.carried, progress.deltas) == ("g2", 9, 1)
    progress = stepped(progress, {"step": "drop", "done": True, "generation": "g2"})
    assert (progress.staging, progress.carried) == ("", 7)
    assert not progress.done & {Step.FILL, Step.VERIFY, Step.DELTA}
