"""Every promise has its tests, and every test that the page names exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "promises.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \|(.*)\|(.*)\|(.*)\|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(\w+)`")


def names_of(path: str) -> set[str]:
    """What can be named behind the two colons."""
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    functions = {each.name for each in body if isinstance(each, ast.FunctionDef)}
    return functions | {
        str(name) for each in body if isinstance(each, ast.Assign) for name in map(ast.unparse, each.targets)
    }


def test_all_fifteen_are_there_each_with_a_test_and_a_figure() -> None:
    """In their order."""
    rows = ROW.findall(PAGE)
    assert [int(number) for number, *_ in rows] == list(range(1, 16))
    assert all(TEST.search(proof) and figure.strip() for _, _, proof, figure in rows)


def test_every_test_that_is_named_exists() -> None:
    """A test that is renamed is renamed here too."""
    named = TEST.findall(PAGE)
    assert [f"{path}::{name}" for path, name in named if name not in names_of(path)] == []
