"""Every value reaches Ansible as what it is, and as no template."""

import stat
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runbook.adapters.ansible import variables
from runbook.errors import UsageError
from runbook.model.play import PlayRequest
from runbook.model.settings import Value

VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.lists(st.text()).map(tuple),
)


class Unsafe(str):
    """A text that was marked as one that is no template."""

    __slots__ = ()


class Loader(yaml.SafeLoader):
    """Reads the tag as Ansible does."""


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))


def request(value: Value, **more: object) -> PlayRequest:
    """A request for one host."""
    arguments = {"playbook": "set_config", "hosts": ("n",), "key": "k", "values": {"n": value}, "mark": "m"} | more
    return PlayRequest(**arguments)  # type: ignore[arg-type] # the values of a dictionary have one type


@given(VALUES)
def test_a_value_arrives_as_it_was(value: Value) -> None:
    """Type and all; texts are marked, so that a node cannot smuggle in a template."""
    found = yaml.load(variables.as_yaml(request(value), variables.Access()), Loader)["value_by_host"]["n"]  # noqa: S506 - a safe loader
    if isinstance(value, tuple):
        assert tuple(found) == value
        assert all(type(item) is Unsafe for item in found)
    else:
        assert found == value
        assert type(found) is (Unsafe if isinstance(value, str) else type(value))


@pytest.mark.parametrize("host", ["all:!a", "*", "@file", "a,b", "a b", "", "-i", "~x.*", "a\n", "&a", "web[0]", "ä"])
def test_a_host_that_could_be_a_pattern_is_refused(host: str) -> None:
    """Ansible would take it for several hosts, for a file, or for an option."""
    with pytest.raises(UsageError, match="not a plain host name"):
        variables.check(request(1, hosts=(host,)))


def test_a_host_without_a_value_is_refused() -> None:
    """Of the new values and of the expected ones."""
    with pytest.raises(UsageError, match="no value of k for the host other"):
        variables.check(request(1, hosts=("n", "other")))
    with pytest.raises(UsageError, match="no value of k for the host n"):
        variables.check(request(1, expected={}))


def test_files_are_private(tmp_path: Path) -> None:
    """Nobody else can read what a play is told."""
    variables.write(request(1), variables.Access(), tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
