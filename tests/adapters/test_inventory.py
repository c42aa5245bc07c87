"""Inventories: what is read of them, that it is what Ansible reads, and what is refused."""

from datetime import timedelta
from pathlib import Path

import pytest
from running_node import wait_until

from runbook.adapters.inventory import by_ansible, read_inventory
from runbook.adapters.inventory.groups import host_variables
from runbook.adapters.inventory.ranges import expand
from runbook.adapters.inventory.yaml_document import read_document
from runbook.errors import DamagedError, NotSupportedError
from runbook.model.configuration import TargetSettings
from runbook.model.rails import Rails
from runbook.model.target import Way

HERE = Path("inventory.yml")
NODE = "all: {hosts: {a: {engram_url: 'http://a:1'}"

INTRICATE = """
all:
  vars: {engram_way: http, level: all, only_all: 1}
  hosts:
    loner: {engram_url: "http://loner:1"}
  children:
    zone:
      vars: {level: zone, tie: zone}
      children:
        rack_b: {vars: {level: rack_b, tie: rack_b}, hosts: {"node[1:3]": {engram_url: "http://x:1"}}}
        rack_a: {vars: {level: rack_a, tie: rack_a}, hosts: {"node[1:2]": }}
    loud:
      vars: {ansible_group_priority: 10, level: loud}
      hosts:
        node2:
        "db[a:c]-[08:10:2].lan": {engram_url: "http://db:1", level: host}
    empty:
other:
  vars: {level: other}
  hosts:
    node3: {engram_way: cli}
    "odd.example:2222": {engram_url: "http://odd:1"}
  children:
    rack_a:
"""


def settings(path: Path, token_file: Path | None = None) -> TargetSettings:
    """A target with that inventory."""
    warm_up = timedelta(seconds=7)
    return TargetSettings("prod", "production", path, "http://p:9090", token_file, True, Rails(3), warm_up)  # noqa: FBT003  # allow_plain_http


def write(folder: Path, text: str, name: str = "inventory.yml") -> Path:
    """An inventory in that folder."""
    path = folder / name
    path.write_text(text)
    return path


def test_hosts_with_a_url_are_the_nodes(tmp_path: Path) -> None:
    """Sorted by name, with their way in and their token; other hosts are left out."""
    path = write(
        tmp_path,
        """
all:
  hosts:
    b: {engram_url: "http://b:7432/", engram_way: cli}
    a: {engram_url: "https://a/base", engram_token_file: tokens/a}
    bastion: {}
""",
    )
    target = read_inventory(settings(path, Path("/etc/token")))
    assert (target.name, target.environment, target.inventory) == ("prod", "production", path)
    assert (target.prometheus, target.allow_plain_http) == ("http://p:9090", True)
    assert (target.rails, target.warm_up) == (Rails(3), timedelta(seconds=7))
    first, second = target.nodes
    assert (first.name, first.url, first.way, first.token_file) == (
        "a",
        "https://a/base",
        Way.HTTP,
        tmp_path / "tokens/a",
    )
    assert (second.name, second.url, second.way, second.token_file) == (
        "b",
        "http://b:7432",
        Way.CLI,
        Path("/etc/token"),
    )


def test_variables_combine_as_ansible_combines_them(tmp_path: Path) -> None:
    """The oracle is ansible-inventory itself: depth, priority, name, ranges, ports, a group in two places."""
    path = write(tmp_path, INTRICATE)
    document = read_document(path)
    assert document is not None
    ours, theirs = host_variables(path, document), by_ansible.ask_ansible(path)
    of_ssh = {"ansible_port", "ansible_group_priority"}
    assert {host: _without(values, of_ssh) for host, values in ours.items()} == {
        host: _without(values, of_ssh) for host, values in theirs.items()
    }
    assert len(ours) == 11


def _without(values: object, names: set[str]) -> dict[str, object]:
    assert isinstance(values, dict)
    return {key: value for key, value in values.items() if key not in names}


