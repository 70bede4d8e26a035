"""The page in a real browser, by keyboard alone, with the command behind it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from labeling import load_samples
from labeling.segment_folder import read_record
from recording.session import Session
from tests.labeling.labeled import LEVEL, WORDS, label
from tests.labeling.recordings import Ticks, holds_from, record
from tests.labeling.review.browser import HEIGHT, WIDTH, Browser, Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser with one empty window; no script of the page may have failed."""
    yield chromium
    wrong = [each for each in chromium.complaints() if "Failed to load resource" not in each]
    for window in chromium.driver.window_handles[1:]:
        chromium.driver.switch_to.window(window)
        chromium.driver.close()
    chromium.driver.switch_to.window(chromium.driver.window_handles[0])
    chromium.driver.get("about:blank")
    assert not wrong


@pytest.fixture
def segments(tmp_path: Path) -> Path:
    """A recording where the command looks for it, of which four clips are labeled."""
    session: Session = record(
        tmp_path / "dataset" / "raw_playthrough",
        "s",
        Ticks(WORDS[:60], take=0, reached=holds_from(58, 60), level=LEVEL),
        Ticks(WORDS[:55], take=1, goal="Open the door", level="train/open-door/3/g1"),
    )
    out = tmp_path / "dataset" / "labeled_segments"
    label(session, out)
    return out


Serve = Callable[..., Server]


@pytest.fixture
def serve(segments: Path) -> Iterator[Serve]:
    opened: list[Server] = []

    def start(port: int = 0) -> Server:
        opened.append(Server(segments.parents[1], port))
        return opened[-1]

    yield start
    for server in opened:
        server.close()


def test_clips_are_reviewed_by_keyboard_alone(browser: Browser, serve: Serve, segments: Path) -> None:
    server = serve()
    browser.open(server.link)
    assert "token" not in browser.driver.current_url
    browser.expect("goal", "Go to the lantern")
    browser.expect("progress-text", "0 of 4 reviewed")

    browser.press(Keys.ENTER)  # accept, and on to the next
    browser.wait(lambda: browser.shown == "s:40:60")
    browser.expect("completed", "yes")
    browser.press("c")
    browser.expect("completed", "no")
    browser.press("e")
    browser.press("Find the light", Keys.ENTER)
    browser.wait(lambda: browser.shown == "s:60:100")
    browser.press("r")
    browser.wait(lambda: browser.shown == "s:100:115")
    browser.expect("progress-text", "3 of 4 reviewed · 1 accepted, 1 edited, 1 rejected")
    browser.press("u")
    browser.wait(lambda: browser.shown == "s:60:100")
    browser.expect("alert", "undo reject: 1 clip")

    assert server.close() == 130
    records = [read_record(segments / f"s_seg000{number}") for number in range(4)]
    assert [each.labeler for each in records] == ["human", "human", "referee", "referee"]
    assert (records[1].goal, records[1].completed) == ("Find the light", False)


def test_clips_are_cut_joined_trimmed_and_deleted_by_keyboard(browser: Browser, serve: Serve, segments: Path) -> None:
    server = serve()
    browser.open(server.link)
    browser.press(" ")  # pause: the playhead stays where it is put
    while "frame 11 " not in browser.text("clock"):
        browser.press(Keys.ARROW_LEFT)
    browser.press("s")
    browser.wait(lambda: browser.shown == "s:0:10")
    browser.press("m")
    browser.wait(lambda: browser.shown == "s:0:40")
    while "frame 8 " not in browser.text("clock"):
        browser.press(Keys.ARROW_RIGHT)
    browser.press("[")
    browser.expect("count", "4 of 5 clips")  # what was trimmed off needs no review
    browser.wait(lambda: browser.shown == "s:7:40")
    browser.press("g")  # rename the goal, wherever it is
    browser.press("Find the old lantern", Keys.ENTER)
    browser.expect("goal", "Find the old lantern")
    browser.press(Keys.END, "E", Keys.DELETE)  # the whole of the last take
    browser.expect("count", "2 of 3 clips")
    browser.press("A", "e")
    browser.expect("edit-note", "of 2 clips")
    browser.press("Reach the old lantern", Keys.ENTER)
    browser.expect("count", "0 of 3 clips")
    server.close()
    samples = load_samples(segments)
    assert {sample.goal for sample in samples} == {"Reach the old lantern"}
    assert sorted(sample.row for sample in samples) == list(range(7, 60))


def test_two_windows_do_not_overwrite_each_other(browser: Browser, serve: Serve, segments: Path) -> None:
    server = serve()
    browser.open(server.link)
    first = browser.driver.current_window_handle
    browser.press("e")  # typing in this window ...
    browser.press("Follow the green arrow")
    browser.driver.switch_to.new_window("tab")
    browser.open(server.link)
    browser.press("r")  # ... while another one decides
    browser.expect("progress-text", "1 of 4 reviewed")
    browser.driver.switch_to.window(first)
    browser.press(Keys.ENTER)
    browser.expect("alert", "Not saved")
    browser.expect("alert", "rejected")
    browser.expect("alert", "Follow the green arrow")
    server.close()
    assert read_record(segments / "s_seg0000").rejected


def test_what_was_decided_survives_a_crash_of_the_server_and_of_the_page(
    browser: Browser, serve: Serve, segments: Path
) -> None:
    server = serve()
    browser.open(server.link)
    browser.press("e")
    browser.press("Find the light", Keys.ENTER)
    browser.wait(lambda: browser.shown == "s:40:60")
    server.kill()
    browser.press("r")  # nobody hears it
    browser.expect("saved", "the server does not answer")
    browser.driver.get("about:blank")  # and the page is gone, too
    again = serve(server.port)
    browser.open(again.link)
    browser.expect("progress-text", "2 of 4 reviewed · 1 edited, 1 rejected")
    again.close()
    assert read_record(segments / "s_seg0000").goal == "Find the light"
    assert read_record(segments / "s_seg0001").rejected


def test_help_filters_and_an_audit_need_no_mouse(browser: Browser, serve: Serve) -> None:
    browser.open(serve().link)
    browser.press("?")
    assert browser.run("return document.getElementById('help').open")
    browser.press(Keys.ESCAPE)
    assert not browser.run("return document.getElementById('help').open")
    browser.press("/", "door", Keys.ENTER)
    browser.expect("count", "2 of 4 clips")
    browser.press("/", *[Keys.BACKSPACE] * 4, Keys.ENTER)
    browser.press("f", "f")  # to review, all, unlabeled
    browser.expect("count", "0 of 4 clips")
    browser.press("p")
    browser.expect("audit", "0 of 4 judged")
    for verdict in ("y", "n", "y"):
        before = browser.text("audit")
        browser.press(verdict)
        browser.wait(lambda before=before: browser.text("audit") != before)
    browser.press("y")
    browser.expect("message-text", "3 of 4 labels are right: 75.0%.")
    browser.expect("message-text", "95% Wilson interval: 30.1% to 95.4%.")


@pytest.mark.parametrize("width", [WIDTH, 1920])
def test_everything_fits_the_window(browser: Browser, serve: Serve, width: int) -> None:
    browser.driver.set_window_size(width, HEIGHT + 120)
    browser.open(serve().link)
    browser.expect("keys", "enter")
    seen = browser.run(
        "return [...document.querySelectorAll('#picture, #goal, #strip, #hints span, #list')].map((each) => {"
        "  const box = each.getBoundingClientRect();"
        "  return box.width > 0 && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth; })"
    )
    assert len(seen) > 10
    assert all(seen)
    browser.driver.set_window_size(WIDTH, HEIGHT)
