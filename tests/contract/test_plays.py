"""What every adapter of the port `Plays` keeps to: the real one on real nodes, and its twin in memory."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest
from ansible_fleet import running_fleet

from runbook.adapters.ansible import AnsiblePlays
from runbook.adapters.memory.plays import MemoryPlays
from runbook.errors import NotSupportedError, UsageError
from runbook.model.play import Collected, CollectRequest, HostState, PlayRequest, PlayResult, TogetherRequest
from runbook.model.settings import Value, defaults
from runbook.ports import Plays

KEY = "dual_memory.concept_sample_rate"
HOSTS = ("node-1", "node-2", "node-3", "node-4")
DEAD = "node-5"
MARK = f"contract-{uuid.uuid4()}"
SAID: list[str] = []


@dataclass(frozen=True)
class World:
    """A fleet of which the last host is dead, as one adapter sees it."""

    plays: Plays
    value: Callable[[str, str], Value]
    put: Callable[[str, Value], None]
    ignoring: Callable[[str], AbstractContextManager[None]]

    def run(self, playbook: str, values: dict[str, Value], key: str = KEY, **more: object) -> PlayResult:
        SAID.clear()
        request = PlayRequest(playbook, tuple(values), key, values, MARK, **more)  # type: ignore[arg-type] # one type
        return self.plays.run(request, SAID.append)

    def collect(self, playbook: str, *hosts: str) -> tuple[Collected, ...]:
        SAID.clear()
        return self.plays.collect(CollectRequest(playbook, hosts, MARK), SAID.append)


def in_memory() -> World:
    """Dictionaries."""
    nodes = {host: defaults() for host in (*HOSTS, DEAD)}
    heap = {"components": {"concepts": 1}, "resident_bytes": 1, "collections": {}, "spaces": {}}
    plays = MemoryPlays(nodes, unreachable={DEAD}, documents={("collect_heap", host): heap for host in HOSTS})

    def put(key: str, value: Value) -> None:
        for host in HOSTS:
            nodes[host][key] = value

    @contextmanager
    def ignoring(host: str) -> Iterator[None]:
        plays.ignoring.add(host)
        yield
        plays.ignoring.remove(host)

    return World(plays, lambda host, key: nodes[host][key], put, ignoring)


@pytest.fixture(scope="module", params=["memory", "ansible"])
def shared_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One fleet for all tests of a process."""
    if request.param == "memory":
        yield in_memory()
        return
    with running_fleet(tmp_path_factory.mktemp("fleet"), (*HOSTS, DEAD), dead={DEAD}) as fleet:
        ignoring = lambda host: fleet.fault(host, "ignore-config")  # noqa: E731 - one line, used once
        yield World(AnsiblePlays(fleet.inventory), fleet.value, fleet.put, ignoring)


@pytest.fixture
def world(shared_world: World) -> World:
    """The fleet, with the value that it began with."""
    shared_world.put(KEY, 0.1)
    return shared_world


def states(result: PlayResult) -> list[HostState]:
    """What came of each host."""
    return [host.state for host in result.hosts]


def test_a_setting_is_changed_and_read_back_and_the_second_time_it_is_not(world: World) -> None:
    """Old and new values are those of the nodes; every host is told about once known; every process has ended.

    Given again, as a step that is resumed, what has the new value already is no conflict.
    """
    result = world.run("set_config", dict.fromkeys(HOSTS, 0.05))
    assert [(host.host, host.state, host.old, host.read_back) for host in result.hosts] == [
        (host, HostState.CHANGED, 0.1, 0.05) for host in HOSTS
    ]
    assert [world.value(host, KEY) for host in HOSTS] == [0.05] * 4
    assert sorted(line.split(":")[0] for line in SAID) == list(HOSTS)
    assert result.seconds >= 0
    assert world.plays.stop_orphans(MARK) == 0, "a process of it was left"
    again = world.run("set_config", dict.fromkeys(HOSTS, 0.05), expected=dict.fromkeys(HOSTS, 0.1))
    assert states(again) == [HostState.UNCHANGED] * 4
    assert again.done


