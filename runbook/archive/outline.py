"""What the first and the last line of an archive say: enough to read it in sections, side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from runbook.archive import heading, layout, limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import damaged
from runbook.archive.digest import block_range
from runbook.archive.kinds import archive_kind
from runbook.archive.layout import Header

SECTION_BYTES = 4 * limits.MIB

Read = Callable[[int, int], bytes]
"""Gives that many bytes from that offset on; fewer only at the end."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What the first and the last line of an archive say; the records stand from `start` to `end`."""

    name: str
    header: Header
    start: int
    end: int
    counts: Mapping[str, int]
    blocks: tuple[str, ...]
    sha256: str

    @property
    def hashed(self) -> int:
        """How many bytes the hashes are of."""
        return self.end + len(layout.RECORDS_END) + 1

    @property
    def refers(self) -> bool:
        """Must what is bound in such an archive be in it?"""
        return self.header.since is None and "binding" in archive_kind(self.header.kind).records

    def sections(self) -> list[range]:
        """Numbers of blocks: each section's."""
        found, first = [], 0
        while first < len(self.blocks):
            last, begin = first, block_range(first)[0]
            while last < len(self.blocks) and block_range(last)[1] - begin <= SECTION_BYTES:
                last += 1
            last = max(last, first + 1)
            found.append(range(first, min(last, len(self.blocks))))
            first = found[-1].stop
        return found


def outline(read: Read, size: int, name: str) -> Outline:
    """What the archive of that size says of itself.

    Raises:
        DamagedError: its ends are not those of an archive.
        NotSupportedError: it is of a newer version.
    """
    head, _, rest = read(0, 2 * limits.LINE_BYTES).partition(b"\n")
    header = heading.header(head, lambda offset: f"{name}: line 1, byte {offset}")
    if not rest.startswith(layout.RECORDS_LINE + b"\n"):
        raise damaged(name, Fault("", "its second line is another one"))
    ending = read(max(0, size - limits.FOOTER_BYTES), limits.FOOTER_BYTES)
    footer = ending[ending.rfind(b"\n", 0, len(ending) - 1) + 1 :]
    start = len(head) + len(layout.RECORDS_LINE) + 2
    try:
        told = orjson.loads(footer[len(layout.FOOTER_START) : -2])
        line = layout.footer_line(told["counts"], told["bytes"], told["blocks"], told["sha256"])
        end = told["bytes"] - len(layout.RECORDS_END) - 1
        sound = (
            line + b"\n" == footer
            and ending[: -len(footer)].endswith(layout.RECORDS_END + b"\n")
            and told["bytes"] + len(footer) == size
            and end >= start
            and block_range(len(told["blocks"]) - 1)[0] < told["bytes"] <= block_range(len(told["blocks"]) - 1)[1]
            and tuple(told["counts"]) == archive_kind(header.kind).types(since=header.since is not None)
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise damaged(name, Fault("", "its footer is not the one of an archive"))
    return Outline(name, header, start, end, told["counts"], tuple(told["blocks"]), told["sha256"])
