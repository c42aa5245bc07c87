"""The console's pages, without a browser: what they say, what they refuse, and that all in them is ours."""

import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import chain, islice
from pathlib import Path

import pytest
from asking import ask
from console_state import EVIL, LONG, NEEDS_A_PERSON, ROLLED_BACK, UNDER_WAY, WAITS, entries_of_everything, make_state
from journal_maker import make_journal, many
from starlette.types import ASGIApp

from runbook.adapters.clock import SystemClock
from runbook.adapters.heartbeat import FileHeartbeats
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.following import Follower
from runbook.adapters.journal.second import SecondPlace
from runbook.errors import DamagedError, StorageError
from runbook.model.heartbeat import Heartbeat
from runbook.model.journal import Event
from runbook.serve.app import Parts, application
from runbook.serve.console.routes import routes
from runbook.serve.console.source import Source

PAGES = (
    "/",
    "/rollout",
    f"/rollout/{ROLLED_BACK}",
    f"/rollout/{UNDER_WAY}",
    "/validator",
    "/runs",
    "/runs?show=unsettled",
    f"/runs/{NEEDS_A_PERSON}",
    f"/runs/{WAITS}",
    "/journal",
    "/journal?event=rollout.judged",
    f"/journal?run={ROLLED_BACK}&event=rollout.judged",
    "/journal/40",
    "/journal/89",
    "/alerts",
)


