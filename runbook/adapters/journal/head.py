"""The sealed head: where the journal ended when it was last written, under a seal that only the key can make.

It makes a cut tail visible. It may lag behind the file (a crash between line and head), and never leads it.
"""

import hashlib
import hmac
from dataclasses import dataclass

from runbook.adapters.journal.line import NOTHING

KEY_LENGTH = 32  # bytes

_RECORD = '{{"seq":"{0.seq:020d}","size":"{0.size:020d}","hash":"{0.hash}","seal":"'
_END = b'"}\n'


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a journal: the last entry's number and hash, and the bytes up to there."""

    seq: int
    size: int
    hash: str


EMPTY = Head(0, 0, NOTHING)

_SEQ = slice(8, 28)
_SIZE = slice(38, 58)
_HASH = slice(68, 132)
RECORD_LENGTH = 132 + len('","seal":"') + 64 + len(_END)


def sealed(head: Head, key: bytes) -> bytes:
    """The record of the head, always `RECORD_LENGTH` bytes."""
    body = _RECORD.format(head).encode()
    return body + hmac.digest(key, body, hashlib.sha256).hex().encode() + _END


def opened(record: bytes, key: bytes) -> Head | str:
    """The head in the record, or what is wrong with it: every byte must be the one that `sealed` would write."""
    if len(key) != KEY_LENGTH:
        return f"the key journal.key has {len(key)} bytes instead of {KEY_LENGTH}"
    try:
        head = claimed(record)
    except ValueError:
        return "the sealed head does not read"
    if not hmac.compare_digest(sealed(head, key), record):
        return "the seal of the head does not fit: the head or the key was changed"
    return head


def claimed(record: bytes) -> Head:
    """What the record says, with its seal left unbroken and unread; raises `ValueError` where it says nothing."""
    text = record.decode("ascii")
    return Head(int(text[_SEQ]), int(text[_SIZE]), text[_HASH])
