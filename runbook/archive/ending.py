"""The last line of an export: it must be, byte for byte, the one that what stands before it calls for."""

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import orjson

from runbook.archive import explain, layout
from runbook.archive.canonical import Fault
from runbook.archive.digest import BlockHashes, block_range


def fault_of(line: bytes, counts: Mapping[str, int], hashes: BlockHashes) -> Fault | None:
    """What is wrong with the footer, or with what stands before it."""
    if line == layout.footer_line(counts, hashes.bytes, hashes.blocks(), hashes.whole()):
        return None
    return _broken(line) or _false(orjson.loads(_body(line)), counts, hashes)


def _body(line: bytes) -> bytes:
    return line[len(layout.FOOTER_START) : -1]


def _broken(line: bytes) -> Fault | None:
    if not line.startswith(layout.FOOTER_START) or not line.endswith(b"}"):
        return Fault("", "a footer must stand here")
    if fault := explain.unreadable(_body(line)):
        return fault._replace(path="footer", offset=(fault.offset or 0) + len(layout.FOOTER_START))
    told = orjson.loads(_body(line))
    if not isinstance(told, dict) or not isinstance(told.get("blocks"), list):
        return Fault("footer", "it does not have the members of a footer")
    return None


def _false(told: Mapping[str, Any], counts: Mapping[str, int], hashes: BlockHashes) -> Fault:
    blocks = hashes.blocks()
    if told.get("bytes") == hashes.bytes and told.get("sha256") != hashes.whole():
        for index, (there, here) in enumerate(zip_longest(told["blocks"], blocks)):
            if there != here:
                start, stop = block_range(index)
                end = min(stop, hashes.bytes)
                return Fault(
                    f"footer.blocks[{index}]", f"the bytes {start} to {end - 1} are not those that were written"
                )
    found = {"counts": dict(counts), "bytes": hashes.bytes, "blocks": blocks, "sha256": hashes.whole()}
    for name, here in found.items():
        if told.get(name) != here:
            return Fault(f"footer.{name}", "it does not fit what stands before it")
    return Fault("footer", "not written as this format is")
