"""Bundles of evidence that are forgotten with the process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from runbook.engine.proof.manifest import digest_of, sealed
from runbook.model.bundle import MANIFEST


@dataclass(slots=True)
class MemoryShelf:
    """`EvidenceShelf` as a dictionary: the files of each bundle by the name of its folder."""

    bundles: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def keep(
        self, about: Mapping[str, Any], documents: Mapping[str, Any], lines: Mapping[str, Sequence[bytes]]
    ) -> tuple[str, str]:
        """Keep a bundle; its folder, and the SHA-256 of its manifest."""
        files = {each: orjson.dumps(found) for each, found in documents.items()}
        files |= {each: b"".join(found) for each, found in lines.items()}
        manifest = sealed(about, files)
        name, number = str(about["name"]), 1
        while name in self.bundles:
            number += 1
            name = f"{about['name']}-{number}"
        self.bundles[name] = {**files, MANIFEST: manifest}
        return name, digest_of(manifest)
