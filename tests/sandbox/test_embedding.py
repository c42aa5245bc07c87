"""Embeddings: deterministic, unit length, topical; and those of clients are kept as they are."""

import base64
import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.sandbox import embedding
from runbook.sandbox.embedding import DIMENSIONS, WIDTH, EmbeddingError, embed, from_client, vector


def finite(data: bytes) -> bytes:
    """The bytes as float32 without NaN and infinity: one bit of their exponent is cleared. All else stays."""
    bits = np.frombuffer(data, dtype="<u4").copy()
    bits[(bits >> 23) & 0xFF == 0xFF] &= ~np.uint32(1 << 23)
    return bits.tobytes()


RAW = st.binary(min_size=WIDTH, max_size=WIDTH).map(finite)
"""Any finite float32: subnormals and both zeros too."""


@given(st.text())
def test_any_text_has_a_unit_vector(text: str) -> None:
    """Blank, punctuation, lone surrogates, any script: 768 finite numbers of length 1."""
    found = embed(text)
    assert found.shape == (DIMENSIONS,)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert float(np.linalg.norm(found)) == pytest.approx(1.0, abs=1e-5)


def test_the_same_in_another_process() -> None:
    """Nothing depends on the hash seed of the process."""
    text = "Consolidation gives the café's größte Erinnerung a place"
    command = (
        "import sys; from runbook.sandbox.embedding import embed; sys.stdout.buffer.write(embed(sys.argv[1]).tobytes())"
    )
    other = subprocess.run([sys.executable, "-c", command, text], capture_output=True, check=True).stdout
    assert other == embed(text).tobytes()


def test_texts_lie_by_topic() -> None:
    """A text is nearer to one about the same than to one that shares only the small words."""
    text = embed("The scheduler restarted the database server after a disk failure")
    same = embed("A disk failure on the database server, so it was restarted by the scheduler")
    other = embed("After the rain a fox crossed the meadow on its way to the river")
    assert text @ same > 0.65
    assert text @ other < 0.2


@given(RAW)
def test_base64_is_kept_bit_for_bit(raw: bytes) -> None:
    """Any finite float32, -0.0 and subnormals included."""
    assert from_client(base64.b64encode(raw).decode()) == raw


@given(RAW)
def test_numbers_are_kept_bit_for_bit(raw: bytes) -> None:
    """A float32 that went through JSON as a number is the same float32."""
    assert from_client(json.loads(json.dumps(vector(raw).astype(float).tolist()))) == raw


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        7,
        [],
        [0.1] * (DIMENSIONS - 1),
        [0.1] * (DIMENSIONS + 1),
        [*([0.1] * (DIMENSIONS - 1)), "x"],
        [*([0.1] * (DIMENSIONS - 1)), True],
        [*([0.1] * (DIMENSIONS - 1)), 1e39],
        [*([0.1] * (DIMENSIONS - 1)), 10**400],
        [*([0.1] * (DIMENSIONS - 1)), float("nan")],
        "not base64!",
        "größe",
        base64.b64encode(b"\0" * (WIDTH - 4)).decode(),
        base64.b64encode(struct.pack("<f", float("inf")) * DIMENSIONS).decode(),
    ],
)
def test_anything_else_is_refused(value: object) -> None:
    """Wrong type, wrong length, not finite, too large for float32."""
    with pytest.raises(EmbeddingError):
        from_client(value)


def test_an_endless_word_is_not_kept() -> None:
    """A thousand keys or encoded images without a blank in them would be gigabytes of features never met again."""
    embed("warm")
    before = embedding._features.cache_info().currsize
    embed("b64" * 1000)
    assert embedding._features.cache_info().currsize == before
    embed("brandnewword")
    assert embedding._features.cache_info().currsize == before + 1
