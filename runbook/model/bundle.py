"""A bundle of evidence: a folder that says how a rollout came to where it was, and proves it without anything else."""

from collections.abc import Mapping
from dataclasses import dataclass

VERSION = 1
MANIFEST = "manifest.json"
PLAN = "plan.json"
JOURNAL = "journal.jsonl"
APPROVALS = "approvals.json"
CELLS = "cells.jsonl"
VERDICTS = "verdicts.json"
SETTINGS = "settings.json"
BACKUPS = "backups.json"
SELF_TEST = "selftest.json"
CONTENTS: Mapping[str, str] = {
    PLAN: "the plan as it was started, its salt included",
    JOURNAL: "the lines of the journal from the rollout's start on, byte for byte",
    APPROVALS: "who said yes, when, to what",
    CELLS: "recalls by time, space and group: the rows that the judge read",
    VERDICTS: "each look of the judge, with what it was taken of",
    SETTINGS: "what each node ran with before and after",
    BACKUPS: "the backups that were counted on, as their manifests tell",
    SELF_TEST: "how often the judge calls this fleet worse when nobody was treated",
}
"""Every file beside the manifest, and what it holds."""


@dataclass(frozen=True, slots=True)
class FileSeal:
    """One file: how many bytes it has, and their SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is, and what is in it.

    `first` and `last` are the numbers of the journal's entries that are in it, `head` the hash of the last one.
    `waiting` entries the journal had refused, so they are not in it. `digest` is the SHA-256 of the manifest's bytes.
    """

    name: str
    tool: str
    rollout: str
    target: str
    why: str
    written_at: str
    first: int
    last: int
    head: str
    waiting: int
    files: Mapping[str, FileSeal]
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One look: the verdict that was journaled, the one that the rows give, and what is different, if anything is.

    `found` is empty where the look cannot be taken again, and `untold` says why.
    """

    stage: str
    look: int
    journaled: str
    found: str
    differs: str = ""
    untold: str = ""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a check of a bundle found: it is as it was written, and these are its looks.

    `journal` says how it fits the journal at hand, where that was asked for.
    """

    manifest: Manifest
    looks: tuple[Recomputed, ...]
    journal: str = ""

    @property
    def differing(self) -> tuple[Recomputed, ...]:
        """The looks that the rows contradict."""
        return tuple(look for look in self.looks if look.differs)

    @property
    def untold(self) -> tuple[Recomputed, ...]:
        """The looks that could not be taken again."""
        return tuple(look for look in self.looks if not look.found)
