"""A node's data as a whole, over HTTP: export, import beside what is served, one switch, back again."""

from remembering import ALIKE
from running_node import RunningNode, StartNode, wait_until
from whole_data import (
    SPACE,
    activate,
    binding,
    concept,
    converted,
    digest,
    episode,
    exact,
    export,
    ids,
    put,
    read,
    staged,
    states,
    write,
)

UUIDS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")
ODD = [
    *map(episode, ("a", "b\U0010ffff", "z")),
    *map(concept, UUIDS),
    binding("a", UUIDS[0]),
    binding("a", UUIDS[1]),
    binding("z", UUIDS[0]),
]
"""A store of odd values."""


def lived_in(node: RunningNode) -> RunningNode:
    """With episodes, a concept of them, bindings, recalls, and one that was forgotten."""
    node.admin("PATCH", "config", {"dual_memory.concept_sample_rate": 1.0})
    node.admin("POST", "features", {"dual_memory.enable_concepts": False})
    node.ask("POST", "/api/v1/spaces", {"id": SPACE})
    for number, text in enumerate((*ALIKE, "The heron waits at the river")):
        assert node.remember(text, SPACE, id=f"ep-{number}", who=["me"], metadata={"n": str(number)}).status == 201
    node.remember("soon gone", SPACE, id="gone")
    node.ask("DELETE", "/api/v1/memories/gone", space=SPACE)
    node.admin("POST", "features", {"dual_memory.enable_concepts": True})  # once all that belongs together is there
    node.settle()
    node.recall("the database server", SPACE)
    wait_until(lambda: node.ask("GET", "/api/v1/memories/ep-0", space=SPACE).json["recall_count"], "not counted")
    return node


def test_two_exports_of_one_state_are_the_same_bytes(node: RunningNode) -> None:
    """Also across a restart; and they hold everything that is there."""
    lived_in(node)
    first, again = export(node), export(node)
    assert first == again
    summary, records = read(first)
    assert summary.counts == {"episode": 5, "concept": 1, "binding": 4}
    assert summary.header.snapshot == f"g1:{node.health()['sequence']}"
    assert {record["recall_count"] for record in records if record.get("id") == "ep-0"} == {1}


def test_a_restart_changes_no_export(start_node: StartNode) -> None:
    """The node's id and the time in the header are those of the data, not of the process."""
    node = start_node()
    node.remember("The heron waits", id="heron")
    first = export(node)
    node.kill()
    assert export(start_node(node.folder)) == first


def test_import_and_export_are_the_identity(node: RunningNode) -> None:
    """To the bit: -0.0, subnormals, counts of 64 bits, times from year 1 to 9999, every plane; and empty."""
    archive = write("dual_memory", ODD)
    generation = staged(node, archive)
    assert exact(export(node, generation=generation)) == exact(archive)
    assert activate(node, generation).json["active"] == generation
    assert digest(export(node)) == digest(archive)
    empty = staged(node, write("dual_memory", []))
    activate(node, empty)
    assert read(export(node))[1] == []


def test_what_is_staged_is_not_served(node: RunningNode) -> None:
    """Until it is activated; then the old one is kept, and the switch back is one step too."""
    node.remember("The heron waits", id="heron")
    before = export(node)
    generation = staged(node, write("dual_memory", ODD))
    assert states(node) == {"g1": "active", generation: "staging"}
    assert export(node) == before
    assert activate(node, generation).status == 200
    assert states(node) == {generation: "active", "g1": "kept"}
    assert node.ask("GET", "/api/v1/memories/heron").status == 404
    assert node.ask("GET", "/api/v1/memories/a", space=SPACE).status == 200
    assert activate(node, "g1").status == 200
    assert digest(export(node)) == digest(before)
    assert states(node) == {"g1": "active", generation: "kept"}


