"""Text to a point: a deterministic unit vector made of hashed words and their character n-grams.

No model and no randomness: the same text has the same vector in every process, on every machine. Each distinct word
adds a direction of its own and, more weakly, those of its 3- and 4-grams, so that `cluster` and `clustering` are close.
Words count sublinearly, longer (rarer) ones more, and the commonest English ones not at all, so that texts come to
lie by topic. Hash features after K. Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009.
"""

import re
from base64 import b64decode
from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 768
WIDTH = DIMENSIONS * 4
"""Bytes of one embedding, little-endian float32."""

Vector = NDArray[np.float32]

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_STOP = frozenset(
    "a about after all also am an and any are as at be because been but by can could did do does for from had has have "  # noqa: SIM905 - read as text
    "he her him his how i if in into is it its just like may me more most my no not of on one only or other our out "
    "over she should so some such than that the their them then there these they this those to too up us use used very "
    "was we were what when where which who whom why will with would you your".split()
)
_GRAM_WEIGHT = 0.45
_GRAMS = (3, 4)
_LONGEST_KEPT = 64
"""A word that is longer is a key or a picture: its features are many, and nobody asks for them again."""


class EmbeddingError(ValueError):
    """A client's embedding is not 768 finite float32."""


def embed(text: str) -> Vector:
    """The unit vector of the text; any text has one."""
    words = _WORD.findall(text.lower())
    counts = Counter(word for word in words if word not in _STOP) or Counter(words) or Counter([text])
    total = np.zeros(DIMENSIONS, dtype=np.float32)
    for word, count in counts.items():
        places, weights = (_features if len(word) <= _LONGEST_KEPT else _features.__wrapped__)(word)
        np.add.at(total, places, weights * np.float32(1.0 + np.log(count)))
    length = float(np.linalg.norm(total))
    if length == 0.0:  # every feature met its opposite
        total[_hash(text)[0]] = length = 1.0
    return np.asarray(total / np.float32(length), dtype=np.float32)


@lru_cache(maxsize=4096)
def _features(word: str) -> tuple[NDArray[np.intp], Vector]:
    rarity = min(1.0 + len(word) / 8, 2.0)
    marked = f"<{word}>"
    grams = [marked[at : at + size] for size in _GRAMS for at in range(len(marked) - size + 1)]
    share = _GRAM_WEIGHT / max(len(grams), 1) ** 0.5
    hashed = [(_hash(word), 1.0), *((_hash(gram), share) for gram in grams)]
    places = np.array([place for (place, _), _ in hashed], dtype=np.intp)
    weights = np.array([sign * weight * rarity for (_, sign), weight in hashed], dtype=np.float32)
    return places, weights


def _hash(feature: str) -> tuple[int, float]:
    number = int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return (number >> 1) % DIMENSIONS, 1.0 if number & 1 else -1.0


def from_client(value: Any) -> bytes:
    """What a client sent (768 numbers, or the base64 of their little-endian float32), bit for bit.

    Raises:
        EmbeddingError: it is something else, has another length, or a number that float32 cannot hold.
    """
    if isinstance(value, str):
        return _checked(_decoded(value))
    if not isinstance(value, list) or len(value) != DIMENSIONS:
        raise EmbeddingError(f"an embedding is a list of {DIMENSIONS} numbers, or their base64")
    if not all(type(number) in {int, float} for number in value):
        raise EmbeddingError("an embedding holds numbers only")
    try:
        with np.errstate(over="ignore"):
            return _checked(np.array(value, dtype=np.float64).astype("<f4").tobytes())
    except OverflowError as error:
        raise EmbeddingError("an embedding holds finite float32 only") from error


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise EmbeddingError(f"the embedding is not base64: {error}") from error


def _checked(raw: bytes) -> bytes:
    if len(raw) != WIDTH:
        raise EmbeddingError(f"an embedding is {WIDTH} bytes, not {len(raw)}")
    if not np.isfinite(vector(raw)).all():
        raise EmbeddingError("an embedding holds finite float32 only")
    return raw


def vector(raw: bytes) -> Vector:
    """The stored bytes as numbers, without copying."""
    return np.frombuffer(raw, dtype="<f4")
