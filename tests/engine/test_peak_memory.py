"""What a frame of many large objects takes at most: a few times its masks, of one byte a pixel."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from vis_pipeline.engine import FrameLoop, Lane, Lockstep
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker

HEIGHT, WIDTH = 1080, 1920
ROWS, COLUMNS = 4, 5
MASKS_OF_A_FRAME = ROWS * COLUMNS * HEIGHT * WIDTH
# Detections; predictions; both of them together; what was last detected, and is now; what is shown; a little more.
MOST = 8.5


class Tiles:
    """Detects twenty rectangles, almost all of the frame."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [self._one() for _ in frames]

    def _one(self) -> Detections:
        masks = torch.zeros((ROWS * COLUMNS, HEIGHT, WIDTH), dtype=torch.bool)
        boxes = torch.zeros((len(masks), 4))
        tall, wide = HEIGHT // ROWS, WIDTH // COLUMNS
        for place in range(len(masks)):
            top, left = place // COLUMNS * tall, place % COLUMNS * wide
            masks[place, top : top + tall - 8, left : left + wide - 8] = True
            boxes[place] = torch.tensor([left, top, left + wide - 8, top + tall - 8])
        return Detections(boxes, torch.full((len(masks),), 0.9), torch.ones(len(masks), dtype=torch.int64), masks)


def frames(length: int) -> Iterator[Frame]:
    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    for index in range(length):
        yield Frame(1, index, str(index), image)


def resident(which: str) -> int:
    """Bytes of this process in memory now (`VmRSS`) or at most since they were last forgotten (`VmHWM`)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(which))


def test_a_frame_takes_a_few_times_its_masks() -> None:
    tracker = LifecycleTracker(NoPrediction(), TrackingSettings(), torch.device("cpu"))
    videos: Lockstep[int] = Lockstep(tracker)
    shown: list[int] = []
    loop = FrameLoop(1, Tiles(), tracker)
    videos.begin(Lane(1, loop, frames(4), 1, lambda frame, tracks: shown.append(len(tracks.shown()))))
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("the peak of a process can be forgotten on Linux alone")
    before = resident("VmRSS")
    for _ in range(3):
        assert not videos.step()
    assert shown == [ROWS * COLUMNS] * 3
    assert resident("VmHWM") - before < MOST * MASKS_OF_A_FRAME


class Counting:
    def __init__(self) -> None:
        self.given: list[int] = []

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.given.append(len(frames))
        return [Detections.none(*frame.image.shape[:2]) for frame in frames]


@pytest.mark.parametrize(
    ("width", "height", "batches"),
    [(1280, 720, [4, 4, 1]), (1920, 1088, [4, 4, 1]), (2560, 1440, [2, 2, 2, 2, 1]), (3840, 2160, [1] * 9)],
)
def test_large_frames_are_detected_in_few_at_a_time(width: int, height: int, batches: list[int]) -> None:
    detector = Counting()
    image = np.broadcast_to(np.zeros(3, dtype=np.uint8), (height, width, 3))
    loop = FrameLoop(1, detector, LifecycleTracker(NoPrediction(), TrackingSettings(), torch.device("cpu")))
    assert len(list(loop.detected((Frame(1, index, str(index), image) for index in range(9)), 4))) == 9
    assert detector.given == batches
