"""What people say to a rollout and are told of it: plan, status, approve, note, hold, resume, report."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from command_line import Output, complaint, document
from peers import Peer, http

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.adapters.rollout_plans.reading import plan_in
from runbook.cli.rollout.plans import plan_named
from runbook.cli.root import cli, run
from runbook.engine.rollout import record
from runbook.engine.rollout.plan.document import details_of, digest_of, filled
from runbook.model.journal import Event
from runbook.model.rollout import Stage, Standing

PLAN = filled(plan_named("dual-memory"), "pepper", ("alpha",))
ROLLOUT = "20261102T090000-aaaa"
Tell = Callable[..., None]


@pytest.fixture
def tell(state: Path) -> Tell:
    """Journal an entry of the rollout; the first one starts it, by anna, and enters its first stage."""

    def append(event: Event, details: dict[str, Any], who: str = "anna") -> None:
        FileJournal(state, SystemClock(), who, "here").append(event, ROLLOUT, details)

    append(Event.ROLLOUT_STARTED, record.started("prod", "production", details_of(PLAN), digest_of(PLAN), "it is time"))
    enter(append, PLAN.stages[0])
    return append


def enter(append: Tell, stage: Stage) -> None:
    """The stage is entered."""
    append(Event.ROLLOUT_ENTERING, record.entering(stage, "run-1"))
    append(Event.ROLLOUT_ENTERED, record.entered(stage, "run-1"))


def events(state: Path) -> list[str]:
    """The journal's events."""
    return [entry.event.value for entry in FileJournal(state, SystemClock(), "x", "y").entries()]


