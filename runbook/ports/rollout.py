"""Ports for what judges and watches a rollout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runbook.model.access import AccessReport
    from runbook.model.cells import Cell, FleetCells, NodeCells, Pruned
    from runbook.model.rollout import Rollout
    from runbook.model.target import Node


class CellSource(Protocol):
    """The rows that the nodes keep."""

    def cells(self, nodes: Sequence[Node], since: Mapping[str, float]) -> FleetCells:
        """The rows of every node whose bucket ends after `since` (by node name; 0 where it is missing), or its silence.

        Rows that are not the contract's (a number that is not finite, a negative count) are a silence with a reason.
        """
        ...


class CellStore(Protocol):
    """The rows of one target as the watcher has collected them: nodes and Prometheus forget, this does not."""

    def add(self, found: Sequence[NodeCells]) -> Pruned:
        """Keep the rows; one that is known already is replaced, so that reading twice counts once.

        Rows only grow: one that counts fewer recalls than the known one is of a node that lost some in a crash, and is
        not taken.

        The store is bounded: what it let go of for that is told, the oldest rows first.

        Raises:
            StorageError: the disk refused; nothing was kept in part.
            DamagedError: the file is none of ours.
        """
        ...

    def newest(self) -> Mapping[str, float]:
        """By node, the beginning of the newest bucket that is kept: read again from there on, it may have grown."""
        ...

    def rows(self, begin: float, end: float) -> Iterator[Cell]:
        """Every row whose bucket begins in [begin, end), in seconds since 1970, ordered by bucket, node and space.

        Raises:
            StorageError: the disk refused.
            DamagedError: the file is none of ours.
        """
        ...


class AccessLogs(Protocol):
    """What the access logs of the splitters tell."""

    def report(self, rollout: Rollout, now: float) -> AccessReport | None:
        """Of the stage that the rollout is in, until `now` (seconds since 1970); None while they are being read.

        A host that cannot be asked is a silence in it.

        Raises:
            InterruptedRunError: cancelled; nothing was changed.
        """
        ...


class EvidenceShelf(Protocol):
    """Where bundles of evidence are kept."""

    def keep(
        self, about: Mapping[str, Any], documents: Mapping[str, Any], lines: Mapping[str, Sequence[bytes]]
    ) -> tuple[str, str]:
        """Write a bundle, whole or not at all: JSON documents and files of raw lines, by file name, and their manifest.

        `about` is the manifest's own part; `name` in it is the bundle's, which another one may have already. Nothing
        that looks like a secret gets into a document. Returns its folder, and the SHA-256 of its manifest.

        Raises:
            StorageError: the disk refused; no part of it is left.
            UsageError: the name cannot be a file's.
        """
        ...
