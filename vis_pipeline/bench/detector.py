"""What a detector alone finds: its masks in single frames, scored as videos of length 1."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from detectors.base import Detector
from vis_pipeline import masks
from vis_pipeline.data.frames import split_frames
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import BadFrame, Frame
from vis_pipeline.structures.splits import Split, Video
from vis_pipeline.structures.tracks import TrackResult


def detect_split(
    detector: Detector, frames: Split, frames_dir: Path, batch_size: int
) -> Iterator[tuple[int, list[TrackResult]]]:
    """Detect in the frames of a split of :func:`~vis_pipeline.data.single_frames.as_single_frames`.

    Yields batch by batch how many frames it had and the detections in them, as tracks of one frame.

    Raises:
        DataError: a frame is missing, damaged or of another size.
    """
    for _, same_size in groupby(frames.videos, key=lambda frame: (frame.height, frame.width)):
        alike = list(same_size)
        for start in range(0, len(alike), batch_size):
            batch = [_read(video, frames_dir) for video in alike[start : start + batch_size]]
            found = detector.detect(batch)
            yield len(batch), [entry for pair in zip(batch, found, strict=True) for entry in _results(*pair)]


def _read(video: Video, frames_dir: Path) -> Frame:
    (frame,) = split_frames(video, frames_dir)
    assert not isinstance(frame, BadFrame), "bad frames are errors here"
    return frame


def _results(frame: Frame, found: Detections) -> Sequence[TrackResult]:
    rles = masks.encode(found.masks.cpu().numpy())
    rows = zip(found.labels.tolist(), found.scores.tolist(), rles, strict=True)
    return [TrackResult(frame.video_id, label, score, (rle,)) for label, score, rle in rows]