@pytest.fixture
def bert(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second person types from here on."""
    monkeypatch.setenv("SUDO_USER", "bert")


def test_the_plan_is_told_without_any_target(state: Path, capsys: Output) -> None:
    """All five phases; how many spaces there are is not known, and said."""
    told = document(capsys, "rollout", "plan")["data"]
    assert [stage["name"] for stage in told["stages"]][:3] == ["shadow", "internal", "canary"]
    assert told["fleet"].startswith("How many spaces each judged stage compares is not known")
    assert run(["rollout", "plan"]) == 0
    text = capsys.readouterr().out
    for said in ("rolled back by itself when", "2 days", "backup no older than 1 day", "1 % of the spaces"):
        assert said in text
    assert not state.exists()


def test_its_yaml_is_the_product_and_reads_back(state: Path, tmp_path: Path, capsys: Output) -> None:
    """To a file, changed by hand, and told again; a fault is named with its line, and nothing is journaled."""
    assert run(["rollout", "plan", "--yaml"]) == 0
    text = capsys.readouterr().out
    assert plan_in("x", text) == plan_named("dual-memory")
    path = tmp_path / "mine.yml"
    path.write_text(text.replace("shares: [0.01]", "shares: [0.02]"))
    assert document(capsys, "rollout", "plan", "--plan", str(path))["data"]["stages"][2]["share"] == 0.02
    path.write_text(text.replace("shares: [0.01]", "shares: [1.01]"))
    line = text[: text.index("shares: [0.01]")].count("\n") + 1
    for words in (("plan",), ("start", "--yes", "--target", "none")):
        error = complaint(capsys, "rollout", *words, "--plan", str(path), expect=12)
        assert error["message"] == f"{path}: line {line}: phases[2].shares[0]: 1.01 is too large: at most 1"
    assert complaint(capsys, "rollout", "plan", "--plan", "nonsense", expect=2)["hint"] == "known: dual-memory"
    assert not state.exists()


def test_the_fleets_spaces_are_counted_into_the_arms(target: Path, capsys: Output) -> None:
    """A real node is asked; few are said to be few."""
    told = document(capsys, "rollout", "plan")["data"]
    assert told["fleet"]
    judged = [stage for stage in told["stages"] if stage["few"] is not None]
    assert all(stage["few"] for stage in judged)


def test_where_there_is_no_rollout_nothing_can_be_said_to_it(target: Path, capsys: Output) -> None:
    """Status cannot tell (4); the others are refused (13)."""
    assert document(capsys, "rollout", "status", expect=4)["data"] == {"rollout": None}
    for words in (
        ("approve", "--plan", "--yes"),
        ("note", "--complaints", "1"),
        ("hold", "--reason", "x"),
        ("resume",),
    ):
        assert "there never was one" in complaint(capsys, "rollout", *words, expect=13)["message"]
    assert complaint(capsys, "rollout", "report", expect=13)
    assert complaint(capsys, "rollout", "report", "--rollout", "gone", expect=2)


def test_status_tells_each_gate_in_numbers(target: Path, tell: Tell, capsys: Output) -> None:
    """How long of how long; a node that is not set as the stage wants is named; nothing is journaled."""
    del tell
    told = document(capsys, "rollout", "status")["data"]
    gates = {gate["name"]: gate for gate in told["gates"]}
    assert gates["time of the stage"]["arithmetic"].endswith("of 14 days")
    assert gates["approval of the plan"]["answer"] == "NO"
    assert gates["backup of prod-1"]["answer"] == "NO"
    assert gates["named spaces"]["arithmetic"] == "1 named: alpha"
    assert gates["criteria"]["answer"] == "UNKNOWN"
    assert "prod-1: dual_memory.treatment_salt is dual-memory, not pepper" in gates["nodes agree"]["arithmetic"]
    assert 0 < told["left_seconds"] <= timedelta(days=14).total_seconds()
    assert not told["watch"]["heard_of"]
    assert "nobody has watched it yet: runbook rollout watch --target" in told["watch"]["told"]
    assert run(["rollout", "status"]) == 0
    assert "Rollout 20261102T090000-aaaa: RUNNING, shadow" in capsys.readouterr().out


def test_only_a_second_person_approves_and_once(
    target: Path, tell: Tell, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Who started it is refused; bert's yes has the plan's digest; said twice it is journaled once."""
    del tell
    monkeypatch.setenv("SUDO_USER", "anna")
    for what in (["--plan"], ["--phase", "canary"], []):
        assert "anna started rollout" in complaint(capsys, "rollout", "approve", *what, "--yes", expect=13)["message"]
    monkeypatch.setenv("SUDO_USER", "bert")
    assert "nobody sees" in complaint(capsys, "rollout", "approve", "--plan", expect=13)["message"]
    assert document(capsys, "rollout", "approve", "--plan", "--yes", "--reason", "fine")["data"]["fresh"]
    assert not document(capsys, "rollout", "approve", "--plan", "--yes")["data"]["fresh"]
    assert "canary" in document(capsys, "rollout", "approve", "--yes")["data"]["said"]
    assert "gradual" in document(capsys, "rollout", "approve", "--yes")["data"]["said"]
    assert complaint(capsys, "rollout", "approve", "--yes", expect=2)["message"].startswith("no phase ahead")
    assert complaint(capsys, "rollout", "approve", "--phase", "none", expect=2)["hint"].startswith("one of: shadow")
    found = list(FileJournal(state, SystemClock(), "x", "y").entries())
    (plan, canary, gradual) = [entry for entry in found if entry.event is Event.ROLLOUT_APPROVED]
    assert {entry.details["digest"] for entry in (plan, canary, gradual)} == {digest_of(PLAN)}
    assert (plan.who, plan.details["phase"], canary.details["phase"]) == ("bert", None, "canary")


def test_between_two_stages_nothing_of_the_one_before_is_told_of_the_one_to_come(
    target: Path, tell: Tell, capsys: Output
) -> None:
    """Neither how long it has lasted, nor that the nodes are set otherwise: only where it stands, and what to do."""
    tell(Event.ROLLOUT_ENTERING, record.entering(PLAN.stages[1], "run-2"))
    told = document(capsys, "rollout", "status")["data"]
    assert [gate["name"] for gate in told["gates"]] == ["standing"]
    assert (told["stage_seconds"], told["left_seconds"]) == (None, 0)
    assert run(["rollout", "status"]) == 0
    assert "lasted" not in capsys.readouterr().out


@pytest.mark.usefixtures("bert")
def test_complaints_holds_and_releases_are_seen_in_the_status(target: Path, tell: Tell, capsys: Output) -> None:
    """Held, let go; what is said is in the gates; a note of nothing is refused."""
    enter(tell, PLAN.stages[1])
    assert complaint(capsys, "rollout", "note", expect=2)
    assert "4 on" in document(capsys, "rollout", "note", "--complaints", "4", "--text", "slow")["data"]["said"]
    assert "watch takes it back" in document(capsys, "rollout", "note", "--complaints", "6")["data"]["said"]
    assert ": 1 complaint (" in document(capsys, "rollout", "note", "--complaints", "1")["data"]["said"]
    assert document(capsys, "rollout", "note", "--complaints", "4")
    assert document(capsys, "rollout", "hold", "--reason", "a storm")["data"]["rollout"]["standing"] == "held"
    assert not document(capsys, "rollout", "hold", "--reason", "again")["data"]["fresh"]
    gates = {gate["name"]: gate for gate in document(capsys, "rollout", "status")["data"]["gates"]}
    assert gates["standing"]["arithmetic"] == "it is held in internal: a storm"
    assert gates["complaints"]["answer"] == "NO"
    assert complaint(capsys, "rollout", "advance", "--yes", expect=13)
    assert document(capsys, "rollout", "resume", "--reason", "over")["data"]["rollout"]["standing"] == "running"
    assert "nothing is to be resumed" in complaint(capsys, "rollout", "resume", expect=13)["message"]
    tell(Event.ROLLOUT_ENTERING, record.entering(PLAN.stages[2], "run-3"))
    tell(Event.ROLLOUT_HELD, record.held(PLAN.stages[2], "a storm", "person"))
    assert complaint(capsys, "rollout", "resume", "--reason", "over", expect=13)["hint"] == "add --yes"


def test_a_splitter_is_not_set_unasked_where_a_rollout_is_let_go(
    tell: Tell, target: Path, state: Path, capsys: Output
) -> None:
    """What it splits by is another share than the stage's: it is named, and without `--yes` nothing is touched."""
    enter(tell, PLAN.stages[1])
    tell(Event.ROLLOUT_HELD, record.held(PLAN.stages[1], "split-1 was replaced", "person"))
    place, before = target / "prod.yml", events(state)
    found = json.loads(place.read_text())
    split = {f"dual_memory.treatment_{name}": value for name, value in (("rate", 1), ("salt", "new"), ("spaces", []))}
    with Peer(lambda _: http(split)) as peer:
        found["all"]["hosts"]["split-1"] = {"engram_splitter_url": peer.url}
        place.write_text(json.dumps(found))
        refused = complaint(capsys, "rollout", "resume", "--reason", "it is there again", expect=13)
    assert (refused["hint"], events(state)) == ("add --yes", before)


def test_the_learnings_are_a_page_at_any_time(
    target: Path, tell: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Printed, written, as JSON; people's words cannot break the table."""
    tell(Event.ROLLOUT_NOTED, record.noted(PLAN.stages[0], 1, "a | b\n# c <script>"))
    tell(Event.ROLLOUT_JUDGED, {"stage": 0, "name": "shadow", "look": 1, "verdict": "safe", "why": "all safe"})
    tell(Event.ROLLOUT_REVERTING, {"why": "harm", "by": "judge", "ends_as": "rolled back"})
    tell(Event.EVIDENCE_WRITTEN, {"folder": "/evidence/one", "digest": "d"})
    tell(Event.ROLLOUT_ENDED, record.ended(PLAN.stages[0], Standing.ROLLED_BACK, "harm"))
    page = tmp_path / "page.md"
    told = document(capsys, "rollout", "report", "-o", str(page))["data"]
    text = page.read_text()
    assert told["markdown"] == text
    assert "| anna | " in text
    assert "a \\| b # c &lt;script>" in text
    assert "| shadow | 0 % | " in text
    assert "safe (judge, look 1)" in text
    assert "rolled back, shadow: harm" in text
    assert "runbook evidence verify /evidence/one" in text
    assert document(capsys, "rollout", "status", expect=3)["data"]["gates"] == []
    assert run(["rollout", "report"]) == 0
    assert capsys.readouterr().out == text


def test_a_damaged_journal_is_damage_to_each(target: Path, tell: Tell, state: Path, capsys: Output) -> None:
    """12, and the line is named; nothing is guessed."""
    del tell
    path = next(state.rglob("journal.jsonl"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0].replace(b"anna", b"eve "), *lines[1:]]))
    for words in (("status",), ("note", "--complaints", "0"), ("report",), ("hold", "--reason", "x")):
        assert complaint(capsys, "rollout", *words, expect=12)