class Balance(HTMLParser):
    """A page whose elements are closed as they were opened."""

    void = frozenset({"meta", "link", "input"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, _: object) -> None:
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class LateClock(SystemClock):
    """A little after the last entry of the state."""

    def now(self) -> datetime:
        """That moment."""
        return datetime(2026, 11, 27, 17, tzinfo=UTC)


def console(folder: Path, heartbeats: FileHeartbeats | None = None, *, read: bool = True) -> ASGIApp:
    """The console of a state folder, behind the doors of `serve`."""
    follower = Follower(folder, SystemClock(), second=SecondPlace(folder, [folder / "second"]))
    if read:
        follower.catch_up()
    source = Source(follower, heartbeats or FileHeartbeats(folder), LateClock(), lambda: {"production": "production"})
    return application(Parts(routes(source)))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ASGIApp:
    """One console for the tests that only read."""
    return console(make_state(tmp_path_factory.mktemp("console") / "state"))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_whole_escaped_and_only_ours(app: ASGIApp, page: str) -> None:
    """It answers, has language, title, one h1 and a main; no script, no style inside, nothing from elsewhere.

    Hostile words stand in it as text, and what turns text around or moves a cursor is spelled out.
    """
    found = ask(app, page)
    assert found.status == 200
    text = found.text
    Balance(text)
    assert '<html lang="en">' in text
    assert (text.count("<h1>"), text.count('<main id="main"')) == (1, 1)
    assert "<script" not in text
    assert "<img" not in text
    assert re.search(r"<[^>]*\s(style|on\w+)=", text) is None
    assert re.search(r'(href|src|action)="(?!/|#)', text) is None
    assert not [each for each in text if each != "\n" and not each.isprintable()]
    assert "\u202e" not in text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_tells_the_command_and_is_json_too(app: ASGIApp, page: str) -> None:
    """What the page says is said in a terminal by the command at its foot; and as data, with the same words."""
    assert "The same in a terminal" in ask(app, page).text
    asked = ask(app, f"{page}{'&' if '?' in page else '?'}format=json")
    assert asked.headers["content-type"] == "application/json"
    told = json.loads(asked.text)
    assert told["command"].startswith("runbook ")
    assert told["journal"]["sound"] is True


def test_headers_keep_a_page_to_itself(app: ASGIApp) -> None:
    """No script may run, nothing is fetched from elsewhere, nobody is told the address, nothing is kept."""
    headers = ask(app, "/").headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; img-src 'self';")
    assert "script" not in headers["content-security-policy"]
    assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")
    assert "refresh" not in headers


def test_what_needs_a_person_stands_first(app: ASGIApp) -> None:
    """A run whose undo failed, one that waits, a rollout that is held and not watched, and one that was taken back."""
    told = json.loads(ask(app, "/?format=json").text)
    needs = [(each["tone"], each["told"]) for each in told["needs"]]
    assert [tone for tone, _ in needs] == ["FAIL", "FAIL", "UNKNOWN", "UNKNOWN", "UNKNOWN"]
    assert needs[0][1].startswith(f"production: run {NEEDS_A_PERSON} (")
    assert needs[1][1] == "production: nobody watches the rollout: the watch is silent"
    assert needs[2][1].startswith(f"production: run {WAITS} (")
    assert needs[3][1].startswith("production: the rollout is held: ")
    assert needs[4][1].startswith("sandbox: the rollout was rolled back: half: latency: ")
    text = ask(app, "/").text
    assert text.index("needs a person now") < text.index('id="target-1"')


def test_one_run_that_needs_a_person_is_not_lost_among_many(tmp_path: Path) -> None:
    """However many newer ones are open, it stands first; the others are counted. Its target need not be configured."""
    known = list(entries_of_everything())
    folder = tmp_path / "state"
    open_ones = (each for each in many(80_000) if each.event is Event.RUN_STARTED)
    newer = (replace(each, seq=len(known) + at) for at, each in enumerate(islice(open_ones, 200), 1))
    make_journal(folder, chain(known, newer))
    follower = Follower(folder, SystemClock(), second=SecondPlace(folder, []))
    source = Source(follower, FileHeartbeats(folder), LateClock(), dict)
    told = json.loads(ask(application(Parts(routes(source))), "/?format=json").text)
    assert NEEDS_A_PERSON in told["needs"][0]["told"]
    assert told["more"] == 202 - 50
    assert {target["name"] for target in told["targets"]} == {"production", "sandbox"}


def test_a_rollout_shows_its_intervals_over_the_looks(app: ASGIApp) -> None:
    """Each look of each guardrail, in a chart and in a table: the last one of latency is the harm that ended it."""
    page = ask(app, f"/rollout/{ROLLED_BACK}").text
    told = json.loads(ask(app, f"/rollout/{ROLLED_BACK}?format=json").text)
    latency = told["guardrails"][0]
    assert (latency["stage"], latency["metric"], len(latency["looks"])) == ("half", "latency", 7)
    last = latency["looks"][-1]
    assert (last["verdict"], last["look"], last["low"] > 0) == ("harm", 7.0, True)
    assert f'<td class="number">{last["value"] * 100:+.2f}</td>' in page
    assert page.count('<svg role="img"') == len(told["guardrails"])
    assert "no end" in page, "an early look had no interval, and says so"
    assert "runbook evidence show /var/lib/engram-runbook/evidence/" in page


def test_a_rollout_under_way_says_what_lets_it_go_on(app: ASGIApp) -> None:
    """Time and people by their numbers, as `rollout status` tells them; and on the overview what is shut."""
    told = json.loads(ask(app, f"/rollout/{UNDER_WAY}?format=json").text)
    gates = {gate["name"]: (gate["answer"], gate["arithmetic"]) for gate in told["gates"]}
    assert gates["standing"][0] == "NO"
    assert gates["time of the stage"] == ("YES", "shadow has lasted 1 hour 14 minutes of 20 seconds")
    (target,) = (each for each in json.loads(ask(app, "/?format=json").text)["targets"] if each["name"] == "production")
    assert [gate["name"] for gate in target["shut"]] == ["standing"]
    assert json.loads(ask(app, f"/rollout/{ROLLED_BACK}?format=json").text)["gates"] == []


def test_a_run_shows_its_steps_and_the_commands_of_it(app: ASGIApp) -> None:
    """What was set where, what the node said, and how to put it back; one that waits says who may begin it."""
    page = ask(app, f"/runs/{NEEDS_A_PERSON}").text
    assert "dual_memory.semantic_weight" in page
    assert f"runbook undo {NEEDS_A_PERSON}" in page
    assert f"runbook approve {WAITS}" in ask(app, f"/runs/{WAITS}").text


def test_long_words_are_cut_in_lists_and_whole_in_the_entry(app: ASGIApp) -> None:
    """Ten thousand letters fill no list; the entry's own page has all of them."""
    for page in PAGES:
        assert page == "/journal/89" or LONG not in ask(app, page).text, page
    assert LONG in ask(app, "/journal?event=rollout.noted&format=json").text
    assert LONG in ask(app, "/journal/89").text


@pytest.mark.parametrize(
    "address",
    [
        "/journal?below=0",
        "/journal?below=-1",
        "/journal?below=1e3",
        "/journal?below=%D9%A1",
        "/journal?below=99999999999999",
        "/journal?event=nothing",
        f"/journal?run={'r' * 201}",
        "/journal?run=%00",
        "/runs?show=some",
        "/?format=xml",
        "/?refresh=1",
        f"/?x={'y' * 3000}",
    ],
)
def test_a_bad_value_is_refused_with_its_reason(app: ASGIApp, address: str) -> None:
    """It is 400, with a page that says what is wrong with it; never 500."""
    found = ask(app, address)
    assert found.status == 400
    assert "<h1>Bad Request</h1>" in found.text


@pytest.mark.parametrize(
    "address",
    [
        *("/nowhere", "/runs/none", "/rollout/none", "/%2e%2e/x"),
        *("/journal/9999", "/journal/x", "/journal/%D9%A1", f"/journal/{'9' * 5000}"),
    ],
    ids=lambda address: address[:20],
)
def test_what_is_not_there_is_said(app: ASGIApp, address: str) -> None:
    """It is 404, as a page with the ways back."""
    found = ask(app, address)
    assert found.status == 404
    assert 'href="/journal"' in found.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("address", ["/", "/runs", "/journal/1", "/nowhere"])
def test_nothing_can_be_changed(app: ASGIApp, method: str, address: str) -> None:
    """Whatever is not a question is refused."""
    found = ask(app, address, method)
    assert (found.status, found.headers["allow"]) == (405, "GET, HEAD")


def test_a_command_can_be_copied_whatever_a_target_is_called(tmp_path: Path) -> None:
    """Its name is one word of the command, so a shell reads nothing else into it."""
    follower = Follower(tmp_path, SystemClock(), second=SecondPlace(tmp_path, []))
    source = Source(follower, FileHeartbeats(tmp_path), SystemClock(), lambda: {"x; reboot $(id)": ""})
    page = ask(application(Parts(routes(source))), "/validator").text
    assert "runbook validate --target &#39;x; reboot $(id)&#39;</code>" in page


def test_hostile_words_in_an_address_are_text(app: ASGIApp) -> None:
    """What a link of somebody else's puts into the address comes back as text."""
    for address in (
        "/%3Cscript%3Ealert(1)%3C/script%3E",
        "/journal?event=%3Cscript%3E",
        "/runs?target=%22%3E%3Cscript%3E",
    ):
        assert "<script" not in ask(app, address).text


def test_the_reader_chooses_to_be_asked_again(app: ASGIApp) -> None:
    """A header does it, no script; every link of the page keeps the wish, and one of them ends it."""
    found = ask(app, "/journal?refresh=30&event=rollout.judged")
    assert found.headers["refresh"] == "30"
    assert 'href="/runs?refresh=30"' in found.text
    assert 'href="/journal?event=rollout.judged">never' in found.text


def test_the_stylesheet_is_asked_for_once(app: ASGIApp) -> None:
    """It has a tag; a browser that has it already is told so."""
    first = ask(app, "/style.css")
    assert (first.status, first.headers["content-type"]) == (200, "text/css; charset=utf-8")
    again = ask(app, "/style.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.text) == (304, "")
    assert "url(" not in first.text
    assert "@import" not in first.text


def test_pages_of_the_journal_follow_each_other(app: ASGIApp) -> None:
    """From the newest to the first, no entry twice and none left out."""
    seen: list[int] = []
    address = "/journal?format=json"
    while address:
        told = json.loads(ask(app, address).text)
        seen += [line["seq"] for line in told["lines"]]
        address = f"/journal?format=json&below={told['older']}" if told["older"] else ""
    assert seen == list(range(100, 0, -1))


def test_pages_of_runs_follow_each_other(app: ASGIApp) -> None:
    """Each run once, the newest first."""
    told = json.loads(ask(app, "/runs?format=json").text)
    ids = [run["id"] for run in told["runs"]]
    assert ids[:2] == [WAITS, NEEDS_A_PERSON]
    assert len(set(ids)) == len(ids) == told["all"]
    assert json.loads(ask(app, f"/runs?format=json&below={told['all']}").text)["runs"][0]["id"] == NEEDS_A_PERSON
    assert {run["target"] for run in json.loads(ask(app, "/runs?target=sandbox&format=json").text)["runs"]} == {
        "sandbox"
    }


def _damaged(folder: Path) -> None:
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"Set dual', b'"SET dual', 1))


def _torn(folder: Path) -> None:
    with (folder / "journal.jsonl").open("ab") as file:
        file.write(b'{"seq":')


def _waiting(folder: Path) -> None:
    journal = FileJournal(folder, SystemClock(), "anna", "bastion", second=SecondPlace(folder, [folder / "second"]))
    journal.rescue(Event.ROLLOUT_ENDED, UNDER_WAY, {"stage": 0, "standing": "aborted", "why": EVIL}, "no space")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_damaged, "line 4, byte "),
        (_torn, "Its end was never finished"),
        (_waiting, "Waiting in the second place"),
    ],
)
def test_a_journal_in_trouble_is_shown_and_said(tmp_path: Path, change: object, words: str) -> None:
    """Damaged, torn, or refusing entries: each page still answers, and the journal's says what and where."""
    folder = make_state(tmp_path / "state")
    assert callable(change)
    change(folder)
    app = console(folder)
    assert words in ask(app, "/journal").text
    assert {page: ask(app, page).status for page in PAGES} == dict.fromkeys(PAGES, 200)