def test_hosts_with_a_splitter_url_are_no_nodes(tmp_path: Path) -> None:
    """They stand apart, sorted, without a token of the target, whatever way their group gives to nodes."""
    path = write(
        tmp_path,
        """
all:
  vars: {engram_way: cli}
  hosts:
    node: {engram_url: "http://n:1"}
    split2: {engram_splitter_url: "http://b:8081/", engram_token_file: tokens/b}
    split1: {engram_splitter_url: "http://a:8081"}
""",
    )
    target = read_inventory(settings(path, Path("/etc/token")))
    assert [node.name for node in target.nodes] == ["node"]
    found = [(each.name, each.url, each.way, each.token_file) for each in target.splitters]
    assert found == [
        ("split1", "http://a:8081", Way.NGINX, None),
        ("split2", "http://b:8081", Way.NGINX, None),
    ]
    assert [each.name for each in target.hosts] == ["node", "split1", "split2"]
    assert target.node("split1") is None
    assert target.host("split1") is target.splitters[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hosts.ini", "[engram]\na engram_url=http://a:1 engram_way=cli\nb engram_url=http://b:1\n"),
        ("hosts", "[engram]\na engram_url=http://a:1 engram_way=cli\nb engram_url=http://b:1\n"),
    ],
)
def test_an_ini_file_goes_through_ansible(tmp_path: Path, name: str, text: str) -> None:
    """The same target, half a second later."""
    nodes = read_inventory(settings(write(tmp_path, text, name))).nodes
    assert [(node.name, node.url, node.way) for node in nodes] == [
        ("a", "http://a:1", Way.CLI),
        ("b", "http://b:1", Way.HTTP),
    ]


def test_a_script_a_folder_and_variables_beside_go_through_ansible(tmp_path: Path) -> None:
    """All three in one: a folder with a script and with group_vars, whatever LC_ALL and HOME say."""
    script = write(tmp_path, '#!/bin/sh\necho \'{"engram": {"hosts": ["a"]}, "_meta": {"hostvars": {}}}\'\n', "list.sh")
    script.chmod(0o755)
    (tmp_path / "group_vars").mkdir()
    write(tmp_path / "group_vars", "engram_url: http://a:1\nengram_token_file: t\n", "engram.yml")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LC_ALL", "C")
        environment.setenv("HOME", "/nonexistent")
        (node,) = read_inventory(settings(tmp_path)).nodes
    assert (node.url, node.token_file) == ("http://a:1", tmp_path / "t")


def test_without_ansible_a_yaml_inventory_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And another kind says what is missing (exit code 17)."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(by_ansible.sys, "executable", str(tmp_path / "python"))
    path = write(tmp_path, "all: {hosts: {a: {engram_url: 'http://a:1'}}}")
    assert len(read_inventory(settings(path)).nodes) == 1
    with pytest.raises(NotSupportedError) as caught:
        read_inventory(settings(write(tmp_path, "a engram_url=http://a:1", "hosts.ini")))
    assert "ansible-core" in caught.value.hint