def test_plans_and_phases_are_completed(
    target: Path, tell: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plans by name, YAML files, and the phases of the plan that runs."""
    del tell
    (tmp_path / "mine.yml").write_text("x")
    monkeypatch.chdir(tmp_path)

    def offered(words: list[str], begin: str) -> list[str]:
        complete = ShellComplete(cli, {}, "runbook", "_RUNBOOK_COMPLETE")
        return [item.value for item in complete.get_completions(words, begin)]

    assert offered(["rollout", "plan", "--plan"], "") == ["dual-memory", "mine.yml"]
    assert offered(["rollout", "approve", "--phase"], "g") == ["gradual"]
    assert offered(["rollout"], "st") == ["start", "status"]


def test_a_baseline_records_what_the_plan_compares_with(target: Path, tmp_path: Path, capsys: Output) -> None:
    """A quantity that no issue and no built-in plan asks for, by the plan's file; a fault in it is named."""
    when = "{settles: 1.5, of: {metric: engram_episodes, how: last, unit: episodes}}"
    plan = (
        "version: 1\nname: mine\ntitle: Mine\nphases:\n  - name: one\n    title: One\n    flags: {}\n"
        f"    criteria: [{{title: few, when: {when}}}]\n"
    )
    path = tmp_path / "mine.yml"
    path.write_text(plan)
    words = ("baseline", "capture", "--window", "1s", "--no-golden", "--plan", str(path))
    recorded = document(capsys, *words)["data"]["nodes"]["prod-1"]["quantities"]
    assert "last(engram_episodes)" in recorded
    path.write_text(plan.replace("engram_episodes", "engram_episode"))
    assert "no node exports engram_episode" in complaint(capsys, *words, expect=12)["message"]


@pytest.mark.usefixtures("target")
def test_no_baseline_is_captured_of_a_fleet_that_is_being_changed(state: Path, tell: Tell, capsys: Output) -> None:
    """A harm would become what is usual, and open the gates; who has to may force it, and the journal keeps that."""
    words = ("baseline", "capture", "--window", "1s", "--no-golden")
    refused = complaint(capsys, *words, expect=13)
    assert f"rollout {ROLLOUT} is in shadow" in refused["message"]
    document(capsys, *words, "--force")
    tell(Event.ROLLOUT_ENDED, {"standing": Standing.ABORTED.value, "why": "done"})
    document(capsys, *words)
    captured = [
        each for each in FileJournal(state, SystemClock(), "x", "y").entries() if each.event is Event.BASELINE_CAPTURED
    ]
    assert [each.details.get("rollout") for each in captured] == [ROLLOUT, None]


def test_a_plan_that_the_journal_would_mask_is_not_started(
    target: Path, state: Path, tmp_path: Path, capsys: Output
) -> None:
    """A plan with a token in a title would not be the one that was approved."""
    path = tmp_path / "mine.yml"
    path.write_text(
        "version: 1\nname: mine\ntitle: 'Authorization: Bearer abcdefghijklmnop'\n"
        "phases: [{name: one, title: One, flags: {}}]\n"
    )
    error = complaint(capsys, "rollout", "start", "--plan", str(path), "--yes", "--reason", "x", expect=13)
    assert "looks like a secret" in error["message"]
    assert not state.exists() or events(state) == []


def test_a_splitter_that_left_the_inventory_is_let_go_of_by_name_only(
    tell: Tell, target: Path, state: Path, capsys: Output
) -> None:
    """Whoever resumes for another reason does not agree to an inventory that lost it by mistake."""
    assert target
    stage = PLAN.stages[1]
    tell(Event.ROLLOUT_ENTERING, record.entering(stage, "run-2") | {"splitters": ["split-1", "split-2"]})
    tell(Event.ROLLOUT_ENTERED, record.entered(stage, "run-2"))
    tell(Event.ROLLOUT_HELD, record.held(stage, "a look at the disks", "person"))
    before = events(state)
    refused = complaint(capsys, "rollout", "resume", "--reason", "disks are fine", "--without", "split-2", expect=13)
    assert "split-1 split the traffic" in refused["message"]
    assert refused["hint"].endswith("runbook rollout resume --without split-1")
    complaint(capsys, "rollout", "resume", "--reason", "x", "--without", "split-3", expect=2)
    assert events(state) == before
    words = ("--without", "split-1", "--without", "split-2")
    assert document(capsys, "rollout", "resume", "--reason", "both are off", *words)
    assert events(state)[len(before) :] == ["rollout.released"]
