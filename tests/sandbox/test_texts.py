"""The seeded generator, and the readers of real text."""

import gzip
import io
import json
import os
import random
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.errors import DamagedError, UsageError
from runbook.sandbox.embedding import embed
from runbook.sandbox.texts.generate import query_of, spaces_for, spaces_of, texts_for, texts_of, topics_of
from runbook.sandbox.texts.read import LONGEST, read_file, read_texts
from runbook.sandbox.texts.topics import TOPICS

JARGON = Path("/usr/share/dictd/jargon.dict.dz")


def texts_in(content: bytes) -> list[str]:
    """What the reader makes of these bytes."""
    return list(read_texts(io.BytesIO(content), "some.txt"))


def test_the_same_seed_gives_the_same_texts_in_the_same_order() -> None:
    """Two generators with one seed agree; another seed differs."""
    first = list(islice(texts_of("tenant-001", seed=5), 50))
    assert first == list(islice(texts_of("tenant-001", seed=5), 50))
    assert [text.content for text in first] != [text.content for text in islice(texts_of("tenant-001", seed=6), 50)]
    assert len({text.id for text in first}) == 50


def test_no_two_nodes_share_a_space_and_all_spaces_of_a_node_are_filled() -> None:
    """A space lives on one node."""
    spaces = [space for node in range(100) for space in spaces_of(node, 20)]
    assert len(set(spaces)) == len(spaces) == 2000
    assert {text.space for text in texts_for(spaces_of(2, 20), 40, seed=1)} == set(spaces_of(2, 20))


def test_a_node_has_twenty_spaces_where_its_texts_are_enough_for_them() -> None:
    """Thirty texts a space make concepts; the few texts of a demonstration go into ten spaces."""
    assert [spaces_for(texts) for texts in (0, 300, 450, 600, 2000)] == [10, 10, 15, 20, 20]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_texts_of_one_scene_are_close_and_those_of_other_scenes_are_not(topic: object) -> None:
    """With the node's own embedding a scene reaches the default coherence of 0.65, and two scenes stay under 0.45."""
    space = next(space for node in range(50) for space in spaces_of(node) if topic in topics_of(space))
    texts = {text.content: text for text in islice(texts_of(space, seed=1), 300) if text.topic == topic.name}  # type: ignore[attr-defined] # a Topic; hypothesis-free ids need object
    points = np.array([embed(content) for content in texts])
    cosines = points @ points.T
    close = cosines > 0.6
    groups = {tuple(row.nonzero()[0]) for row in close}
    assert 5 <= len(groups) <= 40
    assert np.quantile(cosines[~close], 0.99) < 0.45
    means = [cosines[np.ix_(group, group)].mean() for group in groups if len(group) > 5]
    assert min(means) > 0.65


def test_a_query_is_made_of_the_words_of_its_text() -> None:
    """In their order."""
    text = next(texts_of("tenant-007", seed=1))
    words = iter(text.content.rstrip(".").split())
    assert all(word in words for word in query_of(text, random.Random(1)).split())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"one\ntwo\n\r\nthree", ["one two", "three"]),
        (b"one\ntwo\n", ["one", "two"]),
        (b'{"content": "a\\nb"}\n\n{"text": "c"}\n"d"\n', ["a b", "c", "d"]),
        (b"word\n n.\n\n    Its body.\n\n    More.\n\nnext\n\n  body\n", ["word n. Its body. More.", "next body"]),
        (b"A paragraph\nof prose.\n\nAnother one.\n", ["A paragraph of prose.", "Another one."]),
        (b"\n\n  indented from the start\n\nthen not\n", ["indented from the start", "then not"]),
        ("één\nzwölf".encode(), ["één", "zwölf"]),
        (b"\xef\xbb\xbfmarked\n", ["marked"]),
        (b"", []),
        (b" \n\n \n", []),
    ],
)
def test_lines_json_lines_and_paragraphs_are_told_apart(content: bytes, expected: list[str]) -> None:
    """By looking at the text, plain or packed."""
    assert texts_in(content) == expected
    assert texts_in(gzip.compress(content)) == expected


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"good\nb\xffd\n", "byte 6"),
        (b"good\na\0b\n", "zero byte at 6"),
        (b'{"content": "a"}\n{"content": \n', "line 2"),
        (b'{"content": "a"}\n{"other": 1}\n', "line 2"),
        (b'{"content": "a"}\n[1]\n', "line 2"),
        (b'{"content": "\\ud800"}\n', "line 1"),
        (gzip.compress(b"some words\n" * 1000, mtime=0)[:-20], "damaged gzip"),
        (b"\x1f\x8bnot gzip", "damaged gzip"),
        (gzip.compress(random.Random(1).randbytes(100_000), mtime=0)[:5000] + b"garbage" * 100, "damaged gzip"),
        (b'{"a":' * 100_000, "line 1"),
    ],
    ids=range(10),
)
def test_damage_is_named(content: bytes, named: str) -> None:
    """With its place."""
    with pytest.raises(DamagedError, match=named):
        texts_in(content)


@given(st.binary(max_size=400))
def test_any_bytes_give_texts_or_damage(content: bytes) -> None:
    """Nothing else comes out, and no text is blank."""
    with suppress(DamagedError):
        assert all(text.strip() for text in texts_in(content))


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)))
def test_json_lines_come_back_word_for_word(texts: list[str]) -> None:
    """White space is evened out; nothing else changes."""
    content = "\n".join(json.dumps({"content": text}) for text in texts).encode()
    assert texts_in(content) == [" ".join(text.split()) for text in texts if text.strip()]


def test_a_text_that_is_too_long_is_split_between_words() -> None:
    """Every word is kept."""
    words = ["word"] * 12_000
    pieces = texts_in(" ".join(words).encode())
    assert max(map(len, pieces)) <= LONGEST
    assert " ".join(pieces).split() == words


def test_a_pipe_that_dribbles_is_read_like_a_file() -> None:
    """The form is not guessed from the first few bytes that happen to be there."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as source, os.fdopen(writing, "wb", buffering=0) as sink:
        for byte in b"head\n\n    body\n":
            sink.write(bytes([byte]))
        sink.close()
        assert list(read_texts(source, "-")) == ["head body"]


def test_a_file_that_is_missing_denied_or_empty_says_so(tmp_path: Path) -> None:
    """Each as a usage error."""
    (tmp_path / "empty").touch()
    for name in ("missing", "empty", ""):
        with pytest.raises(UsageError, match=str(tmp_path)):
            read_file(tmp_path / name)


def test_every_entry_of_the_jargon_file_is_one_text() -> None:
    """About 2300 entries, each a headword with its body; none is torn apart at the blank line behind the headword."""
    if not JARGON.exists() and not os.environ.get("CI"):
        pytest.skip("dict-jargon is not installed")
    texts = read_file(JARGON)
    assert 2250 < len(texts) < 2350
    foo = next(text for text in texts if text.startswith("foobar "))
    assert "metasyntactic" in foo
    assert sum(len(text) > 60 for text in texts) > 2000
