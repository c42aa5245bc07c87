"""A settings file as text: one value is another, and everything else stays byte for byte."""

import tomllib
from typing import Any

import pytest
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError
from ansible_collections.engram.ops.plugins.plugin_utils.settings_text import SettingsText
from hypothesis import given
from hypothesis import strategies as some

KEY = "dual_memory.x"
FILE = """# who: anna
name = 'engram' # keep

[storage] # another table
paths = [
  "/a", # first
]

[dual_memory]   # both
x = 1   # since March
# the end of it

[[listener]]
port = 7432
"""


def changed(text: str, value: Any, key: str = KEY) -> str:
    """The text with that value."""
    return SettingsText(text.encode(), "settings.toml").with_value(key, value).decode()


def test_only_that_value_changes() -> None:
    """Comments, order, unknown tables and spacing stay."""
    assert changed(FILE, 2) == FILE.replace("x = 1 ", "x = 2 ")
    assert changed(FILE, 1) == FILE
    assert SettingsText(FILE.encode(), "settings.toml").value(KEY) == 1
    assert SettingsText(FILE.encode(), "settings.toml").keys("dual_memory") == [KEY]


@pytest.mark.parametrize("text", ["", "a = 1\n", "[other]\na = 1\n", "dual_memory = {y = 1}\n", "dual_memory.y = 1\n"])
def test_what_is_missing_is_added(text: str) -> None:
    """The table too; what there was is still there."""
    assert SettingsText(text.encode(), "settings.toml").value(KEY) is None
    after = tomllib.loads(changed(text, ["a", "b"]))
    before = tomllib.loads(text)
    before.setdefault("dual_memory", {})["x"] = ["a", "b"]
    assert after == before


@pytest.mark.parametrize("text", ["[dual_memory", "x = 1\nx = 2", "\x00", "dual_memory = 3"])
def test_what_is_no_settings_file_is_refused(text: str) -> None:
    """With its name."""
    with pytest.raises(WayError, match=r"settings\.toml"):
        SettingsText(text.encode(), "settings.toml").value(KEY)


def test_bytes_that_are_no_text_are_refused() -> None:
    """TOML is UTF-8."""
    with pytest.raises(WayError, match="not TOML"):
        SettingsText(b"\xff\xfe", "settings.toml")


VALUES = some.booleans() | some.integers(-(2**53), 2**53) | some.floats(allow_nan=False, allow_infinity=False)
TEXTS = some.text(some.characters(exclude_categories=["Cs"]))


@given(VALUES | TEXTS | some.lists(TEXTS, max_size=3))
def test_any_value_of_a_setting_reads_back(value: Any) -> None:
    """By another reader than the one that wrote it."""
    assert tomllib.loads(changed(FILE, value)) == {
        **tomllib.loads(FILE),
        "dual_memory": {"x": value},
    }
