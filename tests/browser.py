"""A real Chromium, driven by the chromedriver that came with it; nothing is downloaded."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

# As root, and in a container, Chromium's own sandbox cannot be made; what is shown here is our own page.
_OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en"),
)


class Browser:
    """One window."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        """Show that page."""
        self.driver.get(address)

    def emulate(self, *, width: int = 1100, height: int = 800, **features: str) -> None:
        """Be a window of that size, whose reader wants what the media features say (`prefers_color_scheme="dark"`)."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": wanted})

    def on_paper(self) -> None:
        """Show it as it would be printed."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})

    def scripts(self, *, allowed: bool) -> None:
        """Let pages run scripts, or not."""
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    def ask(self, expression: str, *arguments: Any) -> Any:
        """What the expression is worth in the page; this is the driver's script, no page's."""
        return self.driver.execute_script(f"return {expression}", *arguments)

    def find(self, by: str, what: str) -> WebElement:
        """The element; waited for, since a page that a key opens comes when it comes."""
        return WebDriverWait(self.driver, 20).until(lambda driver: driver.find_element(by, what))

    def press(self, *keys: str) -> None:
        """Press them, whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def tab(self) -> None:
        """Go on by keyboard."""
        webdriver.ActionChains(self.driver, duration=0).send_keys(Keys.TAB).perform()

    def complaints(self) -> Sequence[str]:
        """What the console of the browser said since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self) -> set[str]:
        """Every address that was asked for since it was last asked, whoever asked for it."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = (each["params"] for each in messages if each["method"] == "Network.requestWillBeSent")
        return {each["request"]["url"] for each in sent}


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """A browser with a profile in that folder, ended at the end."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed (the set-up installs them where it may)")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for each in (*_OPTIONS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(made)
    finally:
        made.quit()