def test_a_rollback_that_the_journal_refused_counts(tmp_path: Path) -> None:
    """An end that waits in the second place is shown as the end that it is."""
    folder = make_state(tmp_path / "state")
    _waiting(folder)
    told = json.loads(ask(console(folder), f"/rollout/{UNDER_WAY}?format=json").text)
    assert told["rollout"]["standing"] == "aborted"


def test_no_journal_yet(tmp_path: Path) -> None:
    """Before the first command: pages that say so, and no error."""
    app = console(tmp_path)
    assert "There is no journal yet" in ask(app, "/").text
    assert [ask(app, page).status for page in ("/", "/runs", "/rollout", "/validator", "/journal", "/alerts")] == [
        200
    ] * 6


def test_a_watch_that_cannot_be_told_is_unknown(tmp_path: Path) -> None:
    """A sign of life that does not read is neither heard of nor silent."""

    class Unreadable(FileHeartbeats):
        def last(self, target: str) -> Heartbeat | None:
            raise StorageError(f"cannot read {target}")

    folder = make_state(tmp_path / "state")
    told = json.loads(ask(console(folder, Unreadable(folder)), f"/rollout/{UNDER_WAY}?format=json").text)
    assert (told["watch"]["state"], told["watch"]["tone"]) == ("unknown", "UNKNOWN")


