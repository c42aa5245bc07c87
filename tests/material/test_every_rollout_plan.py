"""Every rollout plan: those that come with the tool, and files, good and bad; each is found by walking."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runbook.adapters.rollout_plans import plan_yaml, read_plan
from runbook.adapters.rollout_plans.reading import LIMIT_BYTES, plan_in
from runbook.cli.rollout.plans import chosen, known_plans, plan_named
from runbook.engine.rollout.plan.check import faults_of
from runbook.engine.rollout.plan.document import filled
from runbook.errors import DamagedError, NotSupportedError, StorageError, UsageError
from runbook.model.rollout import FreezeWindow, RolloutPlan

HERE = Path(__file__).parent / "plans"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
VALID = [*sorted((HERE / "valid").iterdir()), *sorted(EXAMPLES.glob("*.yml"))]
INVALID = sorted((HERE / "invalid").iterdir())
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
every_plan = pytest.mark.parametrize("name", known_plans())


def test_the_plan_of_the_seed_is_there() -> None:
    """The walk finds it."""
    assert "dual-memory" in known_plans()


@every_plan
def test_a_plan_is_called_as_its_file_and_nothing_is_wrong_with_it(name: str) -> None:
    """By the very rules that a file has to keep."""
    plan = plan_named(name)
    assert plan.name == name
    assert list(faults_of(plan)) == []


@every_plan
def test_a_plan_printed_as_yaml_reads_back_as_the_same_plan(name: str) -> None:
    """With and without a salt and named spaces."""
    plan = plan_named(name)
    for each in (plan, filled(plan, "pepper", ("alpha", "beta"))):
        assert plan_in("printed", plan_yaml(each)) == each


def test_the_numbers_of_the_seed_are_the_defaults() -> None:
    """Five phases, their weeks, shares, weight, hold, and the limit of 10 %."""
    plan = plan_named("dual-memory")
    shadow, internal, canary, gradual, optimisation = plan.phases
    assert [phase.name for phase in plan.phases] == ["shadow", "internal", "canary", "gradual", "optimisation"]
    assert [phase.minimum for phase in (shadow, internal, canary, optimisation)] == [2 * WEEK] * 4
    assert (gradual.hold, gradual.maximum, gradual.shares) == (2 * DAY, 4 * WEEK, (0.05, 0.25, 0.5, 1.0))
    assert (shadow.shares, internal.shares, canary.shares) == ((0.0,), (0.0,), (0.01,))
    assert internal.settings == {"dual_memory.semantic_weight": 0.10}
    assert (shadow.flags["dual_memory.enable_concepts"], shadow.flags["dual_memory.use_blended_recall"]) == (
        True,
        False,
    )
    assert internal.names_spaces
    assert not plan.stages[0].treats
    assert [stage.name for stage in plan.stages][3:7] == ["gradual-5%", "gradual-25%", "gradual-50%", "gradual-100%"]
    assert canary.judging is not None
    assert canary.judging.guardrails[0].margin == 0.10
    assert (canary.complaints, canary.complaints_roll_back) == (4, 6)


def test_engrams_automatic_triggers_are_in_every_phase() -> None:
    """p99 above 20 ms for 15 min, errors above 1 % for 10 min, killed for want of memory, memory above 90 %."""
    for phase in plan_named("dual-memory").phases:
        lasting = {each.title: each.lasting for each in phase.triggers}
        assert lasting["Recall is far too slow"] == timedelta(minutes=15)
        assert lasting["Recalls fail"] == timedelta(minutes=10)
        assert {"A node was killed for want of memory", "The node is nearly full"} <= lasting.keys()


def test_named_spaces_stay_treated_in_every_later_phase() -> None:
    """Nobody who was treated by name is taken out by going on; the salt of the plan wins over a new one."""
    plan = filled(plan_named("dual-memory"), "new", ("alpha",))
    assert [phase.spaces for phase in plan.phases] == [(), ("alpha",), ("alpha",), ("alpha",), ("alpha",)]
    assert filled(replace(plan, salt="own"), "new").salt == "own"


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_file_is_read_and_written_and_read_again(path: Path) -> None:
    """The same plan."""
    plan = read_plan(path)
    assert plan_in("again", plan_yaml(plan)) == plan


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_file_is_refused_with_its_line_and_its_place(path: Path) -> None:
    """What is to be said stands in the last line of each file."""
    said = path.read_text(encoding="utf-8").splitlines()[-1].removeprefix("# ")
    with pytest.raises(DamagedError) as raised:
        read_plan(path)
    assert raised.value.message.startswith(f"{path}: ")
    for part in said.split(": ", 1) if said.startswith("line ") else [said]:
        assert part in raised.value.message
    assert raised.value.hint


def test_a_plan_of_a_newer_version_is_not_supported() -> None:
    """Which is not damage."""
    with pytest.raises(NotSupportedError):
        plan_in("new", "version: 2\nphases: later\n")


def test_a_file_that_is_not_there_or_too_large_or_no_text(tmp_path: Path) -> None:
    """Usage; the disk's refusal; damage with its line."""
    with pytest.raises(UsageError, match="there is no file"):
        read_plan(tmp_path / "none.yml")
    (tmp_path / "large.yml").write_bytes(b"#" * (LIMIT_BYTES + 1))
    with pytest.raises(StorageError, match="larger than 262144 bytes"):
        read_plan(tmp_path / "large.yml")
    (tmp_path / "latin.yml").write_bytes(b"version: 1\ntitle: \xe9\n")
    with pytest.raises(DamagedError, match="line 2, byte 18: not UTF-8"):
        read_plan(tmp_path / "latin.yml")


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 200 + "1" + "}" * 200, "- 1\n" * 30_000])
def test_a_file_that_would_eat_the_machine_is_refused(text: str) -> None:
    """Nested too deeply, or too many values."""
    with pytest.raises(DamagedError):
        plan_in("bomb", text)


def test_a_name_that_is_neither_a_plan_nor_a_file_says_what_was_meant() -> None:
    """A misspelling is no file."""
    with pytest.raises(UsageError) as raised:
        chosen("dual-memori")
    assert raised.value.hint == "did you mean dual-memory? known: dual-memory"
    assert chosen("dual-memory") is plan_named("dual-memory")


EVERY_KEY = read_plan(HERE / "valid" / "every_key.yml")
_texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


@st.composite
def _plans(draw: st.DrawFn) -> RolloutPlan:
    plan = EVERY_KEY
    begin = draw(st.datetimes(max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - a bound has none
    windows = tuple(FreezeWindow(begin, begin + DAY, draw(_texts)) for _ in range(draw(st.integers(0, 1))))
    spaces = draw(st.lists(st.sampled_from(("no", "1", "2026-01-01", "a: b", "- x", "é")), max_size=3, unique=True))
    first = replace(plan.phases[0], title=draw(_texts), minimum=timedelta(seconds=draw(st.integers(0, 10**6))))
    plan = replace(plan, phases=(first, *plan.phases[1:]), freeze=windows, title=draw(_texts), salt="")
    return filled(plan, draw(_texts), spaces)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@example(plan=filled(replace(EVERY_KEY, salt="", title="a\x85b\u2028c\r\n d"), "\ufeff"))
@given(plan=_plans())
def test_whatever_texts_a_plan_holds_its_yaml_reads_back(plan: RolloutPlan) -> None:
    """Quotes, colons, line ends, anchors, dates, "no": they stay what they are."""
    assert plan_in("printed", plan_yaml(plan)) == plan