def test_each_host_gets_its_own_value_and_nobody_else_gets_any(world: World) -> None:
    """Hosts that were not asked for are left alone."""
    result = world.run("restore_config", {"node-2": 0.2, "node-1": 0.3})
    assert [host.host for host in result.hosts] == ["node-2", "node-1"]
    assert [world.value(host, KEY) for host in HOSTS] == [0.3, 0.2, 0.1, 0.1]


@pytest.mark.parametrize(
    ("playbook", "key", "value", "default"),
    [
        ("set_features", "dual_memory.enable_concepts", False, True),
        ("set_config", "dual_memory.min_cluster_size", 5, 3),
        ("set_config", "dual_memory.treatment_salt", "{{ 1 + 1 }} $HOME ; 'ä' 5", "dual-memory"),
        ("set_config", "dual_memory.treatment_spaces", ("a", "b,c"), ()),
    ],
)
def test_values_of_every_type_arrive_as_they_are(
    world: World, playbook: str, key: str, value: Value, default: Value
) -> None:
    """No shell, no template and no rounding is between the request and the node."""
    result = world.run(playbook, {"node-1": value}, key)
    assert (result.of("node-1").old, result.of("node-1").read_back) == (default, value), result
    back = world.run(playbook.replace("set_", "restore_"), {"node-1": default}, key, expected={"node-1": value})
    assert back.of("node-1").read_back == default
    assert type(back.of("node-1").old) is type(value)


def test_compare_and_set_leaves_alone_what_someone_else_changed(world: World) -> None:
    """Only the host in question fails; the others go back, and what has the new value already is no conflict."""
    world.run("restore_config", {"node-2": 0.9, "node-3": 0.3})
    values, expected = dict.fromkeys(HOSTS[:3], 0.3), dict.fromkeys(HOSTS[:3], 0.1)
    result = world.run("restore_config", values, expected=expected)
    assert states(result) == [HostState.CHANGED, HostState.FAILED, HostState.UNCHANGED]
    assert result.of("node-2").old == 0.9
    assert [world.value(host, KEY) for host in HOSTS] == [0.3, 0.9, 0.3, 0.1]


def test_a_failed_wave_is_the_last_one(world: World) -> None:
    """The first host fails, the others are not touched, and are said not to have been reached."""
    with world.ignoring("node-1"):
        result = world.run("set_config", dict.fromkeys(HOSTS, 0.05))
    assert states(result) == [HostState.FAILED, *[HostState.NOT_REACHED] * 3]
    assert not result.done
    assert (result.of("node-1").old, result.of("node-1").read_back) == (0.1, 0.1)
    assert "0.1 is read back" in result.of("node-1").message
    assert [world.value(host, KEY) for host in HOSTS] == [0.1] * 4


def test_a_dead_node_is_unreachable_and_no_other_word(world: World) -> None:
    """Those before it are done; nobody is behind it."""
    result = world.run("set_config", dict.fromkeys((*HOSTS, DEAD), 0.05))
    assert states(result) == [*[HostState.CHANGED] * 4, HostState.UNREACHABLE]
    assert result.of(DEAD).old is None


def test_a_dead_node_does_not_keep_the_others_from_being_restored(world: World) -> None:
    """An undo goes as far as it can."""
    result = world.run("restore_config", dict.fromkeys((DEAD, *HOSTS), 0.2))
    assert states(result) == [HostState.UNREACHABLE, *[HostState.CHANGED] * 4]


