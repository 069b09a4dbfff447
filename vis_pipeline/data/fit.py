"""Whether results fit the split that they are for: what the evaluator and the submission both ask of every entry."""

import math
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

from vis_pipeline.data.vis_model import Split, TrackResult, Video
from vis_pipeline.errors import DataError

SHOWN_REPEATS = 3
UNKNOWN_VIDEO = "the split has no such video"


def entry_name(index: int, video_id: int | None) -> str:
    """How messages call an entry: by its index from 0 and its video, where that is known."""
    return f"result {index}" if video_id is None else f"result {index} (video {video_id})"


def fault(result: TrackResult, videos: Mapping[int, Video], category_ids: Collection[int]) -> str | None:
    """The first thing that is wrong with a result, in words; None where it fits.

    `videos` are the split's by id. The video and the category must be the split's, the score finite, and there must be
    a mask of the video's size or None for every frame. Whether the runs of the masks are sound is not looked at.
    """
    video = videos.get(result.video_id)
    if video is None:
        return UNKNOWN_VIDEO
    if result.category_id not in category_ids:
        return f"the split has no category {result.category_id}"
    if not math.isfinite(result.score):
        return f"score {result.score} is not a finite number"
    if len(result.segmentations) != video.length:
        return f"{len(result.segmentations)} segmentations, but the video has {video.length} frames (null where absent)"
    size = [video.height, video.width]
    for frame, rle in enumerate(result.segmentations):
        if rle is not None and rle["size"] != size:
            return f"frame {frame}: mask of size {rle['size']}, expected {size} (height, width)"
    return None


def require_fit(results: Iterable[TrackResult], split: Split) -> None:
    """Check every result by :func:`fault`.

    Raises:
        DataError: one does not fit; its index and video are named.
    """
    videos = split.videos_by_id()
    category_ids = {category.id for category in split.categories}
    for index, result in enumerate(results):
        found = fault(result, videos, category_ids)
        if found is not None:
            raise DataError(f"{entry_name(index, result.video_id)}: {found}")


def repeated_entries(results: Sequence[TrackResult]) -> str | None:
    """One line on entries that say the same as an earlier one, to warn with; None where there are none.

    They are legal and each is scored, as the official evaluator does: the second is a false positive.
    """
    repeats = list(_repeats(results))
    if not repeats:
        return None
    shown = [
        f"{entry_name(again, results[again].video_id)} is result {first} again"
        for again, first in repeats[:SHOWN_REPEATS]
    ]
    more = ", ..." if len(repeats) > SHOWN_REPEATS else ""
    return f"{len(repeats)} of {len(results)} results repeat an earlier one: {', '.join(shown)}{more}"


def _repeats(results: Sequence[TrackResult]) -> Iterable[tuple[int, int]]:
    """Index of each repeated entry, with that of the first like it."""
    # Masks are compared only where the short fields are equal: most entries differ in their scores.
    alike: dict[tuple[int, int, float], list[int]] = defaultdict(list)
    for index, result in enumerate(results):
        alike[result.video_id, result.category_id, result.score].append(index)
    for indices in alike.values():
        first: dict[Hashable, int] = {}
        for index in indices if len(indices) > 1 else ():
            earlier = first.setdefault(_counts(results[index]), index)
            if earlier != index:
                yield index, earlier


def _counts(result: TrackResult) -> Hashable:
    return tuple(None if rle is None else rle["counts"] for rle in result.segmentations)
