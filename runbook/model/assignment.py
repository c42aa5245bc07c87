"""Which group a space belongs to: the arithmetic of nginx's `split_clients`, so that a proxy and a node agree.

nginx hashes the key with MurmurHash2 (32 bit, seed 0) and compares it with a share in steps of 0.01 %, in
integers (ngx_http_split_clients_module.c). The key here is `salt:space`. Shares are nested: who is in at 5 % is
in at 25 % too. A whole share is nginx's `*`, which takes everyone, and a share of nothing takes nobody.
"""

import re
from bisect import bisect_right
from collections.abc import Collection

STEPS = 10_000
"""Shares are counted in steps of one ten-thousandth."""

NAMES_SPLIT = re.compile("[A-Za-z0-9_.-]{1,128}")
"""Names of spaces that a splitter tells apart; a space of any other name is control there."""
SALTS_SPLIT = re.compile("[A-Za-z0-9 _.:,@/+=~-]{0,256}")
"""What a splitter takes as its salt: it is written into nginx' configuration."""

_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """MurmurHash2 of the bytes, 32 bit, seed 0, as nginx computes it."""
    whole = len(data) & ~3
    value = len(data) & _MASK
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ word >> 24) * _MULTIPLIER & _MASK
        value = (value * _MULTIPLIER & _MASK) ^ word
    if tail := data[whole:]:
        value = (value ^ int.from_bytes(tail, "little")) * _MULTIPLIER & _MASK
    value = (value ^ value >> 13) * _MULTIPLIER & _MASK
    return value ^ value >> 15


def limit(share: float) -> int:
    """The hash below which a key belongs to the share (0..1), rounded to a step of 0.01 %."""
    steps = min(max(round(share * STEPS), 0), STEPS)
    return _MASK + 1 if steps == STEPS else steps * _MASK // STEPS


def place(space: str, salt: str) -> int:
    """The hash of the space, 0 to 2^32 - 1: it does not depend on any share."""
    return murmur2(f"{salt}:{space}".encode())


def first_step(place: int) -> int:
    """The smallest share, in steps of 0.01 %, that treats a space of that hash."""
    return bisect_right(range(STEPS + 1), place, key=lambda steps: limit(steps / STEPS))


def within(key: str, share: float) -> bool:
    """Does the key belong to the share (0..1)?"""
    return murmur2(key.encode()) < limit(share)


def in_treatment(space: str, *, salt: str, share: float, always: Collection[str] = ()) -> bool:
    """Is the space in the treatment group, by its salted hash or because it is named?"""
    return space in always or within(f"{salt}:{space}", share)
