"""A bundle proves itself: bytes, chain, plan, approvals; and the verdicts are come to again from its rows."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from evidence_scene import ROLLOUT, SECRET, Scene, bundle, judged_twice, proven
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.engine.proof.manifest import about_of, read_manifest, sealed
from runbook.engine.proof.verify import against_journal, open_bundle
from runbook.errors import DamagedError, NotSupportedError
from runbook.model.bundle import (
    APPROVALS,
    BACKUPS,
    CELLS,
    CONTENTS,
    JOURNAL,
    MANIFEST,
    PLAN,
    SELF_TEST,
    SETTINGS,
    VERDICTS,
)
from runbook.model.cells import NodeCells
from runbook.model.journal import Event


@cache
def whole() -> dict[str, bytes]:
    """One bundle for all tests, which take copies."""
    return bundle()


def sealed_again(files: dict[str, bytes]) -> dict[str, bytes]:
    """With a manifest that fits what is in it now, as somebody would make who hides an edit."""
    manifest = json.loads(files[MANIFEST])
    about = {key: manifest[key] for key in manifest if key not in {"version", "kind", "files", "seal"}}
    others = {name: raw for name, raw in files.items() if name != MANIFEST}
    return {**others, MANIFEST: sealed(about, others)}


def test_a_bundle_is_proven_from_itself_alone() -> None:
    """Every file is there; both looks come out as they were journaled, the later one as harm."""
    files = whole()
    found = proven(files)
    assert files.keys() == {MANIFEST, *CONTENTS}
    assert (found.differing, found.untold) == ((), ())
    assert [(look.stage, look.look) for look in found.looks] == [("gradual", 1), ("gradual", 2)]
    assert found.looks[-1].found == found.looks[-1].journaled == "harm"


def test_it_says_what_was_before_and_what_was_counted_on() -> None:
    """The settings that the rollout found, the approval, the backup by name, the self-test with its arithmetic."""
    files = whole()
    told = json.loads(files[SETTINGS])
    assert (told["before"]["n0"], told["after"]["n0"]) == (
        {"dual_memory.treatment_rate": 0.0},
        {"dual_memory.treatment_rate": 0.5},
    )
    assert [each["who"] for each in json.loads(files[APPROVALS])] == ["anna"]
    assert json.loads(files[BACKUPS]) == [{"name": "old-backup"}]
    assert "splits by chance of" in json.loads(files[SELF_TEST])["arithmetic"]


def test_no_secret_gets_into_it() -> None:
    """What the journal masks is masked here."""
    assert not any(SECRET.encode() in raw for raw in whole().values())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_byte_that_is_flipped_is_found(data: st.DataObject) -> None:
    """In whatever file, in the manifest too; the file is named."""
    files = dict(whole())
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    flipped = bytearray(files[name])
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    files[name] = bytes(flipped)
    with pytest.raises(DamagedError, match=f"^{name}: "):
        proven(files)


@pytest.mark.parametrize("name", [MANIFEST, *CONTENTS])
def test_a_file_that_is_gone_is_found(name: str) -> None:
    """Also where the manifest was made anew without it."""
    files = {each: raw for each, raw in whole().items() if each != name}
    with pytest.raises(DamagedError, match=f"^{name}: it is missing"):
        open_bundle(files)
    if name != MANIFEST:
        with pytest.raises(DamagedError, match=f"it names no {name}"):
            open_bundle(sealed_again(files))


def test_a_file_that_was_added_is_found() -> None:
    """With the manifest as it was, and with one that names it."""
    files = {**whole(), "note.txt": b"trust me"}
    with pytest.raises(DamagedError, match=r"^note.txt: it does not belong"):
        proven(files)
    with pytest.raises(DamagedError, match=r"'note.txt', which is no file of a bundle"):
        proven(sealed_again(files))


def test_a_table_that_was_edited_and_sealed_again_gives_another_verdict() -> None:
    """The rows of the treated spaces made faster: the judge does not find what was journaled."""
    lines = whole()[CELLS].splitlines(keepends=True)
    edited = []
    for line in lines:
        row = json.loads(line)
        if row["group"] == "treatment":
            row["log_latency_sum"] -= 0.27 * row["n"]
        edited.append(json.dumps(row).encode() + b"\n")
    files = sealed_again({**whole(), CELLS: b"".join(edited)})
    found = proven(files)
    assert found.looks[-1].differs
    assert found.looks[-1].journaled == "harm"
    assert found.looks[-1].found != "harm"


@pytest.mark.parametrize(
    ("name", "edit", "says"),
    [
        (PLAN, lambda plan: plan["plan"].update(title="Another"), r"plan.json: \.plan\.title: 'Another'"),
        (APPROVALS, lambda found: found[0].update(who="eve"), r"approvals.json: \[0\]\.who: 'eve'"),
        (APPROVALS, lambda found: found.clear(), "approvals.json"),
        (VERDICTS, lambda looks: looks[1].update(verdict="safe"), r"verdicts.json: \[1\]\.verdict: 'safe'"),
        (BACKUPS, lambda found: found[0].update(name="better"), r"backups.json: names\[0\]: 'better'"),
        (
            SETTINGS,
            lambda told: told["before"]["n0"].update({"dual_memory.treatment_rate": 0.4}),
            r"settings.json: before",
        ),
        (SELF_TEST, lambda told: told.update(arithmetic="all well"), r"selftest.json: \.arithmetic: 'all well'"),
    ],
)
def test_a_document_that_was_edited_and_sealed_again_does_not_fit_the_journal(
    name: str, edit: Callable[[Any], object], says: str
) -> None:
    """What the journal's lines tell is told by nobody else."""
    document = json.loads(whole()[name])
    edit(document)
    with pytest.raises(DamagedError, match=says):
        proven(sealed_again({**whole(), name: json.dumps(document).encode()}))


