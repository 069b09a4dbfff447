"""The report in a real browser, opened from the disk as its readers open it."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from report_runs import BREAKS, HASH, HEIGHT, LENGTH, LONG, MARKUP, RIGHT_TO_LEFT, WIDTH, data_of, write_run

from vis_pipeline.data.splits import read_split
from vis_pipeline.report.folder import Report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install '.[test]')")
UNNAMED = "\u2013"
WINDOW = 1000
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian: apt-get install chromium)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("browser")
    run = write_run(place)
    return Report(run, place / "out #1 %20", read_split(place / "instances.json")).write().parent


@pytest.fixture(scope="module")
def page():
    with playwright.sync_playwright() as started:
        # Debian's chromium has no sandbox for root, and no GPU is asked for pictures that two machines must agree on.
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WINDOW, "height": 800}, accept_downloads=True)
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def listeners(faults):
    """What a page is listened to with: whatever it should not do is put down."""

    def console(message):
        if message.type in ("error", "warning"):
            faults.append(message.text)

    def request(asked):
        if not asked.url.startswith(("file:", "data:", "blob:")):
            faults.append(asked.url)

    def failed(asked):
        # A video that is left before it is read is no fault.
        if not asked.url.endswith(".mp4"):
            faults.append(asked.url)

    def thrown(error):
        faults.append(str(error))

    return {"console": console, "pageerror": thrown, "request": request, "requestfailed": failed}


@pytest.fixture
def opened(page, folder):
    """Opens a part of the report (the end of its address); nothing may be reported on the console."""
    faults = []
    listening = listeners(faults)

    def open_part(part="", place=folder):
        page.goto((place / "index.html").as_uri() + part)
        return page

    page.emulate_media(color_scheme="light")
    for name, listener in listening.items():
        page.on(name, listener)
    yield open_part
    page.evaluate("localStorage.clear()")
    for name, listener in listening.items():
        page.remove_listener(name, listener)
    page.goto("about:blank")
    assert faults == []


def at_frame(page, frame):
    page.wait_for_selector(f'.stage[data-frame="{frame}"]')


def seen(page, side="tracks"):
    """A pane as it is on the screen, scaled to the frame: uint8 [H, W, 3], BGR."""
    shot = page.locator(f".pane.{side} .screen").screenshot()
    picture = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    return cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(int)


def grey_of_frame(picture):
    """The frame whose number the left bar tells."""
    return round(picture[2:8, 1:5].mean() / 16)


def row(page, name, kind="tracks"):
    return page.locator(f'.row[data-kind="{kind}"][data-row="{name}"]')


def strip_at(page, name, frame, kind="tracks"):
    strip = row(page, name, kind).locator(".strip")
    box = strip.bounding_box()
    strip.click(position={"x": box["width"] * (frame + 0.5) / LENGTH, "y": box["height"] / 2})


def test_hostile_names_are_text(opened):
    page = opened()
    names = page.locator(".classes .name").all_text_contents()
    assert {MARKUP, BREAKS, RIGHT_TO_LEFT} <= set(names)
    assert page.locator("table.list .about .name").all_text_contents() == ["clip", "<b>other</b>"]
    options = page.locator('select[aria-label="class"] option').all_text_contents()
    assert MARKUP in options
    page.goto(page.url + "#video=4")
    page.wait_for_selector(".row")
    assert page.locator("h1").text_content() == "<b>other</b>"
    assert page.locator(".notes li").text_content() == MARKUP
    row(page, 1).click()
    assert page.locator(".why .title .name").first.text_content() == MARKUP
    choices = page.locator('select[aria-label="new class"] option').all_text_contents()
    assert choices == [BREAKS, RIGHT_TO_LEFT, LONG]
    assert page.evaluate("window.harmed") is None
    assert page.evaluate("document.querySelectorAll('main script, main img[onerror], h1 b').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= WINDOW, "long names do not widen the page"


def test_the_list_is_sorted_and_filtered(opened):
    page = opened()
    ids = "[...document.querySelectorAll('table.list tbody a[href][tabindex]')].map(a => a.hash)"
    assert sorted(page.evaluate(ids)) == ["#video=3", "#video=4"]
    page.click("table.list th button:text-is('video')")
    assert page.evaluate(ids) == ["#video=4", "#video=3"]
    page.click("table.list th button:text-is('video')")
    assert page.evaluate(ids) == ["#video=3", "#video=4"]
    page.fill("input[type=search]", "OTHER")
    assert page.evaluate(ids) == ["#video=4"]
    page.fill("input[type=search]", "")
    page.select_option('select[aria-label="kind of error"]', "duplicate")
    assert page.evaluate(ids) == []
    page.select_option('select[aria-label="kind of error"]', "switches")
    assert len(page.evaluate(ids)) == 2


def test_the_timeline_seeks_to_the_very_frame(opened):
    page = opened("#video=3")
    at_frame(page, 0)
    page.locator("label:has-text('labels')").click()
    for frame in (7, 0, LENGTH - 1, 4, 5):
        strip_at(page, 2, frame)
        at_frame(page, frame)
        assert page.locator(".where").text_content() == f"frame {frame} / {LENGTH - 1}"
        page.keyboard.press("Escape")
        for side in ("tracks", "truths"):
            assert grey_of_frame(seen(page, side)) == frame
    axis = page.locator("[role=slider]")
    width = axis.bounding_box()["width"]
    axis.click(position={"x": width * 8.5 / LENGTH, "y": 15})
    at_frame(page, 8)
    assert axis.get_attribute("aria-valuenow") == "8"
    page.wait_for_url("**#video=3&frame=8")


def test_masks_lie_where_they_are(opened, folder):
    page = opened("#video=3&frame=3")
    at_frame(page, 3)
    page.locator("label:has-text('labels')").click()
    picture = seen(page)
    colour = data_of(folder / "data/3.js")["video"]["tracks"][2]["colour"]
    bgr = [int(colour[at : at + 2], 16) for at in (5, 3, 1)]
    inside, outside = picture[38:42, 12:18].mean(axis=(0, 1)), picture[38:42, 30:34].mean(axis=(0, 1))
    assert outside == pytest.approx([90] * 3, abs=4)
    assert inside == pytest.approx([90 + 110 / 255 * (value - 90) for value in bgr], abs=8)


def test_isolation(opened):
    page = opened("#video=3&frame=3")
    at_frame(page, 3)
    page.locator("label:has-text('labels')").click()

    def coloured():
        return np.ptp(seen(page)[38:42, 12:18].mean(axis=(0, 1))) > 10

    assert coloured()
    row(page, 2).click()
    assert row(page, 2).get_attribute("aria-pressed") == "true"
    assert row(page, 3).get_attribute("aria-pressed") == "false"
    assert not coloured(), "only the isolated identity is drawn"
    assert page.locator(".error-list li").count() == 1, "only its errors are listed"
    page.keyboard.press("Escape")
    assert row(page, 2).get_attribute("aria-pressed") == "false"
    assert coloured()
    pane = page.locator(".pane.tracks canvas")
    box = pane.bounding_box()
    pane.click(position={"x": box["width"] * 15 / WIDTH, "y": box["height"] * 44 / HEIGHT})
    assert row(page, 3).get_attribute("aria-pressed") == "true", "a click on a mask isolates it, too"


def test_keys(opened):
    page = opened("#video=3")
    at_frame(page, 0)
    page.locator("label:has-text('labels')").click()
    for key, frame in (("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10), ("Home", 0), ("End", 11)):
        page.keyboard.press(key)
        at_frame(page, frame)
    errors = sorted(
        {error["first"] for error in page.evaluate("new Promise(done => Report.loadVideo('3', done))")["errors"]}
    )
    page.keyboard.press("Home")
    at_frame(page, 0)
    for frame in errors[errors[0] == 0 :]:
        page.keyboard.press("n")
        at_frame(page, frame)
    page.keyboard.press("p")
    at_frame(page, errors[-2])
    page.keyboard.press("Home")
    at_frame(page, 0)
    page.keyboard.press("Space")
    page.wait_for_selector("button[aria-label=pause]")
    page.wait_for_selector("".join([".stage", *(f':not([data-frame="{frame}"])' for frame in range(3))]))
    page.keyboard.press("Space")
    page.wait_for_selector("button[aria-label=play]")
    told = page.locator(".where").text_content().split()[1]
    at_frame(page, told)
    assert grey_of_frame(seen(page)) == int(told)
    page.keyboard.press("g")
    assert page.locator(".pane.truths").is_hidden()
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("dialog#keys").is_hidden()
    row(page, 1).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert row(page, 2).get_attribute("aria-pressed") == "true"


def test_why(opened):
    page = opened("#video=3")
    at_frame(page, 0)

    def why():
        return page.locator(".why").text_content()

    strip_at(page, 2, 0)
    assert "Born: no track took this detection" in why()
    assert "score 0.910 · detection 0" in why()
    strip_at(page, 2, 5)
    assert "Hidden: the prediction scores below belief.score 0.2." in why()
    strip_at(page, 1, 6)
    assert "switch: A" in why() and "goes from 2" in why()
    strip_at(page, "A", 5, "truths")
    assert "missed: A" in why()
    strip_at(page, 4, 2)
    assert "Nothing was decided about it" in why()
    page.locator(".dropped summary").click()
    page.locator('.row[data-kind="dropped"]').click()
    assert "Not reported: detected less often than min_detections" in why()


def test_filters(opened):
    page = opened("#video=3")
    at_frame(page, 0)
    rows = "[...document.querySelectorAll('.row:not([hidden])')].map(row => row.dataset.row)"
    assert page.evaluate(rows) == ["1", "2", "3", "4", "A", "B", UNNAMED]
    page.select_option('#video select[aria-label="class"]', label=RIGHT_TO_LEFT)
    assert page.evaluate(rows)[:1] == ["3"]
    page.select_option('#video select[aria-label="class"]', "")
    page.fill('input[aria-label="least length in frames"]', "6")
    assert page.evaluate(rows) == ["1", "A", UNNAMED]
    page.fill('input[aria-label="least length in frames"]', "1")
    page.select_option('#video select[aria-label="kind of error"]', "miss")
    assert page.evaluate(rows) == ["A", "B", UNNAMED]
    page.select_option('#video select[aria-label="kind of error"]', "")
    slider = page.locator('input[aria-label="least score"]')
    slider.fill("0.5")
    assert page.evaluate(rows)[:2] == ["1", "2"] and "3" not in page.evaluate(rows)


def downloaded(page):
    with page.expect_download() as downloading:
        page.click("#download-edits")
    assert downloading.value.suggested_filename == "edits.json"
    return json.loads(Path(downloading.value.path()).read_text())


def test_corrections_become_a_download(opened):
    page = opened("#video=3")
    at_frame(page, 0)
    strip_at(page, 1, 9)
    at_frame(page, 9)
    page.click("button:text-is('Split at frame 9')")
    assert page.locator(".controls p").text_content() == "identity 1, part 1", "what lies at this frame now"
    page.select_option('select[aria-label="another identity"]', label="2 \u2068" + MARKUP + "\u2069")
    page.click("button:text-is('Join with')")
    page.select_option('select[aria-label="new class"]', str(2**60 + 1))
    page.click("button:text-is('Rename to')")
    row(page, 4).click()
    page.click("button:text-is('Delete')")
    assert page.locator("button:text-is('Delete')").count() == 0, "what is gone is not edited again"
    assert downloaded(page) == {
        "run": HASH,
        "edits": [
            {"op": "split", "video": 3, "track": 1, "frame": 9},
            {"op": "join", "video": 3, "tracks": [1, 0], "parts": [1, 0]},
            {"op": "rename", "video": 3, "track": 1, "part": 1, "category": 2**60 + 1},
            {"op": "delete", "video": 3, "track": 3},
        ],
    }
    page.locator("[aria-label='remove this correction']").first.click()
    assert downloaded(page)["edits"] == [{"op": "delete", "video": 3, "track": 3}], "what rests on it goes with it"
    page.reload()
    page.wait_for_selector("#download-edits")


def test_identities_are_swapped_from_a_frame_on(opened):
    page = opened("#video=4")
    at_frame(page, 0)
    strip_at(page, 3, 4)
    at_frame(page, 4)
    page.select_option('select[aria-label="another identity"]', label="1 \u2068" + MARKUP + "\u2069")
    assert page.locator("button:text-is('Swap from here')").is_disabled(), "1 has no mask before frame 4"
    page.select_option('select[aria-label="another identity"]', label="2 \u2068" + MARKUP + "\u2069")
    page.click("button:text-is('Swap from here')")
    assert downloaded(page)["edits"] == [
        {"op": "split", "video": 4, "track": 2, "frame": 4},
        {"op": "split", "video": 4, "track": 0, "frame": 4},
        {"op": "join", "video": 4, "tracks": [2, 0], "parts": [0, 1]},
        {"op": "join", "video": 4, "tracks": [0, 2], "parts": [0, 1]},
    ]
    assert page.locator(".controls p").text_content() == "identity 2", "this frame of 3 is 2's now"


def test_light_and_dark(opened):
    page = opened()
    ground = "getComputedStyle(document.body).backgroundColor"
    light, drawn = page.evaluate(ground), page.evaluate("Report.themed('--bed')")
    page.click("#theme")
    dark = page.evaluate(ground)
    assert light != dark
    assert (drawn, page.evaluate("Report.themed('--bed')")) == ("rgb(227, 231, 236)", "rgb(51, 59, 69)")
    page.reload()
    assert page.evaluate(ground) == dark, "the choice is kept"
    page.click("#theme")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == light, "the choice is stronger than the system's"


def test_many_videos_open_soon(opened, folder, tmp_path):
    """A bound for machines that are busy with much else; docs/report.md says what it takes."""
    many = tmp_path / "many"
    shutil.copytree(folder, many)
    index = data_of(many / "data/index.js")["index"]
    index["videos"] = [{**index["videos"][0], "id": str(1000 + number)} for number in range(300)]
    for number in range(300):
        shutil.copy(folder / "pictures/3.jpg", many / f"pictures/{1000 + number}.jpg")
    (many / "data/index.js").write_text(f"visReport({json.dumps({'index': index})});")
    page = opened(place=many)
    assert page.locator("table.list tbody tr").count() == 300
    took = page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
    print(f"300 videos open in {took} ms")
    assert 0 < took < 30_000
    page.wait_for_selector("tbody tr:first-child img")
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate("[...document.images].filter(image => image.naturalWidth > 0).length")
    assert 0 < loaded < 100, "pictures below the fold wait"


def test_what_is_not_there_is_said(opened, folder, tmp_path):
    page = opened("#video=99")
    assert page.locator("#message").text_content() == "This report has no video 99."
    assert page.locator("#overview").is_visible()
