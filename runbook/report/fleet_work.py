"""What every host did with the data of its own node, as lines for people and as data."""

from collections.abc import Iterator
from typing import Any

from runbook.engine.fleet.work import FleetWorked
from runbook.report.lines import Line, Style, line

WORDS = {
    "fetch_backup": "Fetch",
    "restore_backup": "Restore beside what is served",
    "activate_backup": "Serve what was restored",
    "migrate_data": "Migrate",
    "revert_migration": "Go back to what was served before the migration",
    "finalize_migration": "Drop what was served before the migration",
}


def worked_data(worked: FleetWorked) -> dict[str, Any]:
    """Every host, with what its own `runbook` printed."""
    work = worked.work
    return {
        "run": work.run,
        "target": work.target,
        "work": work.playbook,
        "done": worked.done,
        "hosts": [
            {
                "host": each.host,
                "state": each.state.value,
                "code": each.code,
                "message": each.message,
                "report": None if each.report is None else dict(each.report),
            }
            for each in worked.results
        ],
    }


def worked_lines(worked: FleetWorked, next_steps: tuple[str, ...] = ()) -> Iterator[Line]:
    """A line a host, then what can be done next."""
    yield line(f"{WORDS[worked.work.playbook]}: {worked.work.target}, every node on its own host", Style.STRONG)
    for each in worked.results:
        style = Style.PLAIN if each.done else Style.BAD
        yield line(f"{each.host}: {'' if each.done else 'NOT DONE: '}{each.message}", style, indent=2, hang=2)
    yield from (line(text, Style.FAINT, indent=2, hang=2) for text in next_steps)
