"""Tracks and ground truths from dense masks in memory, for :class:`~evaluation.evaluator.YouTubeVISEvaluator`."""

from typing import TYPE_CHECKING, Union

import numpy as np
from numpy.typing import NDArray

from vis_pipeline import masks as run_length_masks
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Annotation
from vis_pipeline.structures.tracks import TrackResult

if TYPE_CHECKING:
    import torch

DenseMasks = Union[NDArray[np.bool_], "torch.Tensor"]


def track_result(video_id: int, category_id: int, score: float, masks: DenseMasks) -> TrackResult:
    """A prediction from one mask a frame, bool [T, H, W] (numpy, or torch on any device); empty frames become None.

    Raises:
        DataError: `masks` is not boolean or not [T, H, W].
    """
    return TrackResult(int(video_id), int(category_id), float(score), run_lengths(masks))


def annotation(
    identifier: int, video_id: int, category_id: int, masks: DenseMasks, iscrowd: bool = False
) -> Annotation:
    """A ground truth from one mask a frame, as :func:`track_result`; its areas are those of the masks."""
    return Annotation(int(identifier), int(video_id), int(category_id), run_lengths(masks), areas=None, iscrowd=iscrowd)


def run_lengths(masks: DenseMasks) -> tuple[Rle | None, ...]:
    """One entry a frame from bool [T, H, W]: the mask, or None where it is empty.

    Raises:
        DataError: `masks` is not boolean or not [T, H, W].
    """
    array = masks.detach().cpu().numpy() if hasattr(masks, "detach") else np.asarray(masks)
    if array.ndim != 3 or array.dtype != np.bool_:
        raise DataError(f"masks of shape {array.shape} and type {array.dtype}: give bool [frames, height, width]")
    visible = np.flatnonzero(array.any(axis=(1, 2)))
    encoded = dict(zip(visible.tolist(), run_length_masks.encode(array[visible]), strict=True))
    return tuple(encoded.get(frame) for frame in range(len(array)))
