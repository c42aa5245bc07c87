"""How values become HTML: everything that is not a template's own is escaped, and made printable before that."""

import json
import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from runbook.model.duration import in_words
from runbook.report.lines import printable
from runbook.report.lines import shown as setting_shown

LONGEST_TEXT = 600
"""Characters of a text in a list; the entry's own page has all of it."""


@cache
def environment() -> Environment:
    """The templates, and what they may call."""
    made = Environment(
        loader=PackageLoader("runbook.serve.console"),
        autoescape=True,
        auto_reload=False,  # an upgrade beside a running server does not mix its pages with ours
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"when": _when, "ago": _ago, "share": _share, "percent": _percent, "short": _short}
    made.filters |= {"setting": _setting, "spread": _spread, "query": _query, "told": _one_line, "shell": _shell}
    made.globals |= {"to": _to}
    return made


def _finalized(value: Any) -> Any:
    """What a person or a node said may hold anything: control characters, or marks that turn the text around."""
    if isinstance(value, Markup):
        return value
    return "" if value is None else printable(str(value))


def _moment(value: str | datetime) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _when(value: str | datetime) -> Markup:
    at = _moment(value)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S} UTC")


@pass_context
def _ago(context: Context, value: str | datetime) -> str:
    passed = context["now"] - _moment(value)
    return "just now" if abs(passed) < timedelta(seconds=1) else _told(passed)


def _told(passed: timedelta) -> str:
    words = in_words(timedelta(seconds=round(abs(passed).total_seconds())))
    return f"{words} ago" if passed > timedelta(0) else f"in {words}"


def _percent(value: float) -> str:
    return f"{round(value * 100, 2) or 0.0:+.2f}"


def _share(value: float) -> str:
    return f"{value * 100:g} %"


def _short(value: object, most: int = LONGEST_TEXT) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def _setting(value: Any) -> str:
    return setting_shown(tuple(map(str, value)) if isinstance(value, list) else value)


def _shell(word: object) -> str:
    """As one word of a command, whatever is in it: people copy commands from here."""
    return shlex.quote(str(word))


def _one_line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _spread(value: Any) -> list[str]:
    """JSON in lines, as a person reads it."""
    return json.dumps(value, indent=2, ensure_ascii=False).split("\n")


def _query(kept: Mapping[str, str], seconds: int | str, kind: str = "") -> str:
    """What was asked of this page, with another wish to be asked again."""
    asked = {**kept, **({"refresh": str(seconds)} if seconds else {}), **({"format": kind} if kind else {})}
    return f"?{urlencode(asked)}" if asked else ""


@pass_context
def _to(context: Context, *parts: str, **query: object) -> str:
    """A path made of parts, with what the reader chose for every page (`refresh`) and what is asked of this one."""
    path = "/" + "/".join(quote(str(part), safe="") for part in parts if part)
    asked = {name: str(value) for name, value in query.items() if value is not None}
    if "refresh" not in query and context.get("refresh"):
        asked["refresh"] = str(context["refresh"])
    return path + (f"?{urlencode(asked)}" if asked else "")


def warm_up() -> None:
    """Compile every template now, so that no reader waits for it."""
    for name in environment().list_templates(["html"]):
        environment().get_template(name)


def rendered(template: str, context: Mapping[str, Any]) -> str:
    """The page."""
    return environment().get_template(template).render(context)
