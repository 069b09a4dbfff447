"""Windows, on a display of our own: Xvfb, which keeps its screen in a file."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.started import started
from vis_pipeline.errors import ConfigError
from vis_pipeline.visualize.window import at_window_size, require_window

HEIGHT, WIDTH = 48, 64


class Screen:
    """A running X server, and what it shows."""

    def __init__(self, display: str, file: Path) -> None:
        self.environment = {**os.environ, "DISPLAY": display}
        self._file = file

    def pixels(self) -> np.ndarray:
        """The screen, uint8 [H, W, 3], BGR, from the XWD file (X11/XWDFile.h)."""
        data = np.memmap(self._file, np.uint8, "r")
        head = data[:100].view(">u4").tolist()
        size, width, height, row, colours = head[0], head[4], head[5], head[12], head[19]
        begin = size + 12 * colours
        return data[begin : begin + row * height].reshape(height, -1, 4)[:, :width, :3]


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb (Debian's package xvfb)")
    if "NONE" in next(line for line in cv2.getBuildInformation().splitlines() if "GUI:" in line):
        pytest.skip("this OpenCV is a headless one")
    folder = tmp_path_factory.mktemp("screen")
    # Without -noreset the screen's file is another one after the last window.
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-fbdir", str(folder), "-noreset"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    try:
        yield Screen(f":{server.stdout.readline().strip()}", folder / "Xvfb_screen0")
    finally:
        server.terminate()
        server.wait(20)


SHOWN = """
import sys
import numpy as np
from vis_pipeline.visualize.window import Window, require_window
require_window()
with Window("a window") as window:
    for _ in range(3):
        window.show(np.full((300, 400, 3), (200, 60, 40), np.uint8))
    print("shown", window.is_open, flush=True)
    sys.stdin.readline()
assert not window.is_open
print("closed", flush=True)
sys.stdin.readline()
"""


def test_a_picture_is_on_the_screen_until_the_window_closes(screen: Screen) -> None:
    def coloured() -> int:
        return int((screen.pixels() == (200, 60, 40)).all(axis=2).sum())

    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with started([sys.executable, "-c", SHOWN], env=screen.environment, **pipes) as program:
        assert program.stdin is not None and program.stdout is not None
        assert program.stdout.readline() == "shown True\n"
        assert coloured() == 300 * 400
        program.stdin.write("\n")
        program.stdin.flush()
        assert program.stdout.readline() == "closed\n"
        assert coloured() == 0
        program.communicate("\n", timeout=20)
    assert program.returncode == 0


def test_a_run_shows_its_tracks(screen: Screen, tmp_path: Path) -> None:
    clip, found = tmp_path / "clip.mp4", tmp_path / "found.json"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p"
        entries = []
        for index in range(30):
            left = 4 + index
            image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
            image[10:26, left : left + 16] = 90
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            square = f"[[{left}, 10, {left + 16}, 10, {left + 16}, 26, {left}, 26]]"
            entries.append(f'{{"frame_index": {index}, "category_id": 7, "score": 0.9, "segmentation": {square}}}')
        container.mux(stream.encode())
    found.write_text(f"[{', '.join(entries)}]")
    command = [sys.executable, "-m", "vis_pipeline", "run", "procedural_small", "--video", str(clip), "--device", "cpu"]
    command += ["--detections", str(found), "--out", str(tmp_path / "run"), "--show"]
    most = 0
    with started(command, env=screen.environment, stderr=subprocess.PIPE) as running:
        while running.poll() is None:
            # The window is there for a moment, so one pixel in 64 is enough.
            pixels = screen.pixels()[::8, ::8].astype(int)
            # Neither the black of the screen nor the grey of the clip: the tint and the label of the track.
            most = max(most, 64 * int((np.ptp(pixels, axis=2) > 40).sum()))
            time.sleep(0.01)
        assert running.returncode == 0, running.stderr and running.stderr.read()
    # The square has 16 by 16 pixels, and the window is eight times as large as the clip.
    assert most > 0.9 * (16 * 8) ** 2
    assert (screen.pixels() == 0).all()


def test_where_there_are_no_windows_a_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           NONE\n")
    with pytest.raises(ConfigError, match=r"--show: this OpenCV \(.*, headless\) has no windows; pip install"):
        require_window()
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           QT5\n")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(ConfigError, match=r"--show: there is no display \(DISPLAY is not set"):
        require_window()
    monkeypatch.setenv("DISPLAY", ":9876")
    with pytest.raises(ConfigError, match="--show: no window can be opened on the display :9876"):
        require_window()


@pytest.mark.parametrize(
    ("size", "expected"), [((48, 64), (384, 512)), ((720, 1280), (720, 1280)), ((2160, 3840), (900, 1600))]
)
def test_pictures_fit_a_screen(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert at_window_size(np.zeros((*size, 3), np.uint8)).shape[:2] == expected
