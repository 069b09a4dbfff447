"""How well a re-detector alone knows objects again: pair scores of true boxes, and whole frames that are searched."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmdet.structures.bbox import bbox_overlaps
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from detectors.base import RegionSource
from vis_pipeline import masks
from vis_pipeline.data.frames import prefetched, split_frames
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Annotation, Split, Video
from vis_pipeline.trackers.siam_rcnn.following import Comparer, Scene
from vis_pipeline.trackers.siam_rcnn.looks import Appearance
from vis_pipeline.trackers.siam_rcnn.redetector import Redetector
from vis_pipeline.trackers.siam_rcnn.settings import RedetectionSettings

GAPS = ((1, 5), (6, 15), (16, None))
"""Frames between template and target, from the first to the last; None: any more."""

_LEAST_AREA = 64
_FOUND_IOU = 0.5


@dataclass(frozen=True)
class Sightings:
    """The N true boxes that were looked at, of all videos; arrays are [N].

    Attributes:
        video, object, category, frame: of each; objects are numbered through all videos.
        boxes: float32 [N, 4], x1, y1, x2, y2 in pixels.
        shown: what each shows.
    """

    video: NDArray[np.int64]
    object: NDArray[np.int64]
    category: NDArray[np.int64]
    frame: NDArray[np.int64]
    boxes: Tensor
    shown: tuple[Appearance, ...]


@dataclass(frozen=True)
class KnownAgain:
    """What came out for pairs of frames so far apart.

    Attributes:
        gap: least and most frames between the two.
        same: mean pair score of an object with itself.
        pairs: how many such pairs.
        auc_video: area under the ROC curve of pair scores, an object with itself against others of its class in the
            same video; NaN where there are none.
        auc_others: the same against objects of its class in other videos.
        searched: how many frames were searched for an object that is in them.
        found: share of these whose best re-detection meets the object with an IoU of at least 0.5.
    """

    gap: tuple[int, int | None]
    same: float
    pairs: int
    auc_video: float
    auc_others: float
    searched: int
    found: float


def know_again(
    network: Redetector,
    source: RegionSource,
    split: Split,
    frames_dir: Path,
    every: int,
    limit: int,
    settings: RedetectionSettings,
) -> list[KnownAgain]:
    """Measure a re-detector on a split: at most `limit` pairs of each kind, and a fifth as many searches, for each gap.

    Scores are the network's times the likeness of what `settings` take for the looks.

    Raises:
        DataError: the split has no annotations, or a frame is missing, damaged or of another size.
    """
    if split.annotations is None:
        raise DataError("the split given is a test form without ground truth: give a split that has annotations")
    rng, comparer = np.random.default_rng(0), Comparer(network, settings)
    device = next(network.parameters()).device
    parts: list[Sightings] = []
    searches: list[NDArray[np.float64]] = []
    share = -(-limit // (5 * max(len(split.videos), 1)))
    objects = 0
    for place, video in enumerate(split.videos):
        entries = [entry for entry in split.annotations if entry.video_id == video.id and not entry.iscrowd]
        seen, scenes = _look(comparer, source, device, video, place, entries, objects, frames_dir, every)
        parts.append(seen)
        objects += len(entries)
        searches.append(_search(comparer, seen, scenes, share, rng))
    everything = _joined(parts)
    return [_measured(comparer, everything, np.concatenate(searches), gap, limit, rng) for gap in GAPS]


def roc_auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Probability that a positive score is above a negative one, ties counting half; NaN where one kind is missing."""
    if not len(positive) or not len(negative):
        return float("nan")
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


def _look(
    comparer: Comparer,
    source: RegionSource,
    device: torch.device,
    video: Video,
    place: int,
    entries: Sequence[Annotation],
    first: int,
    frames_dir: Path,
    every: int,
) -> tuple[Sightings, dict[int, Scene]]:
    """The sightings of a video's objects in one of `every` frames, and those frames."""
    scenes: dict[int, Scene] = {}
    rows: list[tuple[int, int, int, int]] = []
    boxes: list[Tensor] = [torch.zeros((0, 4))]
    visible: list[Appearance] = []
    for frame in prefetched(split_frames(video, frames_dir)):
        assert isinstance(frame, Frame), "bad frames are errors here"
        if frame.index % every:
            continue
        scene = Scene(frame.on(device), source.regions([frame])[0])
        scenes[frame.index] = scene
        shown = [(number, entry, rle) for number, entry, rle in _shown(entries, frame.index)]
        corners = torch.tensor([masks.bounding_boxes([rle])[0].tolist() for _, _, rle in shown]).reshape(-1, 4)
        corners[:, 2:] += corners[:, :2]
        visible += comparer.shown(scene, corners.float().to(device))
        boxes.append(corners.float())
        rows += [(place, first + number, entry.category_id, frame.index) for number, entry, _ in shown]
    numbers, objects, categories, seen_in = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Sightings(numbers, objects, categories, seen_in, torch.cat(boxes), tuple(visible)), scenes