def test_the_current_and_one_other_are_kept(node: RunningNode) -> None:
    """Not a third; and no id is given twice."""
    generations = [staged(node, write("dual_memory", [])) for _ in range(1)]
    activate(node, generations[0])
    third = staged(node, write("dual_memory", ODD))
    activate(node, third)
    assert states(node) == {third: "active", generations[0]: "kept"}
    assert {path.name for path in node.folder.glob("memory*.db")} == {f"memory-{g}.db" for g in (third, generations[0])}
    assert node.admin("DELETE", f"generations/{generations[0]}").status == 200
    assert put(node, write("dual_memory", [])).json["generation"] not in {third, *generations}


def test_activation_wants_to_know_the_last_change(node: RunningNode) -> None:
    """With an older one it is refused, and says which it is; without any, too."""
    generation = staged(node, write("dual_memory", ODD))
    sequence = node.health()["sequence"]
    node.remember("written since", id="since")
    late = node.admin("POST", f"generations/{generation}/activate", {"if_sequence": sequence})
    assert (late.status, late.code) == (412, "WRITTEN_SINCE")
    assert late.json["error"]["sequence"] == node.health()["sequence"] > sequence
    assert node.admin("POST", f"generations/{generation}/activate", {}).status == 422
    assert states(node)["g1"] == "active"


def test_the_sequence_never_goes_back(node: RunningNode) -> None:
    """Neither by a switch nor by the switch back, so that `since` means one thing for the life of a node."""
    for number in range(20):
        node.remember(f"note {number}")
    before = node.health()["sequence"]
    generation = staged(node, write("dual_memory", []))
    assert activate(node, generation).json["sequence"] >= before
    node.remember("one more", id="more")
    later = node.health()["sequence"]
    assert later > before
    assert ids(export(node, since=later - 1)) == ["more"]
    assert activate(node, "g1").json["sequence"] >= later


def test_what_is_the_nodes_goes_along(node: RunningNode) -> None:
    """Settings, spaces, and what was forgotten; the data alone is switched."""
    lived_in(node)
    spaces = node.ask("GET", "/api/v1/spaces").json["spaces"]
    assert SPACE in [space["id"] for space in spaces]
    generation = staged(node, write("dual_memory", [episode("a")]))
    activate(node, generation)
    assert node.admin("GET", "config").json["dual_memory.concept_sample_rate"] == 1.0
    assert node.ask("GET", "/api/v1/spaces").json["spaces"] == spaces  # since when they are, too
    tombstones = [each for each in read(export(node, since=0))[1] if each["type"] == "tombstone"]
    assert ("episode", "gone") in [(each["of"], each["id"]) for each in tombstones]


def test_a_delta_carries_what_was_written_and_forgotten(node: RunningNode) -> None:
    """Added to what was staged before, it makes both the same."""
    lived_in(node)
    generation = staged(node, export(node))
    since = int(read(export(node))[0].header.snapshot.partition(":")[2])
    assert read(export(node, since=since))[1] == []
    node.remember("written since", SPACE, id="new")
    node.ask("DELETE", "/api/v1/memories/ep-1", space=SPACE)
    node.ask("DELETE", "/api/v1/memories/ep-4", space=SPACE)
    node.remember("not what it was", SPACE, id="ep-4")
    node.settle()
    summary, records = read(export(node, since=since))
    assert summary.header.since == since
    assert {"new", "ep-4"} <= {record.get("id") for record in records if record["type"] == "episode"}
    assert ("episode", "ep-1") in {(r["of"], r["id"]) for r in records if r["type"] == "tombstone"}
    assert put(node, export(node, since=since), generation).status == 201
    assert exact(export(node, generation=generation)) == exact(export(node))


