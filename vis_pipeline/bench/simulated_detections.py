"""Detections drawn from true masks: a detector of known faults, so that the tracking alone is measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Annotation, Split, Video

LONGEST_RUN = 6


@dataclass(frozen=True)
class DetectorFaults:
    """What the simulated detector does wrong.

    Attributes:
        drop: share of each object's masks that it misses.
        runs: it misses an object for so many frames in a row (lowest, highest).
        jitter: standard deviation of a mask's shift, in roots of its area, and of the logarithm of its scale.
        false_positives: mean number a frame of detections of nothing: masks of the video's own objects at random
            places, now and then on an object, each still for a run of frames.
    """

    drop: float = 0.4
    runs: tuple[int, int] = (1, LONGEST_RUN)
    jitter: float = 0.0
    false_positives: float = 0.0


def simulate(split: Split, faults: DetectorFaults, seed: int) -> list[dict[str, Any]]:
    """Entries of a detections file (see :mod:`detectors.recorded`) for every video of a split with annotations.

    A true detection's score is the IoU of its mask with the true one; that of a false one is drawn from 0 to 0.7.
    Crowds and empty masks are not detected. The entries of a video depend on the seed and on that video alone.

    Raises:
        DataError: the split has no annotations.
    """
    if not split.annotations:
        raise DataError("has no annotations; detections can be drawn from true masks only")
    by_video: dict[int, list[Annotation]] = {video.id: [] for video in split.videos}
    for annotation in split.annotations:
        if not annotation.iscrowd:
            by_video[annotation.video_id].append(annotation)
    return [
        entry
        for video in split.videos
        for entry in _of_video(video, by_video[video.id], faults, np.random.default_rng([seed, abs(video.id)]))
    ]


def dropped(shown: NDArray[np.bool_], faults: DetectorFaults, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Frames in which an object is missed, bool [F], of those where it is `shown`: runs until the share is met."""
    missed = np.zeros_like(shown)
    wanted = round(faults.drop * int(shown.sum()))
    while (lacking := wanted - int((missed & shown).sum())) > 0:
        start = int(rng.choice(np.flatnonzero(shown & ~missed)))
        length = int(rng.integers(faults.runs[0], faults.runs[1] + 1))
        missed[start : start + min(length, lacking)] = True
    return missed


def jittered(mask: NDArray[np.bool_], jitter: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A mask, bool [H, W], shifted and scaled about its centre."""
    rows, columns = np.nonzero(mask)
    shift = rng.normal(0, jitter, 2) * np.sqrt(len(rows))
    scale = float(np.exp(rng.normal(0, jitter)))
    centre = np.array([columns.mean(), rows.mean()])
    matrix = np.column_stack([scale * np.eye(2), centre + shift - scale * centre])
    moved = cv2.warpAffine(mask.astype(np.uint8), matrix, mask.shape[::-1], flags=cv2.INTER_NEAREST)
    return np.asarray(moved, dtype=np.bool_)


def _of_video(
    video: Video, annotations: Sequence[Annotation], faults: DetectorFaults, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    for annotation in annotations:
        shown = np.array([rle is not None for rle in annotation.segmentations], dtype=np.bool_)
        for frame in np.flatnonzero(shown & ~dropped(shown, faults, rng)).tolist():
            found = _detected(annotation.segmentations[frame], faults.jitter, rng)
            if found is not None:
                yield _entry(video, frame, annotation.category_id, *found)
    yield from _false_positives(video, annotations, faults, rng)


def _detected(true: Rle | None, jitter: float, rng: np.random.Generator) -> tuple[float, Rle] | None:
    """Score and mask of one true detection; None where nothing is left of it in the frame."""
    assert true is not None
    mask = masks.decode(true)
    if not mask.any():
        return None
    if jitter == 0:
        return 1.0, true
    moved = jittered(mask, jitter, rng)
    iou = float((mask & moved).sum() / (mask | moved).sum())
    return (iou, masks.encode(moved[None])[0]) if moved.any() else None


def _false_positives(
    video: Video, annotations: Sequence[Annotation], faults: DetectorFaults, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    shapes = [(entry.category_id, rle) for entry in annotations for rle in entry.segmentations if rle is not None]
    mean_run = (faults.runs[0] + faults.runs[1]) / 2
    # Runs begin before the first frame, too, so that the first and last frames have as many as the others.
    begins = video.length + mean_run - 1
    for _ in range(int(rng.poisson(faults.false_positives * begins / mean_run)) if shapes else 0):
        category_id, rle = shapes[int(rng.integers(len(shapes)))]
        offset = rng.uniform(-0.5, 0.5, 2) * [video.height, video.width]
        shape = np.roll(masks.decode(rle), np.rint(offset).astype(int), axis=(0, 1))
        length = int(rng.integers(faults.runs[0], faults.runs[1] + 1))
        start = int(rng.integers(1 - length, video.length))
        score = float(rng.uniform(0, 0.7))
        for frame in range(max(start, 0), min(start + length, video.length)):
            yield _entry(video, frame, category_id, score, masks.encode(shape[None])[0])


def _entry(video: Video, frame: int, category_id: int, score: float, mask: Rle) -> dict[str, Any]:
    return {
        "video_id": video.id,
        "frame_index": frame,
        "category_id": category_id,
        "score": score,
        "segmentation": mask,
    }