def test_a_configuration_that_does_not_read_is_said(tmp_path: Path) -> None:
    """What the journal knows is shown all the same, and that targets may be missing is said."""

    def unreadable() -> dict[str, str]:
        raise DamagedError("runbook.toml: line 3: no value")

    folder = make_state(tmp_path / "state")
    follower = Follower(folder, SystemClock(), second=SecondPlace(folder, []))
    app = application(Parts(routes(Source(follower, FileHeartbeats(folder), LateClock(), unreadable))))
    told = json.loads(ask(app, "/?format=json").text)
    assert "The configuration does not read: runbook.toml: line 3: no value" in [each["told"] for each in told["needs"]]
    assert [target["name"] for target in told["targets"]] == ["production", "sandbox"]


def test_the_first_reading_is_said_with_its_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the journal is read, each page says how far it is, and shows what is known so far."""
    folder = make_state(tmp_path / "state")
    monkeypatch.setattr("runbook.adapters.journal.following.follower.SLICE_LINES", 10)
    monkeypatch.setattr("runbook.serve.console.pages.SLICE_SECONDS", 0.0)
    found = ask(console(folder, read=False), "/journal")
    assert "The journal is being read for the first time" in found.text
    assert '<progress max="100"' in found.text
    assert "10 entries" in found.text


def test_a_page_reads_its_own_lines_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind twenty thousand other entries, no page reads more lines than it shows, or than its runs consist of."""
    folder = tmp_path / "state"
    known = list(entries_of_everything())
    make_journal(folder, chain(known, many(20_000, len(known) + 1)))
    app = console(folder)
    taken: list[int] = []
    real = os.pread

    def pread(descriptor: int, length: int, offset: int) -> bytes:
        taken.append(length)
        return real(descriptor, length, offset)

    monkeypatch.setattr(os, "pread", pread)
    for page in PAGES:
        taken.clear()
        assert ask(app, page).status == 200
        assert len(taken) <= 6 * 50, page
        assert sum(taken) <= 400_000, page


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(each * 2 for each in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_of_text_has_contrast_enough(app: ASGIApp, scheme: int) -> None:
    """WCAG AA by the stylesheet's own colours: 4.5 for text on paper and card, 3 for lines and marks."""
    roots = re.findall(r":root\{([^}]*)\}", ask(app, "/style.css").text)
    colours = dict(re.findall(r"--(\w+):(#[0-9a-f]+)", roots[scheme]))
    for ground in ("paper", "card"):
        for text in ("ink", "faint", "PASS", "FAIL", "UNKNOWN", "s0"):
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for mark in [name for name in colours if re.fullmatch(r"s\d", name)]:
            assert _contrast(colours[mark], colours[ground]) >= 3.0, (mark, ground)