def test_several_settings_go_back_by_one_play_and_a_dead_node_keeps_nobody_from_it(world: World) -> None:
    """Each setting has its own values, old and new; a host that is named in one of them keeps the others."""
    salt, rate, names = (f"dual_memory.treatment_{part}" for part in ("salt", "rate", "spaces"))
    world.put(names, ("a", "b,c"))
    values: dict[str, dict[str, Value]] = {
        rate: dict.fromkeys((DEAD, *HOSTS), 0.0),
        names: dict.fromkeys((*HOSTS[:2], DEAD), ()),
    }
    SAID.clear()
    found = world.plays.run_together(TogetherRequest("restore_config", values, MARK), SAID.append)
    assert {key: [host.host for host in hosts] for key, hosts in found.items()} == {
        key: list(by_host) for key, by_host in values.items()
    }
    assert {(host.state, host.old, host.read_back) for host in found[rate][1:]} == {(HostState.CHANGED, 1.0, 0.0)}
    told = [(host.state, host.old, host.read_back) for host in found[names]]
    assert told == [*[(HostState.CHANGED, ("a", "b,c"), ())] * 2, (HostState.UNREACHABLE, None, None)]
    assert found[rate][0].state is HostState.UNREACHABLE
    assert [len(list(world.value(host, names))) for host in HOSTS] == [0, 0, 2, 2]  # type: ignore[arg-type] # a list
    assert {world.value(host, salt) for host in HOSTS} == {"dual-memory"}
    world.put(names, ())
    world.put(rate, 1.0)


def test_a_value_out_of_range_is_the_node_s_no(world: World) -> None:
    """Its message comes through, and nothing has changed."""
    result = world.run("set_config", {"node-1": 7.0})
    assert states(result) == [HostState.FAILED]
    assert "out of range" in result.of("node-1").message
    assert world.value("node-1", KEY) == 0.1


def test_a_setting_that_the_node_does_not_have_is_said_so(world: World) -> None:
    """Not guessed."""
    assert "not supported by this node" in world.run("set_config", {"node-1": 1}, "no.such").of("node-1").message


def test_an_unknown_host_stops_everything_before_it_begins(world: World) -> None:
    """The other hosts of the request are not touched."""
    with pytest.raises(UsageError, match="nobody"):
        world.run("set_config", {"node-1": 0.05, "nobody": 0.05})
    assert world.value("node-1", KEY) == 0.1


def test_a_host_without_a_value_stops_everything_before_it_begins(world: World) -> None:
    """Neither the new value nor the expected one may be missing."""
    with pytest.raises(UsageError, match="node-1"):
        world.run("set_config", {"node-1": 0.05}, expected={})


def test_an_unknown_playbook_is_not_supported(world: World) -> None:
    """And says where it was looked for."""
    with pytest.raises(NotSupportedError, match=r"no_such\.yml"):
        world.run("no_such", {"node-1": 0.05})


def test_no_host_is_nothing_to_do(world: World) -> None:
    """An empty result, which is done."""
    assert world.run("set_config", {}).done


def test_what_is_collected_comes_host_by_host_and_a_dead_one_hides_nobody(world: World) -> None:
    """In the order of the request, each host with its own document or the reason why there is none; nothing changes."""
    before = [world.value(host, KEY) for host in HOSTS]
    found = world.collect("collect_heap", "node-2", DEAD, "node-1")
    assert [one.host for one in found] == ["node-2", DEAD, "node-1"]
    assert [one.document is not None for one in found] == [True, False, True], found
    assert found[0].document is not None
    assert {"components", "resident_bytes"} <= found[0].document.keys()
    assert [world.value(host, KEY) for host in HOSTS] == before
    assert "no connection" in found[1].message
    assert sorted(line.split(":")[0] for line in SAID) == ["node-1", "node-2", DEAD]
    assert world.plays.stop_orphans(MARK) == 0


def test_what_a_host_cannot_tell_is_said_so(world: World) -> None:
    """None, with a reason: nobody takes it for an empty document."""
    (found,) = world.collect("read_memory", "node-1")
    assert found.document is None
    assert found.message


def test_collecting_from_an_unknown_host_or_by_an_unknown_playbook_is_refused(world: World) -> None:
    """Nobody waits for a host that there is none of."""
    with pytest.raises(UsageError, match="not in the inventory: nobody"):
        world.collect("collect_heap", "node-1", "nobody")
    with pytest.raises(NotSupportedError, match=r"no_such\.yml"):
        world.collect("no_such", "node-1")
    assert world.collect("collect_heap") == ()
