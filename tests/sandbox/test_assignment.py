"""The assignment agrees with nginx, bit for bit; the vectors come from nginx's own C code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.model.assignment import STEPS, first_step, in_treatment, limit, murmur2, place, within

SHARES = st.integers(0, 10_000).map(lambda steps: steps / 10_000)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("", 0x00000000),
        ("a", 0x92685F5E),
        ("ab", 0x1AA14063),
        ("abc", 0x13577C9B),
        ("abcd", 0x26873021),
        ("hello", 0xE56129CB),
        ("dual-memory:default", 0x5D05A9BB),
        ("dual-memory:tenant-001", 0x72FF7CB1),
        ("salt:größe", 0x8E9FFD19),
        ("dual-memory:a-rather-long-name-of-a-space_42", 0xCCC6F101),
    ],
)
def test_hash_is_nginx_murmur2(key: str, expected: int) -> None:
    """ngx_murmur_hash2 gives the same number, tails of 0 to 3 bytes and text beyond ASCII included."""
    assert murmur2(key.encode()) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0001, 429496),
        (0.001, 4294967),
        (0.01, 42949672),
        (0.05, 214748364),
        (0.25, 1073741823),
        (0.3333, 1431512599),
        (0.5, 2147483647),
        (0.9999, 4294537798),
    ],
)
def test_limit_is_nginx_integer_arithmetic(share: float, expected: int) -> None:
    """`last += percent * (uint64_t) 0xffffffff / 10000`."""
    assert limit(share) == expected


@given(st.binary(max_size=64))
def test_hash_has_32_bits(data: bytes) -> None:
    """Whatever the key, the hash is an unsigned 32-bit number."""
    assert 0 <= murmur2(data) <= 0xFFFFFFFF


@given(st.text(), st.text(), SHARES, SHARES)
def test_shares_are_nested(space: str, salt: str, one: float, other: float) -> None:
    """Who is treated at a share is treated at every larger one."""
    space, salt = (text.encode("utf-8", "replace").decode() for text in (space, salt))
    small, large = sorted((one, other))
    assert in_treatment(space, salt=salt, share=large) or not in_treatment(space, salt=salt, share=small)


@given(st.text(alphabet="abcdefgh", max_size=8))
def test_nothing_and_everything(space: str) -> None:
    """A share of 0 takes nobody, a share of 1 everybody, and a named space is always in."""
    assert not in_treatment(space, salt="s", share=0.0)
    assert in_treatment(space, salt="s", share=1.0)
    assert in_treatment(space, salt="s", share=0.0, always=(space,))


def test_a_quarter_is_a_quarter() -> None:
    """Of 10 000 spaces a share of 0.25 takes a quarter, within 2 %."""
    taken = sum(within(f"dual-memory:tenant-{number}", 0.25) for number in range(10_000))
    assert abs(taken - 2500) < 200


@given(st.text(max_size=30), st.text(max_size=10))
def test_the_first_share_that_treats_a_space_is_the_smallest(space: str, salt: str) -> None:
    """At that step of 0.01 % it is in, at the step before it is not."""
    step = first_step(place(space, salt))
    assert 1 <= step <= STEPS
    assert in_treatment(space, salt=salt, share=step / STEPS)
    assert not in_treatment(space, salt=salt, share=(step - 1) / STEPS)