def test_a_converted_delta_makes_the_conversion_whole(node: RunningNode) -> None:
    """Catching up: the changes, converted and added, give what converting everything now would give; residue too."""
    lived_in(node)
    summary, _ = read(export(node))
    generation = staged(node, *converted(export(node), "single_memory"))
    node.remember("written since", SPACE, id="new")
    node.ask("DELETE", "/api/v1/memories/ep-1", space=SPACE)
    for id_, text in (("ep-2", ALIKE[2]), ("ep-3", "not what it was")):
        node.ask("DELETE", f"/api/v1/memories/{id_}", space=SPACE)
        node.remember(text, SPACE, id=id_)
    node.settle()
    delta, left = converted(export(node, since=summary.header.snapshot.partition(":")[2]), "single_memory")
    assert put(node, delta, generation).status == 201
    assert put(node, left, generation).status == 201
    whole, residue = converted(export(node), "single_memory")
    assert exact(export(node, "single_memory", generation=generation)) == exact(whole)
    assert exact(export(node, "residue", generation=generation)) == exact(residue)


def test_a_node_serves_a_single_memory(start_node: StartNode) -> None:
    """Remember, recall, get and forget work; no concept forms; no flag can be switched on; kill -9 changes nothing."""
    node = lived_in(start_node())
    archive, residue = converted(export(node), "single_memory")
    assert activate(node, staged(node, archive, residue)).json["kind"] == "single_memory"
    found = node.recall("the database server", SPACE).json
    assert (found["group"], {each["path"] for each in found["memories"]}) == ("control", {"episodic"})
    for text in ALIKE:
        assert node.remember(f"{text} indeed", SPACE).status == 201
    assert node.admin("POST", "consolidate").json["formed"] == 0
    assert node.health()["settled"]
    assert node.ask("GET", "/api/v1/memories/ep-0", space=SPACE).json["content"] == ALIKE[0]
    refused = node.admin("POST", "features", {"dual_memory.enabled": True})
    assert (refused.status, refused.code) == (409, "SINGLE_MEMORY")
    assert node.admin("POST", "features", {"dual_memory.enabled": False}).status == 200
    assert set(node.admin("GET", "features").json.values()) == {False}
    assert node.admin("GET", "export?format=dual_memory").code == "OTHER_FORMAT"
    assert export(node, "residue").count(b'"mapping"') == 10
    before = export(node, "single_memory")
    node.kill()
    node = start_node(node.folder)
    assert export(node, "single_memory") == before
    assert (node.health()["data"], node.recall("heron", SPACE).json["group"]) == ("single_memory", "control")


def test_dual_to_single_and_back_is_the_identity(node: RunningNode) -> None:
    """On a real node, through its disk, with the residue that it keeps itself."""
    lived_in(node)
    before = export(node)
    activate(node, staged(node, *converted(before, "single_memory", keep=True)))
    back, _ = converted(export(node, "single_memory"), "dual_memory", export(node, "residue"))
    node.admin("DELETE", "generations/g1")
    activate(node, staged(node, back))
    assert digest(export(node)) == digest(before)
    node.admin("POST", "features", dict.fromkeys(node.admin("GET", "features").json, True))
    assert node.admin("POST", "consolidate").json["formed"] == 0
    assert digest(export(node)) == digest(before)
    assert node.recall("the database server", SPACE, observe="false").json["group"] == "treatment"


def test_writes_are_refused_while_they_are_frozen(node: RunningNode) -> None:
    """And to be asked for again soon; reading goes on, the sequence stands still; and it ends by itself."""
    node.remember("The heron waits", id="heron")
    frozen = node.admin("POST", "writes", {"frozen": True, "ttl_seconds": 30}).json
    assert frozen["frozen"]
    refused = node.remember("no")
    assert (refused.status, refused.code) == (503, "WRITES_FROZEN")
    assert refused.headers["retry-after"] == "1"
    assert 25 <= refused.json["error"]["expires_in_seconds"] <= 30
    for method, path in (("DELETE", "/api/v1/memories/heron"), ("POST", "/api/v1/admin/consolidate")):
        headers = {"Authorization": f"Bearer {node.token}"}
        assert node.ask(method, path, headers=headers).status == 503, path
    assert node.ask("POST", "/api/v1/spaces", {"id": "fresh-space"}).status == 503
    assert node.recall("heron").json["memories"][0]["id"] == "heron"
    renewed = node.admin("POST", "writes", {"frozen": True, "ttl_seconds": 0.2}).json
    assert renewed["sequence"] == frozen["sequence"] == node.health()["sequence"]
    wait_until(lambda: node.remember("yes").status == 201, "it did not end")
    node.admin("POST", "writes", {"frozen": True})
    assert node.admin("POST", "writes", {"frozen": False}).json["frozen"] is False
    assert node.remember("again").status == 201


