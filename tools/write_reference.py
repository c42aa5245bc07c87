"""Writes the generated documents from the code; with `--check` it only says whether they are in step.

Every command, exit code, setting, metric, endpoint, incident, alert and archive has its page by existing; the rules
and dashboards of `monitoring/` are written, too.
"""

import difflib
import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["COLUMNS"] = "100"  # the same fold on every machine

from pages import alerts, archives, incidents, manual, reference, rollout

ROOT = Path(__file__).resolve().parent.parent

PAGES: dict[str, Callable[[], str]] = {
    "reference/commands.md": reference.commands,
    "reference/exit-codes.md": reference.exit_codes,
    "reference/settings.md": reference.settings,
    "reference/metrics.md": reference.metrics,
    "reference/endpoints.md": reference.endpoints,
    "reference/alerts.md": alerts.alerts,
    "reference/archive-format.md": archives.archive_format,
    "reference/incidents.md": incidents.incidents,
    "reference/rollout-plan.md": rollout.rollout_plan,
    "operations/dual_memory_rollout.md": rollout.operations,
    "operations/dual_memory_runbook.md": incidents.operations,
    "man/runbook.1": manual.manual,
}


def main() -> int:
    """Write the pages, or compare them; 1 where one is out of step."""
    stale = 0
    wanted = {f"docs/{name}": write() for name, write in PAGES.items()}
    wanted |= {f"monitoring/{name}": text for name, text in alerts.files().items()}
    for name, text in wanted.items():
        path = ROOT / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old == text:
            continue
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
            continue
        stale = 1
        print(f"{name} is out of step; run: python tools/write_reference.py")
        print("\n".join(list(difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm=""))[:20]))
    return stale


if __name__ == "__main__":
    sys.exit(main())
