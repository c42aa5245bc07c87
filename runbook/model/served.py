"""The metrics that `runbook serve` exports: the contract between it and whoever asks Prometheus about this tool."""

from dataclasses import dataclass

PREFIX = "engram_runbook_"


@dataclass(frozen=True, slots=True)
class Served:
    """One metric: its name without `PREFIX`, its labels, what it says; one that counts only rises within a process."""

    name: str
    labels: tuple[str, ...]
    says: str
    counts: bool = False

    @property
    def full_name(self) -> str:
        """As Prometheus knows it."""
        return PREFIX + self.name


ALL = (
    Served("watch_seen_timestamp_seconds", ("target",), "When rollout watch last looked."),
    Served("watch_interval_seconds", ("target",), "How often rollout watch means to look."),
    Served("watch_silent", ("target", "host"), "1: a node or splitter that did not tell what the last look asked."),
    Served("rollout_under_way", ("target",), "1 while a rollout is neither completed nor taken back, else 0."),
    Served(
        "rollout_stage_info",
        ("target", "rollout", "plan", "phase", "stage", "standing"),
        "1: where the newest rollout stands.",
    ),
    Served("rollout_share", ("target",), "The share of spaces that its stage treats; 0 where none is under way."),
    Served("baseline", ("target", "node", "address", "quantity"), "What the recorded baseline says of a node."),
    Served("runs_open", ("target",), "Runs that were interrupted, left something undone, or wait for an approval."),
    Served("runs_needing_a_person", ("target",), "Runs whose undo failed, too."),
    Served(
        "validated_timestamp_seconds", ("target", "recommendation"), "When runbook validate last ran, and what it said."
    ),
    Served(
        "backup_verified_timestamp_seconds",
        ("target", "node"),
        "Of when the newest backup is that was proven at level 2 at least.",
    ),
    Served("journal_entries", (), "Entries of the journal."),
    Served("journal_sound", (), "1 where every entry is as it was written, else 0; absent until all were read."),
    Served("webhook_requests_total", ("outcome",), "Requests to the webhook, by what became of them.", counts=True),
    Served("notifications_total", ("receiver", "outcome"), "Notifications, by what became of them.", counts=True),
)
BY_NAME = {each.name: each for each in ALL}