def _shown(entries: Sequence[Annotation], frame: int) -> Iterator[tuple[int, Annotation, masks.Rle]]:
    for number, entry in enumerate(entries):
        rle = entry.segmentations[frame]
        if rle is not None and masks.area([rle])[0] >= _LEAST_AREA:
            yield number, entry, rle


def _joined(parts: Sequence[Sightings]) -> Sightings:
    return Sightings(
        video=np.concatenate([part.video for part in parts]),
        object=np.concatenate([part.object for part in parts]),
        category=np.concatenate([part.category for part in parts]),
        frame=np.concatenate([part.frame for part in parts]),
        boxes=torch.cat([part.boxes for part in parts]),
        shown=tuple(one for part in parts for one in part.shown),
    )


def _search(
    comparer: Comparer, seen: Sightings, scenes: dict[int, Scene], limit: int, rng: Generator
) -> NDArray[np.float64]:
    """Gap, and whether the object was found, of at most `limit` searches for each gap within a video: [K, 2]."""
    results = [np.zeros((0, 2))]
    for gap in GAPS:
        for template, target in _pairs(seen, seen.object[:, None] == seen.object[None], gap, limit, rng):
            scene = scenes[int(seen.frame[target])]
            nothing = torch.zeros((0, 4), device=scene.image.device)
            (found,) = comparer.redetected(scene, [seen.shown[template]], [nothing])
            best, true = torch.from_numpy(found.boxes[:1]).float(), seen.boxes[target : target + 1]
            hit = len(best) > 0 and float(bbox_overlaps(best, true)[0, 0]) >= _FOUND_IOU
            results.append(np.array([[gap[0], hit]]))
    return np.concatenate(results)


def _measured(
    comparer: Comparer,
    seen: Sightings,
    searches: NDArray[np.float64],
    gap: tuple[int, int | None],
    limit: int,
    rng: Generator,
) -> KnownAgain:
    def scores(wanted: NDArray[np.bool_], apart: tuple[int, int | None] | None) -> NDArray[np.float64]:
        pairs = _pairs(seen, wanted, apart, limit, rng)
        if not len(pairs):
            return np.zeros(0)
        first, second = ([seen.shown[place] for place in side] for side in pairs.T.tolist())
        found: NDArray[np.float64] = comparer.pairs(first, second).double().cpu().numpy()
        return found

    same_object = seen.object[:, None] == seen.object[None]
    same_video = seen.video[:, None] == seen.video[None]
    others = (seen.category[:, None] == seen.category[None]) & ~same_object
    same = scores(same_object, gap)
    hits = searches[searches[:, 0] == gap[0], 1]
    return KnownAgain(
        gap=gap,
        same=float(same.mean()) if len(same) else float("nan"),
        pairs=len(same),
        auc_video=roc_auc(same, scores(others & same_video, gap)),
        # Frames of two videos are not so many frames apart.
        auc_others=roc_auc(same, scores(others & ~same_video, None)),
        searched=len(hits),
        found=float(hits.mean()) if len(hits) else float("nan"),
    )


def _pairs(
    seen: Sightings, wanted: NDArray[np.bool_], gap: tuple[int, int | None] | None, limit: int, rng: Generator
) -> NDArray[np.int64]:
    """At most `limit` pairs of sightings of a kind, bool [N, N], that are so many frames apart: int64 [K, 2]."""
    if gap is not None:
        apart = np.abs(seen.frame[:, None] - seen.frame[None])
        wanted = wanted & (apart >= gap[0]) & (True if gap[1] is None else apart <= gap[1])
    chosen = np.argwhere(wanted)
    return chosen[np.sort(rng.permutation(len(chosen))[:limit])]
