"""How well SiamMask alone follows objects from the true box of their first frame, never corrected: J and F."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from evaluation.davis import Statistics, contour_accuracy, region_similarity, statistics
from vis_pipeline import masks
from vis_pipeline.data.frames import prefetched, split_frames
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Annotation, Split, Video
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor, TargetStates


@dataclass(frozen=True)
class FollowedObject:
    """One object and how well it was followed, over the frames in which it shows after its first.

    Attributes:
        frames: how many those are. The video's last frame is left out, as DAVIS leaves it out.
        J: region similarity; F: contour accuracy (:mod:`evaluation.davis`).
    """

    video: str
    annotation: int
    frames: int
    J: Statistics
    F: Statistics


def follow_split(tracker: SiamMaskPredictor, split: Split, frames_dir: Path) -> Iterator[FollowedObject]:
    """Follow every annotated object of a split that shows in two frames or more, video by video; crowds are left out.

    Raises:
        DataError: the split has no annotations, or a frame is missing, damaged or of another size.
    """
    for video, objects in annotated_objects(split):
        yield from follow_objects(tracker, video, objects, frames_dir)


def annotated_objects(split: Split) -> Iterator[tuple[Video, list[Annotation]]]:
    """Each video of a split with its annotations, crowds left out.

    Raises:
        DataError: the split has no annotations.
    """
    if split.annotations is None:
        raise DataError("the split given is a test form without ground truth: give a split that has annotations")
    for video in split.videos:
        yield video, [entry for entry in split.annotations if entry.video_id == video.id and not entry.iscrowd]


def follow_objects(
    tracker: SiamMaskPredictor, video: Video, objects: Sequence[Annotation], frames_dir: Path
) -> Iterator[FollowedObject]:
    """Follow the objects of one video, each from the first frame in which its mask has pixels."""
    firsts = [_first_frame(entry) for entry in objects]
    similar = np.full((2, len(objects), video.length), np.nan)
    states: TargetStates | None = None
    followed: list[int] = []
    for frame in prefetched(split_frames(video, frames_dir)):
        assert isinstance(frame, Frame), "bad frames are errors here"
        image = torch.from_numpy(frame.image)
        if states is not None:
            prediction = tracker.predict(image, states)
            states = prediction.states
            assert prediction.masks is not None, "followed by weights that make masks"
            found = prediction.masks.cpu().numpy()
            for index, mask in zip(followed, found, strict=True):
                similar[:, index, frame.index] = _similarity(mask, objects[index], frame.index)
        starting = [index for index, first in enumerate(firsts) if first == frame.index]
        if starting:
            rles = [objects[index].segmentations[frame.index] for index in starting]
            boxes = masks.bounding_boxes([rle for rle in rles if rle is not None])
            begun = tracker.initialise(image, torch.from_numpy(boxes))
            states = begun if states is None else TargetStates.concatenate([states, begun])
            followed += starting
    for entry, values in zip(objects, similar[:, :, :-1].transpose(1, 0, 2), strict=True):
        shown = ~np.isnan(values[0])
        if shown.any():
            region, contour = (statistics(measure[shown]) for measure in values)
            yield FollowedObject(video.name, entry.id, int(shown.sum()), region, contour)


def _first_frame(entry: Annotation) -> int | None:
    shown = [frame for frame, rle in enumerate(entry.segmentations) if rle is not None and masks.area([rle])[0] > 0]
    return shown[0] if shown else None


def _similarity(mask: NDArray[np.bool_], entry: Annotation, frame: int) -> tuple[float, float]:
    """J and F in one frame; NaN where the object does not show."""
    rle = entry.segmentations[frame]
    truth = None if rle is None else masks.decode(rle)
    if truth is None or not truth.any():
        return np.nan, np.nan
    return float(region_similarity(mask, truth)), float(contour_accuracy(mask, truth))
