"""What a video keeps of each frame: run lengths and numbers, never pictures or masks of their size."""

import gc
import tracemalloc
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from vis_pipeline.engine import FrameLoop, Lane, Lockstep
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker

HEIGHT, WIDTH = 240, 320
OBJECTS = 3
# A mask in run lengths, its place in the history, and the events of a frame; a mask of the frame has 76,800 bytes.
MOST_BYTES = 1500


class Drifting:
    """Detects squares that drift to and fro; each is missed in every seventh frame."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [self._one(frame.index) for frame in frames]

    def _one(self, index: int) -> Detections:
        seen = [place for place in range(OBJECTS) if (index + place) % 7]
        masks = torch.zeros((len(seen), HEIGHT, WIDTH), dtype=torch.bool)
        boxes = torch.zeros((len(seen), 4))
        for row, place in enumerate(seen):
            left, top = 40 + abs(index % 40 - 20), 20 + 70 * place
            masks[row, top : top + 50, left : left + 60] = True
            boxes[row] = torch.tensor([left, top, left + 60, top + 50])
        return Detections(boxes, torch.full((len(seen),), 0.9), torch.ones(len(seen), dtype=torch.int64), masks)


def frames(length: int) -> Iterator[Frame]:
    for index in range(length):
        yield Frame(1, index, str(index), np.full((HEIGHT, WIDTH, 3), 50, np.uint8))


def held() -> tuple[int, int]:
    """Bytes that Python and numpy have allocated since the trace began, and those of all tensors."""
    gc.collect()
    tensors = [found for found in gc.get_objects() if issubclass(type(found), torch.Tensor) and not found.is_sparse]
    return tracemalloc.get_traced_memory()[0], sum(tensor.nbytes for tensor in tensors)


def test_a_frame_leaves_run_lengths_alone() -> None:
    tracker = LifecycleTracker(NoPrediction(), TrackingSettings(), torch.device("cpu"))
    videos: Lockstep[int] = Lockstep(tracker)
    shown: list[int] = []
    loop = FrameLoop(1, Drifting(), tracker)
    videos.begin(Lane(1, loop, frames(141), 4, lambda frame, tracks: shown.append(len(tracks.shown()))))
    tracemalloc.start()
    try:
        for _ in range(40):
            assert not videos.step()
        before, tensors_before = held()
        for _ in range(100):
            assert not videos.step()
        after, tensors_after = held()
    finally:
        tracemalloc.stop()
    assert sum(shown[40:]) > 100 * (OBJECTS - 1)
    assert (after - before) / sum(shown[40:]) < MOST_BYTES
    assert tensors_after - tensors_before < HEIGHT * WIDTH
    assert not videos.step()
    ((_, outcome),) = videos.step()
    assert isinstance(outcome, VideoOutcome) and outcome.length == 141 and len(outcome.tracks) >= OBJECTS