@pytest.mark.parametrize(
    ("name", "document"),
    [
        (SETTINGS, {"before": {}, "after": [1]}),
        (SETTINGS, {"before": {}, "after": {"n0": 1}}),
        (BACKUPS, [1]),
        (BACKUPS, {"name": "old-backup"}),
    ],
)
def test_a_document_of_another_shape_is_damage_and_no_crash(name: str, document: object) -> None:
    """Whoever makes one by hand is told the file."""
    with pytest.raises(DamagedError, match=f"{name}: .*it has to say"):
        proven(sealed_again({**whole(), name: json.dumps(document).encode()}))


def test_a_manifest_that_names_another_target_does_not_fit_the_journal() -> None:
    """The evidence of a rehearsal is none of production."""
    manifest = replace(read_manifest(whole()[MANIFEST]), target="staging")
    others = {name: raw for name, raw in whole().items() if name != MANIFEST}
    with pytest.raises(DamagedError, match=r"manifest.json: it says that the target is staging, and .* is of prod"):
        proven({**others, MANIFEST: sealed(about_of(manifest), others)})


def test_what_was_before_is_not_told_by_another_target_with_nodes_of_the_same_names() -> None:
    """One state folder has a journal for all of them."""
    made = Scene()
    plan = {"id": "run-0", "target": "staging"}
    made.journal.append(Event.RUN_STARTED, "run-0", {"plan": plan})
    change = {"node": "n0", "key": "dual_memory.semantic_weight", "old": 0.9, "new": 0.1}
    made.journal.append(Event.STEP_INTENT, "run-0", {"step": 1, "changes": [change]})
    made.look(10_027)
    assert json.loads(bundle(made)[SETTINGS])["before"]["n0"] == {"dual_memory.treatment_rate": 0.0}


def test_entries_of_another_shape_are_damage_and_no_crash() -> None:
    """A journal that was made by hand, its chain and all: the entry is named."""
    made = Scene()
    made.journal.append(Event.ROLLOUT_JUDGED, ROLLOUT, {"look": 1, "verdict": "safe"})
    files = bundle(made)
    with pytest.raises(DamagedError, match=r"journal.jsonl: entry \d+ is no look of the judge"):
        proven(files)
    made.journal.append(Event.STEP_INTENT, "run-1", {"step": 2, "changes": [{"node": "n0"}]})
    with pytest.raises(DamagedError, match=r"entry \d+ of the journal is no change of settings"):
        bundle(made)