@pytest.mark.parametrize("body", ["exit 3", "echo nonsense", "echo '{}'", 'echo \'{"_meta": {"hostvars": {"a": 1}}}\''])
def test_a_broken_ansible_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Whatever stands in its place, the error is one of ours and carries its last words."""
    program = write(tmp_path, f"#!/bin/sh\necho last words >&2\n{body}\n", "ansible-inventory")
    program.chmod(0o755)
    monkeypatch.setattr(by_ansible.sys, "executable", str(tmp_path / "python"))
    with pytest.raises((NotSupportedError, DamagedError)) as caught:
        read_inventory(settings(write(tmp_path, "", "hosts.ini")))
    assert caught.value.hint == "last words"


def ended(pid: int) -> bool:
    """Is the process gone, or dead and only not yet reaped?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_an_inventory_script_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole process group goes."""
    program = write(tmp_path, f"#!/bin/sh\nsleep 1000 & echo $! > {tmp_path}/pid\nwait\n", "ansible-inventory")
    program.chmod(0o755)
    monkeypatch.setattr(by_ansible.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(by_ansible, "_PATIENCE_SECONDS", 0.5)
    with pytest.raises(DamagedError, match="did not end"):
        read_inventory(settings(write(tmp_path, "", "hosts.ini")))
    pid = (tmp_path / "pid").read_text().strip()
    # It was killed, but on a busy machine it is not gone at once.
    wait_until(lambda: ended(int(pid)), "the script's child lives on")


ALIASES = "\n".join(
    ["a0: &a0 {hosts: {x: }}"]
    + [f"a{n}: &a{n} {{children: {{" + ", ".join(f"g{n}{m}: *a{n - 1}" for m in range(9)) + "}}" for n in range(1, 10)]
)
MERGES = "\n".join(
    ["a0: &a0 {hosts: {x: }}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 10)]
)
FAULTS = [
    ("all: [", "line 2, column 1"),
    ("all: " + "[" * 100_000, "nest"),  # libyaml says it itself since PyYAML 6.0.4
    (ALIASES, "aliases stand for too many"),
    (MERGES, "aliases stand for too many"),
    ("all: &a {children: {b: *a}}", "aliases stand for too many"),
    ("[]", "no mapping of groups"),
    ("", "no mapping of groups"),
    ("all: 3", "all must be a mapping"),
    ("all: {hosts: [a]}", "all.hosts must be a mapping"),
    ("all: {hosts: {1: }}", "must be a text"),
    ("1: {hosts: {a: }}", "must be a text"),
    ("all: {hosts: {a: 5}}", "all.hosts.a must be a mapping"),
    ("all: {hosts: {a: {}}}", "no host has engram_url (1 hosts read)"),
    ("all: {hosts: {'a[1:': {engram_url: 'http://a:1'}}}", "does not read"),
    ("all: {hosts: {'a[1:9][1:999999]': {engram_url: 'http://a:1'}}}", "stands for"),
    ("a: {children: {b: {}}}\nb: {children: {a: {}}}", "contain each other"),
    ("all: {hosts: {a: {engram_url: 7432}}}", "a: engram_url must be a text"),
    ("all: {hosts: {a: {engram_url: 'a:7432'}}}", "no http or https URL"),
    ("all: {hosts: {a: {engram_url: 'http://a:99999'}}}", "no URL"),
    ("all: {hosts: {a: {engram_url: 'http://a/?x'}}}", "more than"),
    ("all: {hosts: {a: {engram_url: 'http://{{ inventory_hostname }}:1'}}}", "template"),
    ("all: {hosts: {a: {engram_url: 'http://a:1', engram_way: ssh}}}", "engram_way 'ssh'"),
    ("all: {hosts: {'a*': {engram_url: 'http://a:1'}}}", "cannot be the name"),
    ("all: {hosts: {a: {engram_url: 'http://a:1'}, b: {engram_url: 'http://a:1/'}}}", "a and b have the same"),
    ("all: {hosts: {s: {engram_splitter_url: 'http://s:1'}}}", "no host has engram_url (1 hosts read)"),
    (f"{NODE}, s: {{engram_splitter_url: 's:1'}}}}}}", "s: engram_splitter_url 's:1' is no http or https URL"),
    (f"{NODE}, s: {{engram_splitter_url: 80}}}}}}", "s: engram_splitter_url must be a text"),
    (f"{NODE}, 's*': {{engram_splitter_url: 'http://s:1'}}}}}}", "cannot be the name of a splitter"),
    (f"{NODE}, s: {{engram_url: 'http://s:2', engram_splitter_url: 'http://s:1'}}}}}}", "it is a node or a splitter"),
    (f"{NODE}, s: {{engram_splitter_url: 'http://a:1'}}}}}}", "the node a and the splitter s have the same URL"),
    (
        f"{NODE}, s: {{engram_splitter_url: 'http://s:1'}}, t: {{engram_splitter_url: 'http://s:1/'}}}}}}",
        "s and t have the same engram_splitter_url",
    ),
    ("all: {hosts: {a: {when: 2024-13-45}}}", "month must be"),
    ("#" * (5 << 20), "larger than 4 MiB"),
]


@pytest.mark.parametrize(("text", "what"), FAULTS, ids=[fault[1] for fault in FAULTS])
def test_what_cannot_be_an_inventory_is_refused_and_named(tmp_path: Path, text: str, what: str) -> None:
    """Exit code 12 with the file and the place, whatever was in it."""
    path = write(tmp_path, text)
    with pytest.raises(DamagedError) as caught:
        read_inventory(settings(path))
    assert str(path) in caught.value.message
    assert what in caught.value.message
    assert caught.value.hint


def test_a_missing_inventory_is_named(tmp_path: Path) -> None:
    """With the target that names it."""
    with pytest.raises(DamagedError) as caught:
        read_inventory(settings(tmp_path / "none.yml"))
    assert "target prod" in caught.value.hint


def test_a_password_in_a_url_is_not_repeated(tmp_path: Path) -> None:
    """Errors end up in logs."""
    with pytest.raises(DamagedError) as caught:
        read_inventory(settings(write(tmp_path, "all: {hosts: {a: {engram_url: 'http://u:hunter2@a:1'}}}")))
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("plain", ["plain"]),
        ("n[1:3]", ["n1", "n2", "n3"]),
        ("n[08:10]", ["n08", "n09", "n10"]),
        ("n[:1]x", ["n0x", "n1x"]),
        ("n[1:5:2].lan", ["n1.lan", "n3.lan", "n5.lan"]),
        ("[a:b][1:2]", ["a1", "a2", "b1", "b2"]),
        ("n[1:2]:22", ["n1", "n2"]),
    ],
)
def test_ranges_are_written_out(pattern: str, hosts: list[str]) -> None:
    """As Ansible's documentation has them."""
    assert expand(HERE, pattern) == hosts


@pytest.mark.parametrize("pattern", ["n[1]", "n[3:1]", "n[1:a]", "n[01:100]", "n[1:3:0]", "n[1:2", "n1:2]", "n[b:a]"])
def test_ranges_that_do_not_read_are_refused(pattern: str) -> None:
    """An empty range too: it is a mistake, not a wish for no hosts."""
    with pytest.raises(DamagedError):
        expand(HERE, pattern)
