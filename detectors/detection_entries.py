"""One entry of a detections file, read and checked; the format stands in :mod:`detectors.recorded`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AliasChoices, Field

from vis_pipeline import masks
from vis_pipeline.data.entries import Entry, Id, parsed
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Video


@dataclass(frozen=True)
class FoundObject:
    """One detection: `box` as x, y, w, h in pixels, `category_id` as the file has it."""

    video_id: int
    frame_index: int
    category_id: int
    score: float
    box: tuple[float, float, float, float]
    mask: Rle


class _Entry(Entry):
    video_id: Id | None = None
    frame_index: int = Field(ge=0, validation_alias=AliasChoices("frame_index", "image_id"))
    category_id: Id
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    segmentation: Any
    bbox: list[float] | None = Field(default=None, min_length=4, max_length=4)


def read_entry(content: Any, videos: Mapping[int, Video]) -> FoundObject:
    """Check an entry against the videos, by id, that it may speak of.

    Raises:
        DataError: it is no detection, its video or frame is not there, or its mask has another size than the video.
    """
    entry = parsed(_Entry, content)
    video = _video(entry.video_id, videos)
    if entry.frame_index >= video.length:
        raise DataError(f"frame {entry.frame_index}, but video {video.id} has {video.length} frames, numbered from 0")
    mask = masks.from_segmentation(entry.segmentation, video.height, video.width)
    x, y, width, height = entry.bbox or masks.bounding_boxes([mask])[0].tolist()
    if not (np.isfinite([x, y, width, height]).all() and width >= 0 and height >= 0):
        raise DataError(f"bbox {[x, y, width, height]} is not x, y, w, h")
    return FoundObject(video.id, entry.frame_index, entry.category_id, entry.score, (x, y, width, height), mask)


def _video(video_id: int | None, videos: Mapping[int, Video]) -> Video:
    if video_id is not None and video_id in videos:
        return videos[video_id]
    only = next(iter(videos.values())) if len(videos) == 1 else None
    if video_id is None and only is not None:
        return only
    if video_id is None:
        raise DataError(f"`video_id` is missing, and there are {len(videos)} videos")
    if only is not None:
        raise DataError(f"there is no video {video_id}; the only one is {only.id}, and `video_id` may be left out")
    raise DataError(f"the split has no video {video_id}")
