"""The console in a real Chromium: narrow, by keyboard, in the dark, without scripts, without a network, hostile."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest
from browser import Browser, chromium
from console_state import NEEDS_A_PERSON, ROLLED_BACK, UNDER_WAY, WAITS, make_state
from running_node import wait_until
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]

PAGES = (
    "/",
    "/rollout",
    f"/rollout/{ROLLED_BACK}",
    f"/rollout/{UNDER_WAY}",
    "/validator",
    "/runs",
    f"/runs/{NEEDS_A_PERSON}",
    f"/runs/{WAITS}",
    "/journal",
    "/journal/40",
    "/journal/89",
    "/alerts",
)
_FOCUSABLE = "a[href], input:not([type=hidden]), select, button, summary, [tabindex='0']"
_VISIBLE = f'[...document.querySelectorAll("{_FOCUSABLE}")].filter(each => each.checkVisibility())'
_FOCUS = (
    """(() => {
  const each = document.activeElement, style = getComputedStyle(each), box = each.getBoundingClientRect();
  return {at: """
    + _VISIBLE
    + """.indexOf(each), outline: style.outlineStyle, width: parseFloat(style.outlineWidth),
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth};
})()"""
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real `runbook serve` over a state folder with everything in it; its address."""
    state = make_state(tmp_path_factory.mktemp("served") / "state")
    command = [sys.executable, "-m", "runbook", "serve", "--port", "0", "--json"]
    environment = {**os.environ, "RUNBOOK_STATE": str(state)}
    environment.pop("RUNBOOK_CONFIG", None)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=state, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["data"]["url"]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for the file."""
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(window: Browser) -> Browser:
    """The browser as it is at first: wide, by day, with scripts."""
    window.emulate(prefers_color_scheme="light")
    window.scripts(allowed=True)
    return window


def test_nothing_hostile_runs_and_nothing_leaves_this_machine(browser: Browser, console: str) -> None:
    """Every page, with scripts allowed: no word of anybody's becomes an element, and nothing complains.

    Whatever the browser asked for, it asked of the console.
    """
    browser.requested()
    browser.complaints()
    for page in PAGES:
        browser.open(console + page)
        assert browser.driver.title.endswith(" - engram-runbook"), page
        assert browser.ask("document.querySelectorAll('script, img, iframe, [onerror], [style]').length") == 0, page
    assert browser.complaints() == []
    assert {each for each in browser.requested() if not each.startswith((console, "data:"))} == set()


@pytest.mark.parametrize(("width", "why"), [(320, "a phone, or 400 % zoom"), (640, "200 % zoom of a laptop's window")])
def test_no_page_scrolls_sideways(browser: Browser, console: str, width: int, why: str) -> None:
    """At 320 pixels and at 640, whatever is too wide scrolls by itself, not the page."""
    browser.emulate(width=width, height=700)
    for page in PAGES:
        browser.open(console + page)
        assert browser.ask("document.documentElement.scrollWidth") <= width, (page, why)


@pytest.mark.parametrize("page", ["/", f"/rollout/{ROLLED_BACK}", "/runs", f"/runs/{NEEDS_A_PERSON}"])
def test_everything_is_reached_by_keyboard_in_order(browser: Browser, console: str, page: str) -> None:
    """Tab goes through every link, field and scrolling part once, from the top, each with a visible focus in sight."""
    browser.open(console + page)
    count = browser.ask(f"{_VISIBLE}.length")
    for number in range(count):
        browser.tab()
        focus = browser.ask(_FOCUS)
        assert (focus["at"], focus["outline"], focus["seen"]) == (number, "solid", True), (page, focus)
        assert focus["width"] >= 2


def test_the_skip_link_skips(browser: Browser, console: str) -> None:
    """The first thing that the keyboard reaches leads behind the navigation."""
    browser.open(f"{console}/")
    browser.tab()
    assert browser.ask("document.activeElement.textContent") == "To the content"
    browser.press(Keys.ENTER)
    browser.tab()
    assert browser.ask("document.querySelector('main').contains(document.activeElement)")


def test_a_wide_table_is_scrolled_by_keyboard(browser: Browser, console: str) -> None:
    """In a narrow window the looks scroll by the arrow keys."""
    browser.emulate(width=320, height=700)
    browser.open(f"{console}/rollout/{ROLLED_BACK}")
    region = browser.find(By.CSS_SELECTOR, ".scroll:has(table)")
    assert browser.ask("arguments[0].scrollWidth > arguments[0].clientWidth", region)
    browser.driver.execute_script("arguments[0].focus()", region)
    browser.press(*[Keys.ARROW_RIGHT] * 3)
    wait_until(lambda: browser.ask("arguments[0].scrollLeft > 0", region), "the table did not scroll")


def test_dark_is_dark_and_light_is_light(browser: Browser, console: str) -> None:
    """By what the reader's system wants, and nothing that has to be clicked."""
    grounds = {}
    for scheme in ("light", "dark"):
        browser.emulate(prefers_color_scheme=scheme)
        browser.open(f"{console}/")
        grounds[scheme] = browser.ask("getComputedStyle(document.body).backgroundColor")
        assert browser.ask("getComputedStyle(document.documentElement).colorScheme") == "light dark"
    assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}


