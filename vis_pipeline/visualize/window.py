"""A window that shows pictures as they are made."""

import os
import subprocess
import sys
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.errors import ConfigError
from vis_pipeline.visualize.overlay import enlarged

_LONGEST_SIDE = 1600
_LEAVE = {ord("q"), 27}
_PROBE = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1); cv2.destroyAllWindows()"
_PROBE_SECONDS = 60.0


def require_window() -> None:
    """Make sure that a window can be opened.

    Raises:
        ConfigError: OpenCV has no windows in it, there is no display, or it does not answer.
    """
    if _toolkit() == "NONE":
        raise ConfigError(
            f"--show: this OpenCV ({cv2.__version__}, headless) has no windows; "
            f"pip install --force-reinstall --no-deps 'opencv-python=={cv2.__version__}.*' brings one that has"
        )
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise ConfigError("--show: there is no display (DISPLAY is not set; over ssh it takes -X)")
    # Where the display does not answer Qt ends its process, so another one tries first.
    try:
        tried = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, timeout=_PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"--show: no window came up within {_PROBE_SECONDS:g} s; leave --show out") from error
    if tried.returncode != 0:
        display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        raise ConfigError(f"--show: no window can be opened on the display {display}; leave --show out")


class Window:
    """A window, open from the first picture until it is closed, here or by its user (also by q or Esc).

    A context manager. For the main thread only.

    Attributes:
        is_open: whether what is shown can be seen; False once the user has closed it.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._begun = False
        self.is_open = True

    def __enter__(self) -> "Window":
        return self

    def show(self, image: NDArray[np.uint8]) -> None:
        """Show an image, uint8 [H, W, 3], BGR, scaled to a size that can be looked at."""
        if not self.is_open:
            return
        if not self._begun:
            cv2.namedWindow(self._title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
            self._begun = True
        cv2.imshow(self._title, image)
        key = cv2.waitKey(1)
        if key in _LEAVE or cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            self.close()

    def close(self) -> None:
        """Close it; nothing more is shown."""
        if self._begun and self.is_open:
            cv2.destroyWindow(self._title)
            cv2.waitKey(1)
        self.is_open = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def at_window_size(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image [H, W, 3] large enough to be drawn on, small enough for a screen."""
    height, width = image.shape[:2]
    if (longest := max(height, width)) <= _LONGEST_SIDE:
        return enlarged(image)
    size = tuple(max(1, side * _LONGEST_SIDE // longest) for side in (width, height))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _toolkit() -> str:
    """What OpenCV's windows are made with, by its build information."""
    lines = (line.split() for line in cv2.getBuildInformation().splitlines())
    return next((words[1] for words in lines if len(words) == 2 and words[0] == "GUI:"), "NONE")
