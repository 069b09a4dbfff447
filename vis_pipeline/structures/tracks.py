"""What becomes of a video: its tracks in each frame, its finished tracks, and how they came about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.masks import Rle

if TYPE_CHECKING:
    import supervision


class MaskState(IntEnum):
    """What stands behind an object's mask in one frame."""

    DETECTED = 0
    PREDICTED = 1
    HIDDEN = 2


@dataclass(frozen=True, eq=False)
class FrameTracks:
    """The K tracks of one frame, as far as the video has been seen; all arrays are on the host.

    The end of the video may know better: which tracks are reported, and which predictions of theirs, says the
    finished :class:`TrackResult`.

    Attributes:
        index: of the frame, from 0.
        time: when the video shows it, in seconds; None where nobody says.
        size: height and width of the frame in pixels.
        ids: int64 [K], each track's number in the order of births, from 0; the same in every frame.
        boxes: float32 [K, 4], x1, y1, x2, y2 in pixels, right and bottom edges exclusive: of the mask, or where a
            hidden object is waited for, which may be outside the frame.
        scores: float32 [K], in 0..1: of the detection, or the tracker's own where there is none in this frame.
        labels: int64 [K], category ids: the score-weighted vote of the track's detections so far.
        states: int8 [K], of :class:`MaskState`: joined with a detection, only predicted, or hidden.
        corners: int64 [K, 2], x, y of the top left pixel of each mask window.
        masks: K windows, bool [h, w], that hold all pixels of the mask; 0 by 0 for a hidden object.

    Raises:
        ValueError: a field has another dtype or shape, the fields disagree on K, an id comes twice, or a window is
            not inside the frame.
    """

    index: int
    time: float | None
    size: tuple[int, int]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    states: NDArray[np.int8]
    corners: NDArray[np.int64]
    masks: tuple[NDArray[np.bool_], ...]

    def __post_init__(self) -> None:
        count = len(self.ids)
        expected: dict[str, tuple[NDArray[Any], type[np.generic], tuple[int, ...]]] = {
            "ids": (self.ids, np.int64, (count,)),
            "boxes": (self.boxes, np.float32, (count, 4)),
            "scores": (self.scores, np.float32, (count,)),
            "labels": (self.labels, np.int64, (count,)),
            "states": (self.states, np.int8, (count,)),
            "corners": (self.corners, np.int64, (count, 2)),
        }
        for name, (value, dtype, shape) in expected.items():
            if value.dtype != dtype or value.shape != shape:
                wanted = f"{np.dtype(dtype)} {shape}"
                raise ValueError(f"FrameTracks.{name} is {value.dtype} {value.shape}, expected {wanted}")
        if len(self.masks) != count:
            raise ValueError(f"FrameTracks.masks has {len(self.masks)} windows, expected {count}")
        if len(np.unique(self.ids)) != count:
            raise ValueError(f"FrameTracks.ids has an id twice: {self.ids.tolist()}")
        for number, mask, (x, y) in zip(self.ids.tolist(), self.masks, self.corners.tolist(), strict=True):
            if mask.dtype != np.bool_ or mask.ndim != 2:
                raise ValueError(
                    f"FrameTracks.masks: that of id {number} is {mask.dtype} {mask.shape}, expected a bool window"
                )
            if min(x, y) < 0 or y + mask.shape[0] > self.size[0] or x + mask.shape[1] > self.size[1]:
                raise ValueError(f"FrameTracks.masks: that of id {number} is not inside the frame")

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, tracks: NDArray[np.int64] | NDArray[np.bool_]) -> "FrameTracks":
        """Some of the tracks: by their indices, in this order, or by a flag for each."""
        chosen = np.arange(len(self))[tracks]
        arrays = {
            name: getattr(self, name)[chosen] for name in ("ids", "boxes", "scores", "labels", "states", "corners")
        }
        return replace(self, **arrays, masks=tuple(self.masks[index] for index in chosen))

    def shown(self) -> "FrameTracks":
        """The tracks that are not hidden."""
        return self.select(self.states != MaskState.HIDDEN)

    def dense(self) -> NDArray[np.bool_]:
        """The masks at the size of the frame, bool [K, H, W]."""
        frames = np.zeros((len(self), *self.size), dtype=np.bool_)
        for frame, mask, (x, y) in zip(frames, self.masks, self.corners.tolist(), strict=True):
            frame[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
        return frames

    def to_supervision(self) -> "supervision.Detections":
        """The tracks that are not hidden as that package has them: `data["state"]` is `detected` or `predicted`.

        Raises:
            ImportError: supervision is not installed (`pip install 'vis-pipeline[supervision]'`).
        """
        import supervision

        tracks = self.shown()
        return supervision.Detections(
            xyxy=tracks.boxes,
            mask=tracks.dense(),
            confidence=tracks.scores,
            class_id=tracks.labels,
            tracker_id=tracks.ids,
            data={"state": np.array([MaskState(state).name.lower() for state in tracks.states], dtype=str)},
        )


@dataclass(frozen=True)
class TrackResult:
    """One predicted object over the whole video: `segmentations` has one mask or None for every frame."""

    video_id: int
    category_id: int
    score: float
    segmentations: tuple[Rle | None, ...]


@dataclass(frozen=True)
class VideoOutcome:
    """What a worker made of one video.

    Attributes:
        tracks: the predicted objects, each with `length` segmentations.
        length: number of frames, with the null frames of skipped bad ones.
        height, width: pixels of a frame.
        seconds: wall time by step: read, detect, propagate, associate, encode.
        notes: lines for the run's log, such as skipped frames.
        skipped: indices of the frames that could not be read.
        searches: tracks that the propagator was asked for, summed over the frames.
        events: every decision in JSON form (see :class:`vis_pipeline.trackers.lifecycle.events.Event`), None where
            nobody knows them; the run folder keeps them apart from the rest, and reading an outcome back gives none.
    """

    tracks: Sequence[TrackResult]
    length: int
    height: int
    width: int
    seconds: Mapping[str, float]
    notes: Sequence[str] = ()
    skipped: Sequence[int] = ()
    searches: int = 0
    events: Sequence[Mapping[str, Any]] | None = ()
