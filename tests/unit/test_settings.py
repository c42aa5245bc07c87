"""Every setting of the catalogue: what it takes and what it refuses."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.errors import UsageError
from runbook.model.settings import CATALOGUE, Kind, Setting, Type, checked, defaults, parsed, setting_of
from runbook.report.lines import shown

SETTINGS = list(CATALOGUE.values())
every_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.tuples(inner) | some.dictionaries(some.text(), inner),
    max_leaves=4,
)
TYPES = {Type.NUMBER: float, Type.INTEGER: int, Type.BOOLEAN: bool, Type.TEXT: str, Type.LIST: tuple}


@every_setting
def test_its_default_is_a_value_that_it_takes(setting: Setting) -> None:
    """And comes back as it is."""
    assert checked(setting, setting.default) == setting.default
    assert type(setting.default) is TYPES[setting.type]
    assert defaults()[setting.key] == setting.default


@every_setting
def test_it_says_what_it_is_for_and_where_it_ends(setting: Setting) -> None:
    """Numbers have both ends; a feature is a flag; the key is its name."""
    assert CATALOGUE[setting.key] is setting_of(setting.key) is setting
    assert setting.summary
    assert setting.key.startswith("dual_memory.")
    assert (setting.minimum is not None and setting.maximum is not None) == (
        setting.type in {Type.NUMBER, Type.INTEGER}
    )
    assert setting.kind is not Kind.FEATURE or setting.type is Type.BOOLEAN


@every_setting
@given(value=anything)
def test_whatever_it_is_given_it_takes_its_own_type_or_refuses(setting: Setting, value: Any) -> None:
    """No crash, no other type, and what it took it takes again."""
    try:
        taken = checked(setting, value)
    except UsageError:
        return
    assert type(taken) is TYPES[setting.type]
    assert checked(setting, taken) == taken
    assert isinstance(value, bool) == (setting.type is Type.BOOLEAN)
    assert checked(setting, json.loads(json.dumps(taken))) == taken


@every_setting
def test_its_ends_are_inclusive(setting: Setting) -> None:
    """And not one step further."""
    if setting.minimum is None or setting.maximum is None:
        return
    kind = TYPES[setting.type]
    assert checked(setting, kind(setting.minimum)) == setting.minimum
    assert checked(setting, kind(setting.maximum)) == setting.maximum
    for beyond in (setting.minimum - 1, setting.maximum + 1):
        with pytest.raises(UsageError, match="out of range"):
            checked(setting, kind(beyond))


@every_setting
def test_what_is_no_value_is_refused(setting: Setting) -> None:
    """By a message with its key, not by a crash."""
    for odd in (math.nan, math.inf, -math.inf, 10**400, -(10**400), "0.5", b"1", None, {}, object()):
        if setting.type is Type.TEXT and isinstance(odd, str):
            continue
        with pytest.raises(UsageError, match=setting.key):
            checked(setting, odd)


@every_setting
@given(text=some.text())
def test_whatever_is_typed_is_read_or_refused(setting: Setting, text: str) -> None:
    """As `checked` would."""
    try:
        value = parsed(setting, text)
    except UsageError:
        return
    assert checked(setting, value) == value


@pytest.mark.parametrize(
    "setting", [each for each in SETTINGS if each.type is not Type.LIST], ids=lambda each: each.key
)
def test_what_is_shown_can_be_typed(setting: Setting) -> None:
    """A person copies it from a report."""
    assert parsed(setting, shown(setting.default)) == setting.default


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("enabled", " TRUE ", True),
        ("enabled", "false", False),
        ("min_cluster_size", " 5 ", 5),
        ("coherence_threshold", "1e-1", 0.1),
        ("coherence_threshold", "1", 1.0),
        ("treatment_salt", " a salt ", " a salt "),
        ("treatment_spaces", "a, b ,,c", ("a", "b", "c")),
        ("treatment_spaces", "", ()),
    ],
)
def test_what_a_person_types_is_read(key: str, text: str, value: object) -> None:
    """As `engram config set` takes it."""
    found = parsed(CATALOGUE[f"dual_memory.{key}"], text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("enabled", "yes"),
        ("enabled", "1"),
        ("min_cluster_size", "5.0"),
        ("min_cluster_size", "1"),
        ("min_cluster_size", "9" * 5000),
        ("coherence_threshold", "nan"),
        ("coherence_threshold", "1e999"),
        ("coherence_threshold", "0,5"),
        ("coherence_threshold", ""),
    ],
)
def test_what_is_no_value_of_the_setting_is_refused(key: str, text: str) -> None:
    """With the key in the message."""
    with pytest.raises(UsageError, match=key):
        parsed(CATALOGUE[f"dual_memory.{key}"], text)


def test_an_unknown_key_is_refused_with_those_that_there_are() -> None:
    """The hint lists them."""
    with pytest.raises(UsageError) as refused:
        setting_of("dual_memory.nonsense")
    assert all(key in refused.value.hint for key in CATALOGUE)
