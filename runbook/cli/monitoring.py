"""Carry out `runbook monitoring`: write what others load, or say whether it is in step; tell what is scraped."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click

from runbook.adapters.published import Standing, compare, publish
from runbook.cli import compose
from runbook.cli.issue import known_issues
from runbook.cli.rollout.plans import chosen, several
from runbook.cli.screen import show, show_json
from runbook.engine.rollout.state import rollouts_of
from runbook.errors import ExitCode
from runbook.model.rollout import RolloutPlan
from runbook.report.document import envelope
from runbook.report.lines import Style, line
from runbook.report.monitoring.folder import EXAMPLES, Wanted, monitoring_files
from runbook.report.monitoring.scrape import scrape_targets

_PLAN_LABEL = re.compile(r'^ +plan: "([^"]+)"$', re.MULTILINE)
_STYLES = {Standing.DIFFERS: Style.BAD, Standing.MISSING: Style.BAD, Standing.WRITTEN: Style.STRONG}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person said."""

    plan: tuple[str, ...]
    under_way: bool
    scrape_interval: timedelta
    docs: str
    check: bool
    as_json: bool


def write_files(folder: Path, wishes: Wishes) -> ExitCode:
    """Write the folder, or compare it.

    Raises:
        UsageError: there is no such plan, or two differ and have one name.
        DamagedError, NotSupportedError: its file is no plan, or the journal is damaged.
        StorageError: the disk refused.
    """
    plans = _plans(wishes)
    files = monitoring_files(known_issues(), Wanted(plans, wishes.scrape_interval, wishes.docs))
    names = [plan.name for plan in plans]
    dropped = _dropped(folder, names)
    found = compare(folder, files, EXAMPLES) if wishes.check else publish(folder, files, EXAMPLES)
    bad = {Standing.DIFFERS, Standing.MISSING} & set(found.values())
    code = ExitCode.BAD_NEWS if bad else ExitCode.DONE
    if wishes.as_json:
        rows = [{"path": name, "standing": standing.value} for name, standing in found.items()]
        data = {"folder": str(folder), "plan": names[0], "plans": names, "files": rows}
        show_json(envelope("monitoring", "runbook monitoring write", code, data))
    else:
        show(
            line(f"{standing.value:<8} {name}", _STYLES.get(standing, Style.PLAIN)) for name, standing in found.items()
        )
        if dropped:
            show([line(_told_of(dropped, check=wishes.check), Style.UNSURE)])
        told = _summary(found, folder, f"plan{'s' if len(names) > 1 else ''} {', '.join(names)}", check=wishes.check)
        show([line(told, Style.BAD if bad else Style.GOOD)])
    return code


def _plans(wishes: Wishes) -> Sequence[RolloutPlan]:
    """Those that were asked for; one that is under way by such a name counts as it is carried out."""
    found = several(map(chosen, wishes.plan))
    if wishes.under_way:
        rollouts = rollouts_of(compose.session().journal.entries()).values()
        found |= several(each.plan for each in rollouts if not each.standing.is_over)
    return tuple(found.values())


def _dropped(folder: Path, names: Sequence[str]) -> Sequence[str]:
    """The plans that the rules which are there ask of, and that are none of these."""
    try:
        there = (folder / "rules" / "rollout.yml").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ()
    return sorted(set(_PLAN_LABEL.findall(there)) - set(names))


def _told_of(dropped: Sequence[str], *, check: bool) -> str:
    """Rules that are taken away without a word would be missed during the rollout that they are for."""
    no_more = "would not be alerted of any more" if check else "not alerted of any more"
    return f"{no_more}: plan {', '.join(dropped)} (--under-way adds those that are under way, --plan FILE any other)"


def _summary(found: Mapping[str, Standing], folder: Path, plans: str, *, check: bool) -> str:
    out = sum(standing in {Standing.DIFFERS, Standing.MISSING} for standing in found.values())
    if out:
        return f"{out} of {len(found)} files in {folder} are out of step with {plans}: leave out --check"
    if check:
        return f"nothing to write: {len(found)} files in {folder} are in step with {plans}, or yours"
    written = [name for name, standing in found.items() if standing is Standing.WRITTEN]
    then = "; reload Prometheus" if any(name.startswith("rules/") for name in written) else ""
    return f"{len(written)} of {len(found)} files written, the others are in step with {plans}: {folder}{then}"


def tell_scrape(target: str | None, config: Path | None, *, as_json: bool) -> ExitCode:
    """Print what Prometheus has to scrape.

    Raises:
        UsageError, DamagedError: there is no such target, or its inventory is none.
    """
    found = compose.target_of(compose.session(), target, config)
    rows = scrape_targets(found)
    if as_json:
        data = {"target": found.name, "scrape": rows}
        show_json(envelope("monitoring_scrape", "runbook monitoring scrape", ExitCode.DONE, data))
    else:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    return ExitCode.DONE
