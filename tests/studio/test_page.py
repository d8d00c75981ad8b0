"""The page in Debian's Chromium: from an empty project to decisions of an emulated board.

The screenshots of the documentation are made here: set EDGEBIO_SCREENSHOTS to a folder to get them.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip)")

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Debian's Chromium: apt-get install chromium"
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def start(folder: Path, *arguments: str) -> tuple["subprocess.Popen[str]", str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "edgebio", "studio", "--project", str(folder), "--port", "0",
         "--no-browser", *arguments],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    return process, process.stdout.readline().strip()


def open_page(
    browser: Any, address: str, scheme: str = "light", **viewport: int
) -> tuple[Any, list]:
    page = browser.new_page(viewport={"width": 1100, "height": 860} | viewport, color_scheme=scheme)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(address)
    return page, problems


def picture(page: Any, name: str) -> None:
    if folder := os.environ.get("EDGEBIO_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"studio-{name}.png"))


def expect(page: Any, selector: str, text: str, seconds: float = 30) -> None:
    sync_api.expect(page.locator(selector)).to_contain_text(text, timeout=1000 * seconds)


def test_by_keyboard_alone_on_a_tablet_in_the_dark(browser: Any, tmp_path: Path) -> None:
    """Every step is reached without a mouse; nothing is wider than the screen; frames keep up."""
    process, address = start(tmp_path / "hand", "--source", "synthetic://?channels=16&rate=2000")
    try:
        page, problems = open_page(browser, address, "dark", width=768, height=1024)
        expect(page, "#project", "hand")
        page.locator("#source").focus()
        page.keyboard.press("Enter")
        expect(page, "#source-text", "16 channels at 2000 Hz")
        expect(page, "#lost", "0 samples lost")
        page.keyboard.press("Tab")
        for number, name in enumerate(("signal", "record", "train", "live", "test"), 1):
            page.keyboard.press(str(number))
            assert page.locator(f"#{name}").is_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.locator("#tab-test").focus()
        page.keyboard.press("ArrowRight")
        assert page.locator("#signal").is_visible()
        time.sleep(2.2)
        assert int(page.inner_text("#frames").split()[0]) >= 30
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert sum(map(int, ground[4:-1].split(","))) < 150
        assert not problems
        page.close()
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_from_an_empty_project_to_decisions_of_an_emulated_board(
    browser: Any, tmp_path: Path, data_folder: Path
) -> None:
    """Real muscle: the recordings of a person follow the prompts, and an emulated Pico decides."""
    process, address = start(
        tmp_path / "hand", "--source", "replay://emg-3dc:2", "--board", "pico", "--data",
        str(data_folder), "--classes", "neutral,power grip,open hand",
    )  # fmt: skip
    try:
        page, problems = open_page(browser, address)
        expect(page, "#project", "hand")
        page.click("#source-form button.main")
        expect(page, "#source-text", "10 channels at 1000 Hz")
        time.sleep(4)
        picture(page, "signal")

        page.click("#tab-record")
        for name, value in (("repetitions", "3"), ("seconds", "2.5"), ("rest_seconds", "0.5")):
            page.fill(f"[name={name}]", value)
        page.click("#record-form button")
        expect(page, "#prompt-phase", "hold", 20)
        picture(page, "record")
        expect(page, "#message", "saved: 9 recordings, 0 samples lost", 90)

        page.click("#tab-train")
        page.fill("#epochs", "12")
        page.click("#do-train")
        expect(page, "#job-text", "train: done", 300)
        picture(page, "train")
        page.click("#do-quantize")
        expect(page, "#job-text", "quantize: done", 120)

        page.click("#tab-live")
        page.select_option("#live-board", "")
        page.click("#live-start")
        expect(page, "#delay", "0 differ", 60)
        time.sleep(3)
        picture(page, "live")
        page.click("#tab-test")
        page.click("#test-targets")
        expect(page, "#score", "completion rate", 30)
        picture(page, "test")

        page.click("#tab-live")
        page.select_option("#live-board", "pico")
        page.click("#live-start")
        expect(page, "#command", "--board pico", 120)
        expect(page, "#message", "decisions arrive", 120)
        page.wait_for_timeout(8000)
        page.click("#live-stop")
        expect(page, "#message", "decisions, 0 differ", 60)
        assert int(page.inner_text("#message").split()[0]) > 0
        assert not problems
    finally:
        process.terminate()
        process.wait()
