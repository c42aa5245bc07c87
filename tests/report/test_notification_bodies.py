"""Bodies for receivers: what Slack and PagerDuty document, and no words of anybody's can leave their string."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.errors import DamagedError
from runbook.model.notification import Kind, Message, Severity
from runbook.report.notification import body_of, built_in

AT = datetime(2026, 11, 22, 21, 30, 1, 500, tzinfo=UTC)
KEY = "R0123456789abcdef0123456789abcde"
MESSAGE = Message(
    seq=7,
    at=AT,
    event="rollout.held",
    kinds=frozenset({Kind.PHASE, Kind.PERSON}),
    severity=Severity.WARNING,
    trouble=True,
    title="prod: the rollout is held at canary",
    text="the judge says harm",
    target="prod",
    subject="20261122T213000-4f1a",
    who="ann",
    where="bastion",
    commands=("runbook rollout status --target prod",),
)
HOSTILE = (
    '"}, "event_action": "resolve", "x": "',
    "\\",
    '\\"',
    "\n\r\t\x00\x1b[2J\u2028",
    "{{ secret }}{% for x in range(9) %}x{% endfor %}",
    "<!channel> <https://evil.example|click> &",
    "```` `x` ```",
    "\ud800",
    "é漢字😀" * 400,
)


def filled(template: str, message: Message = MESSAGE) -> dict[str, Any]:
    """The body as the receiver reads it."""
    found: dict[str, Any] = json.loads(body_of(message, template, KEY))
    return found


def hostile(text: str) -> Message:
    """That text wherever people's or peers' words stand."""
    named = replace(MESSAGE, title=text, text=text, target=text, subject=text, who=text, where=text)
    return replace(named, commands=(text, text))


def shape(document: Any) -> Any:
    """The document without its words."""
    match document:
        case dict():
            return {key: shape(each) for key, each in document.items()}
        case list():
            return [shape(each) for each in document]
        case _:
            return type(document)


def test_slack_gets_what_an_incoming_webhook_takes() -> None:
    """`text` for the notification, then blocks: a header of at most 150 plain characters, sections of at most 3000.

    Source: Slack's pages on incoming webhooks and on the blocks header, section and context.
    """
    for message in (MESSAGE, *map(hostile, HOSTILE), hostile("&" * 2000), replace(MESSAGE, text="", commands=())):
        body = filled("slack", message)
        assert set(body) == {"text", "blocks"}
        header, section, context = body["blocks"]
        assert [each["type"] for each in body["blocks"]] == ["header", "section", "context"]
        assert header["text"]["type"] == "plain_text"
        assert 1 <= len(header["text"]["text"]) <= 150
        assert section["text"]["type"] == "mrkdwn"
        assert 1 <= len(section["text"]["text"]) <= 3000
        assert [each["type"] for each in context["elements"]] == ["plain_text"]


def test_nobody_is_called_and_nothing_linked_in_slack_by_a_reason() -> None:
    """`<!channel>` would wake everybody; a link can say that it leads elsewhere."""
    body = filled("slack", hostile("<!channel> <https://evil.example|click> & `x`"))
    texts = [body["text"], body["blocks"][1]["text"]["text"]]
    for text in texts:
        assert "<" not in text
        assert ">" not in text
        assert "&lt;!channel&gt;" in text
    assert body["blocks"][1]["text"]["text"].count("```") == 2


def test_pagerduty_gets_an_event_of_its_api_v2() -> None:
    """Source: PagerDuty's Events API v2: the fields that are needed, their values and lengths."""
    for message in (MESSAGE, *map(hostile, HOSTILE)):
        body = filled("pagerduty", message)
        assert body["routing_key"] == KEY
        assert len(KEY) == 32
        assert body["event_action"] in {"trigger", "acknowledge", "resolve"}
        assert 1 <= len(body["dedup_key"]) <= 255
        payload = body["payload"]
        assert {"summary", "source", "severity"} <= set(payload)
        assert 1 <= len(payload["summary"]) <= 1024
        assert payload["severity"] in {"critical", "error", "warning", "info"}
        assert payload["source"]
        assert datetime.fromisoformat(payload["timestamp"]) == AT.replace(microsecond=0)
        assert isinstance(payload["custom_details"], dict)


def test_the_end_of_a_trouble_resolves_the_incident_that_it_opened() -> None:
    """By the key of its subject."""
    over = filled("pagerduty", replace(MESSAGE, seq=8, trouble=False, severity=Severity.INFO))
    begun = filled("pagerduty")
    assert (begun["event_action"], over["event_action"]) == ("trigger", "resolve")
    assert begun["dedup_key"] == over["dedup_key"] == "engram-runbook/prod/20261122T213000-4f1a"


def test_plain_says_everything() -> None:
    """For whoever writes a receiver of one's own."""
    body = filled("plain")
    assert (body["seq"], body["action"], body["kinds"]) == ("7", "trigger", "person phase")
    assert body["commands"] == "runbook rollout status --target prod"
    assert KEY not in json.dumps(body)


@pytest.mark.parametrize("template", built_in())
@given(st.text(st.characters(exclude_categories=[])))
def test_no_words_change_the_shape_of_a_body(template: str, text: str) -> None:
    """Any text at all: it stays in its string."""
    assert shape(filled(template, hostile(text))) == shape(filled(template))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_arrive_as_they_are_in_plain(text: str) -> None:
    """Nothing is lost, nothing is run: a template in a reason is only words."""
    assert filled("plain", hostile(text))["text"] == text


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    """A JSON document whose texts are templates; what is no text stays as it is."""
    own = tmp_path / "own.json"
    own.write_text('{"a": ["{{ title | upper }}", 1, null, {"b": "{% if severity == \'warning\' %}!{% endif %}"}]}')
    assert filled(str(own)) == {"a": ["PROD: THE ROLLOUT IS HELD AT CANARY", 1, None, {"b": "!"}]}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "",
        '{"a": "{{ nothing }}"}',
        '{"a": "{{ title.__class__.__mro__ }}"}',
        '{"a": "{{ commands.append(1) }}"}',
        '{"a": "{% include \'/etc/passwd\' %}"}',
        '{"a": "{{ 1/0 }}"}',
        '{"a": "{% for %}"}',
        "[" * 100_000,
    ],
)
def test_a_template_that_is_wrong_or_reaches_out_is_refused(tmp_path: Path, text: str) -> None:
    """It is said which one, and never with what would have been filled in."""
    own = tmp_path / "own.json"
    own.write_text(text)
    with pytest.raises(DamagedError, match=r"the template .*own\.json") as told:
        body_of(MESSAGE, str(own), KEY)
    assert KEY not in told.value.message


def test_a_template_that_fails_is_told_by_the_place_and_not_by_its_words(tmp_path: Path) -> None:
    """People write a key into a template: it must not get into the journal, nor onto the console."""
    own = tmp_path / "own.json"
    own.write_text('{"parts": [1, {"key": "a-key-of-ours {{ nothing }}"}]}')
    with pytest.raises(DamagedError) as told:
        body_of(MESSAGE, str(own), KEY)
    assert told.value.message == f"the template {own}: .parts[1].key cannot be filled in: UndefinedError"


def test_a_template_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(DamagedError, match="cannot be read"):
        body_of(MESSAGE, str(tmp_path / "none.json"), KEY)