def test_lines_of_the_journal_that_were_left_out_are_found_though_sealed_again() -> None:
    """The chain of their hashes breaks, and its end is in the manifest."""
    lines = whole()[JOURNAL].splitlines(keepends=True)
    with pytest.raises(DamagedError, match=r"journal.jsonl: line 3, byte \d+"):
        proven(sealed_again({**whole(), JOURNAL: b"".join(lines[:2] + lines[3:])}))
    with pytest.raises(DamagedError, match=r"journal.jsonl: it holds entries 2 to"):
        proven(sealed_again({**whole(), JOURNAL: b"".join(lines[:-1])}))


def test_a_row_that_is_none_is_named_by_its_line() -> None:
    """A text for a number, another group, rows out of order, a cut line."""
    lines = whole()[CELLS].splitlines(keepends=True)
    row = json.loads(lines[1])
    broken = [
        json.dumps({**row, "n": "7"}).encode() + b"\n",
        json.dumps({**row, "group": "both"}).encode() + b"\n",
        json.dumps({**row, "bucket": 1}).encode() + b"\n",
        lines[1][:20] + b"\n",
    ]
    for line in broken:
        with pytest.raises(DamagedError, match=r"cells.jsonl: line 2"):
            proven(sealed_again({**whole(), CELLS: b"".join([lines[0], line, *lines[2:]])}))


def test_a_node_that_was_silent_and_told_its_rows_later_does_not_change_the_verdict_that_was() -> None:
    """The look says how far the rows of each node went."""
    made = Scene()
    made.look(10_027, silent="n1")
    made.look(10_047)
    assert proven(bundle(made)).differing == ()


def test_a_node_whose_clock_is_behind_makes_a_look_that_cannot_be_taken_again_and_no_lie() -> None:
    """Its last bucket had not ended for it: what it told of it later is in the table, and was not in the look."""
    made = judged_twice()
    grown = made.traffic.cell("space-000", 10_044, node="n0")
    made.store.add([NodeCells("n0", 2, (replace(grown, n=grown.n + 3),))])
    found = proven(bundle(made))
    assert [look.look for look in found.untold] == [2]
    assert "more was told after it (n0: 3 recalls)" in found.untold[0].untold
    assert found.differing == ()


def test_recalls_that_were_taken_out_of_the_table_are_no_late_rows() -> None:
    """More of one node and fewer of another is an edit, and gives another judgement."""
    edited = [json.loads(line) for line in whole()[CELLS].splitlines()]
    for row in edited:
        if row["bucket"] == 10_020:
            row["n"] += 1 if row["node"] == "n0" else -1
    raw = b"".join(json.dumps(row).encode() + b"\n" for row in edited)
    found = proven(sealed_again({**whole(), CELLS: raw}))
    assert [bool(look.differs) for look in found.looks] == [True, True]


def test_another_version_is_not_read() -> None:
    """Sealed as it should be, so that it is no damage."""
    about, _, _ = whole()[MANIFEST].replace(b'{"version":1,', b'{"version":2,').rpartition(b',"seal":')
    with pytest.raises(NotSupportedError, match="version 2"):
        read_manifest(about + b',"seal":"' + sha256(about).hexdigest().encode() + b'"}\n')


def test_the_journal_at_hand_names_the_manifest() -> None:
    """It knows the digest of each bundle that was written; of one that was made anew it does not."""
    made = judged_twice()
    files = bundle(made)
    manifest = proven(files).manifest
    lines = made.lines(manifest.first)
    assert "names this very manifest" in against_journal(manifest, files[JOURNAL], lines)
    edited = sealed_again({**files, CELLS: files[CELLS] + files[CELLS].splitlines(keepends=True)[-1]})
    with pytest.raises(DamagedError, match="and entry 9 of the journal says"):
        against_journal(read_manifest(edited[MANIFEST]), files[JOURNAL], lines)
    with pytest.raises(DamagedError, match="other lines in that place"):
        against_journal(manifest, b"x" + files[JOURNAL], lines)