def test_what_recall_leaves_waits_for_the_end_of_a_freeze(node: RunningNode) -> None:
    """And is counted in the generation that is served then."""
    node.remember("The heron waits", id="heron")
    generation = staged(node, export(node))
    sequence = node.admin("POST", "writes", {"frozen": True}).json["sequence"]
    node.recall("heron")
    assert node.admin("POST", f"generations/{generation}/activate", {"if_sequence": sequence}).status == 200
    node.admin("POST", "writes", {"frozen": False})
    wait_until(lambda: node.ask("GET", "/api/v1/memories/heron").json["recall_count"] == 1, "it was not counted")


def test_damaged_archives_leave_nothing(node: RunningNode) -> None:
    """Cut off, flipped, in disorder, of a wrong space: refused by name, and no generation is left, nor its file."""
    good = write("dual_memory", ODD)
    flipped = bytearray(good)
    flipped[good.index(b'"id":"a"') + 6] ^= 1
    lost = write("dual_memory", [record for record in ODD if record.get("id") != "z"])
    for archive in (b"", b"{}", good[:-2], good[: len(good) // 2], bytes(flipped), lost, good + b" "):
        refused = put(node, archive)
        assert (refused.status, refused.code) == (422, "DAMAGED"), archive[:60]
    foreign = put(node, write("dual_memory", [episode("a", space="No Such Name")]))
    assert (foreign.status, foreign.code) == (409, "REFUSED")
    assert states(node) == {"g1": "active"}
    assert [path.name for path in node.folder.glob("memory-*")] == []


def test_a_damaged_addition_leaves_what_was_staged(node: RunningNode) -> None:
    """The generation is as it was before, and can be added to again."""
    archive, residue = converted(write("dual_memory", ODD), "single_memory")
    generation = staged(node, archive)
    assert put(node, residue[: len(residue) // 2], generation).code == "DAMAGED"
    assert exact(export(node, "residue", generation=generation)) == "[]"
    assert put(node, residue, generation).status == 201
    assert exact(export(node, "residue", generation=generation)) == exact(residue)


def test_what_makes_no_sense_is_refused(node: RunningNode) -> None:
    """Each with its own code; nothing was changed by any."""
    generation = staged(node, write("dual_memory", ODD))
    residue = write("residue", [])
    told = [
        put(node, write("dual_memory", [])),
        put(node, residue, generation),
        put(node, write("dual_memory", []), generation),
        put(node, write("single_memory", [], since=1), generation),
        put(node, write("dual_memory", [], since=1), "g1"),
        put(node, write("dual_memory", [], since=1), "g9"),
        activate(node, "g1"),
        activate(node, "g9"),
        node.admin("DELETE", "generations/g1"),
        node.admin("DELETE", "generations/g9"),
        node.admin("GET", "export?format=dual_memory&generation=g9"),
        node.admin("GET", "export?format=residue"),
        node.admin("GET", "export?format=xml"),
        node.admin("GET", "export?format=dual_memory&since=x"),
        node.admin("POST", "writes", {"frozen": 1}),
    ]
    assert [reply.status for reply in told] == [*[409] * 5, 404, 409, 404, 409, 404, 404, 409, 400, 422, 422]
    assert states(node) == {"g1": "active", generation: "staging"}
    node.admin("DELETE", f"generations/{generation}")
    assert put(node, residue).status == 409
