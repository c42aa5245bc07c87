"""How examples are read and compared: else a test of documents would prove nothing."""

from pathlib import Path

from console import Example, examples_of, masked, missing

DOCUMENT = """\
Text.

```console
$ runbook doctor
good  node-1
...
(exit 3)
$ cat <<'END'
> one
> END
one
```
"""


def test_commands_outputs_and_exit_codes_are_read(tmp_path: Path) -> None:
    """Also of a command that goes over several lines."""
    (tmp_path / "a.md").write_text(DOCUMENT)
    first, second = examples_of(tmp_path / "a.md")
    assert first == Example("a.md", "runbook doctor", ("good  node-1", "..."), 3)
    assert second == Example("a.md", "cat <<'END'\none\nEND", ("one",), 0)


def test_what_differs_from_run_to_run_does_not_count() -> None:
    """Numbers, runs, hashes, paths, people; and the arithmetic behind an answer, but not the answer."""
    assert masked("Run 20261122T221652-7bbc in /home/anna/x, 1.5 s", "eve") == "Run RUN in PATH, # s"
    assert masked("  YES      Memory increases     12 MB/h", "eve") == "YES Memory increases"
    assert masked("  YES      node-1: a_b is back: 12 MB/h (-1..2)", "eve") == "YES node-#: a_b is back"
    assert masked("  NO       Memory increases     12 MB/h", "eve") != masked("  YES      Memory increases  1", "eve")
    assert masked("ran by eve on eve@host", "eve") == masked("ran by anna on anna@vm", "eve")


def test_lines_are_only_left_out_where_the_document_says_so() -> None:
    """Before, between and behind the shown lines; order counts."""
    printed = ["one", "two", "three"]
    assert missing(["one", "...", "three"], printed, "eve") == ""
    assert missing(["...", "two", "..."], printed, "eve") == ""
    assert missing([], printed, "eve") == ""
    assert "three" in missing(["one", "three"], printed, "eve")
    assert "not shown" in missing(["one", "two"], printed, "eve")
    assert "one" in missing(["...", "two", "...", "one"], printed, "eve")