def test_nothing_moves_for_who_wants_no_motion(browser: Browser, console: str) -> None:
    """There is no transition and no animation at all, so nobody has to ask for less."""
    browser.emulate(prefers_reduced_motion="reduce")
    browser.open(f"{console}/")
    wanted = "each => parseFloat(getComputedStyle(each).transitionDuration) > 0"
    moving = "[...document.querySelectorAll('*')].filter(each => each.getAnimations().length || (" + wanted + ")(each))"
    assert browser.ask(f"{moving}.length") == 0


def test_on_paper_there_is_the_content(browser: Browser, console: str) -> None:
    """Printed, the navigation is gone and what was found is there."""
    browser.open(f"{console}/rollout/{ROLLED_BACK}")
    browser.on_paper()
    assert not browser.ask("document.querySelector('nav').checkVisibility()")
    assert browser.ask("document.querySelector('svg').checkVisibility()")


def test_without_scripts_everything_works(browser: Browser, console: str) -> None:
    """Filtering, paging, unfolding and going back need none: with scripts off, by keyboard alone."""
    browser.scripts(allowed=False)
    browser.open(f"{console}/journal")
    browser.find(By.ID, "run").send_keys(ROLLED_BACK, Keys.ENTER)
    wait_until(lambda: f"run={ROLLED_BACK}" in browser.driver.current_url, "the filter was not sent")
    browser.find(By.LINK_TEXT, "84").send_keys(Keys.ENTER)
    wait_until(lambda: browser.driver.title.startswith("Entry 84"), "the entry was not opened")
    browser.find(By.LINK_TEXT, "Its rollout").send_keys(Keys.ENTER)
    wait_until(lambda: browser.driver.title.startswith("Rollout"), "the rollout was not opened")
    browser.find(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    browser.find(By.CSS_SELECTOR, "details[open]")
    assert len(browser.driver.find_elements(By.CSS_SELECTOR, "svg[role=img]")) == 6
    browser.driver.back()
    wait_until(lambda: browser.driver.title.startswith("Entry 84"), "going back did not go back")


def test_who_hears_the_page_finds_the_way(browser: Browser, console: str) -> None:
    """Landmarks, one h1, headings without a gap, a name for every field, link, table, chart and scrolling part."""
    for page in PAGES:
        browser.open(console + page)
        levels = browser.ask("[...document.querySelectorAll('h1,h2,h3,h4')].map(each => +each.tagName[1])")
        assert levels[0] == 1, page
        assert levels.count(1) == 1, page
        assert all(after - before <= 1 for before, after in pairwise(levels)), (page, levels)
        landmarks = browser.ask("['header','nav','main','footer'].map(each => document.querySelectorAll(each).length)")
        assert all(landmarks), page
        assert browser.ask("document.querySelectorAll('nav:not([aria-label])').length") == 0, page
        assert browser.ask("document.querySelectorAll('table:not(:has(caption)), th:not([scope])').length") == 0, page
        controls = "a, button, select, input:not([type=hidden]), [role=region], svg[role=img]"
        unnamed = f"[...document.querySelectorAll('{controls}')]"
        named = "!(each.textContent.trim() || each.ariaLabel || (each.labels && each.labels.length))"
        assert browser.ask(f"{unnamed}.filter(each => {named}).map(each => each.outerHTML)") == [], page
