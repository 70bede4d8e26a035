"""A headless Chromium that is driven by keys alone, and the command that serves it the page."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

ROOT = Path(__file__).resolve().parents[3]
WIDTH, HEIGHT = 1280, 720


class Server:
    """``gameenv-review`` as a user starts it."""

    def __init__(self, home: Path, port: int = 0) -> None:
        self._home = home
        command = [sys.executable, "-m", "labeling.review", "--no-open", "--port", str(port)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().strip()
        assert self.link, self.process.stderr and self.process.stderr.read()

    @property
    def port(self) -> int:
        return int(self.link.split(":")[2].split("/")[0])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def close(self) -> int:
        """Ctrl-C, as a person ends it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Browser:
    """One window after another of one Chromium."""

    def __init__(self, profile: Path) -> None:
        program, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
        if program is None or driver is None:
            pytest.fail("the review page is tested in Chromium: apt-get install chromium chromium-driver")
        options = ChromeOptions()
        options.binary_location = program
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(word)
        options.add_argument(f"--user-data-dir={profile}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=Service(driver))
        self.driver.set_window_size(WIDTH, HEIGHT)

    def open(self, link: str) -> None:
        """Follow a link and wait until a clip is shown."""
        self.driver.get(link)
        self.wait(lambda: self.shown)

    def press(self, *keys: str) -> None:
        """Press keys on whatever has the focus; nothing here ever clicks."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def with_shift(self, key: str) -> None:
        ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(key).key_up(Keys.SHIFT).perform()

    def text(self, element: str) -> str:
        return str(self.run(f"return document.getElementById({element!r}).textContent"))

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    @property
    def shown(self) -> str:
        """The key of the clip that is on the screen."""
        return str(self.run("return document.body.dataset.shown || ''"))

    def wait(self, holds: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + 15
        while not holds():
            assert time.monotonic() < deadline, f"{what} {self.text('alert')} {self.shown}"
            time.sleep(0.02)

    def expect(self, element: str, text: str) -> None:
        """Wait until an element says this somewhere."""
        self.wait(lambda: text in self.text(element), f"{element} should say {text!r}, says {self.text(element)!r};")

    def complaints(self) -> list[str]:
        """What the page's scripts got wrong."""
        return [each["message"] for each in self.driver.get_log("browser") if each["level"] == "SEVERE"]

    def close(self) -> None:
        self.driver.quit()
