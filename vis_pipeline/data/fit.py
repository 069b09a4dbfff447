"""Whether results fit the split that they are for."""

import math
from collections.abc import Collection, Mapping, Sequence

from vis_pipeline.data.youtube_vis import Split, TrackResult, Video
from vis_pipeline.errors import DataError


def require_fit(results: Sequence[TrackResult], split: Split) -> None:
    """Check every result against the split.

    Raises:
        DataError: a result does not fit; its index and video are named.
    """
    videos = split.videos_by_id()
    categories = {category.id for category in split.categories}
    for index, result in enumerate(results):
        found = fault(result, videos, categories)
        if found is not None:
            raise DataError(f"result {index} (video {result.video_id}): {found}")


def fault(result: TrackResult, videos: Mapping[int, Video], categories: Collection[int]) -> str | None:
    """What is wrong with a result, or None: an unknown video or category, a score, a length, the size of a mask."""
    video = videos.get(result.video_id)
    if video is None:
        return "the ground truth has no such video"
    if result.category_id not in categories:
        return f"the ground truth has no category {result.category_id}"
    if not math.isfinite(result.score):
        return f"score {result.score} is not a finite number"
    if len(result.segmentations) != video.length:
        return f"{len(result.segmentations)} segmentations, but the video has {video.length} frames (null where absent)"
    size = [video.height, video.width]
    for frame, rle in enumerate(result.segmentations):
        if rle is not None and rle["size"] != size:
            return f"frame {frame}: mask of size {rle['size']}, but the video is {size} (height, width)"
    return None
