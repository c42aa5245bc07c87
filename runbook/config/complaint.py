"""What is wrong with a configuration document, said so that it can be put right."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runbook.material import fits, schema, unfit

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_TYPES = {
    "string": "a text in quotes",
    "boolean": "true or false",
    "object": "a table",
    "integer": "a whole number",
    "array": "a list in brackets",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One fault: its place in the document, what it is, and what to do."""

    place: str
    what: str
    hint: str


def first_complaint(document: dict[str, Any]) -> Complaint | None:
    """The first fault in the order of the document's paths, or None where it fits its schema."""
    if fits("config.v1", document):
        return None
    errors = sorted(unfit("config.v1", document), key=_order)
    return _complaint(errors[0], len(errors) - 1) if errors else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """A hint for a word that is not known: the one that was probably meant, and all that there are."""
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return f"{meant}known: {', '.join(choices)}" if choices else "there are none"


def _meant(unknown: str, known: Mapping[str, Any]) -> str:
    """What was meant by a key that is unknown here; a rail is often written beside its table."""
    if "rails" in known and unknown in schema("config.v1")["$defs"]["rails"]["properties"]:
        return f"it stands under [targets.NAME.rails]: {unknown} = ..."
    return suggestion(unknown, known)


def _order(error: "ValidationError") -> tuple[str, bool]:
    """By place; an unknown key before a missing one, which it is often the misspelling of."""
    return error.json_path, error.validator != "additionalProperties"


def _complaint(error: "ValidationError", more: int) -> Complaint:
    rule: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    limit: Any = error.validator_value
    instance: Any = error.instance
    place = ".".join(str(part) for part in error.absolute_path)
    what, hint = error.message, str(rule.get("description", ""))
    match error.validator:
        case "additionalProperties":
            known = rule["properties"]
            unknown = min(set(instance) - set(known))
            place, what, hint = f"{place}.{unknown}".lstrip("."), "unknown key", _meant(unknown, known)
        case "required":
            missing = next(key for key in limit if key not in instance)
            place, what = f"{place}.{missing}".lstrip("."), "missing"
            hint = "write version = 1" if missing == "version" else rule["properties"][missing]["description"]
        case "type":
            what = f"must be {_TYPES[limit]}"
        case "const":
            what = f"must be {limit}"
        case "enum":
            what, hint = f"{instance!r} is not allowed", suggestion(str(instance), limit)
        case "minimum":
            what = f"must be at least {limit}, not {instance}"
        case "pattern" if hint:
            what = "does not have the right form"  # a URL that is refused may hold a password: it is not repeated
        case "pattern":  # the rule for names of targets has no description of its own
            what, hint = f"{instance!r} is not allowed", "a name is letters, digits, '.', '_' and '-', at most 64"
    others = f" (and {more} more in this file)" if more else ""
    return Complaint(place or "the document", what + others, hint)
