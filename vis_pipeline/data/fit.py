"""Whether results fit the split that they are for, and a split's annotations the split: what every metric asks."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Annotation, Split, Video
from vis_pipeline.structures.tracks import TrackResult

SHOWN_REPEATS = 3
SHOWN_IDS = 10
UNKNOWN_VIDEO = "the split has no such video"


def entry_name(index: int, video_id: int | None) -> str:
    """How messages call an entry: by its index from 0 and its video, where that is known."""
    return f"result {index}" if video_id is None else f"result {index} (video {video_id})"


def annotation_name(annotation: Annotation) -> str:
    """How messages call an annotation: by its id and its video."""
    return f"annotation {annotation.id} (video {annotation.video_id})"


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
    return _fault_of_masks(result.segmentations, video)


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


def checked_annotations(split: Split) -> tuple[Annotation, ...]:
    """The annotations of a split, after a check of what one read from a file keeps, but one made in memory may not.

    Ids of videos and categories are unique; each annotation is of a video and a category of the split and has for every
    frame a mask of the video's size or None and, where it has areas, an area.

    Raises:
        DataError: the split does not keep to this (the annotation is named), or has no annotations at all.
    """
    if split.annotations is None:
        raise DataError(
            "the split given is a test form without ground truth (`annotations` is absent or null):"
            " give a split that has annotations"
        )
    _require_unique("video", [video.id for video in split.videos])
    _require_unique("category", [category.id for category in split.categories])
    videos = split.videos_by_id()
    category_ids = {category.id for category in split.categories}
    for annotation in split.annotations:
        found = _fault_of_annotation(annotation, videos, category_ids)
        if found is not None:
            raise DataError(f"{annotation_name(annotation)}: {found}")
    return split.annotations


def _require_unique(kind: str, ids: Iterable[int]) -> None:
    repeated = next((identifier for identifier, times in Counter(ids).items() if times > 1), None)
    if repeated is not None:
        raise DataError(f"the split given has {kind} {repeated} more than once: ids must be unique")


def _fault_of_annotation(
    annotation: Annotation, videos: Mapping[int, Video], category_ids: Collection[int]
) -> str | None:
    video = videos.get(annotation.video_id)
    if video is None:
        return UNKNOWN_VIDEO
    if annotation.category_id not in category_ids:
        return f"the split has no category {annotation.category_id}"
    if annotation.areas is not None:
        if len(annotation.areas) != video.length:
            return f"{len(annotation.areas)} areas, but the video has {video.length} frames"
        if not all(area is None or 0 <= area < math.inf for area in annotation.areas):
            return "an area is negative or not finite"
    return _fault_of_masks(annotation.segmentations, video)


def _fault_of_masks(segmentations: Sequence[Rle | None], video: Video) -> str | None:
    if len(segmentations) != video.length:
        return f"{len(segmentations)} segmentations, but the video has {video.length} frames (null where absent)"
    size = [video.height, video.width]
    for frame, rle in enumerate(segmentations):
        if rle is not None and rle["size"] != size:
            return f"frame {frame}: mask of size {rle['size']}, expected {size} (height, width)"
        if rle is not None and not isinstance(rle["counts"], str):
            return (
                f"frame {frame}: `counts` of type {type(rle['counts']).__name__}, expected text (`.decode()` the bytes)"
            )
    return None


def oddities(results: Sequence[TrackResult], split: Split) -> Iterator[str]:
    """What is legal and scored as it stands, but seldom meant; one line each, to warn with."""
    repeated = repeated_entries(results)
    if repeated is not None:
        yield repeated
    empty = sum(not any(track.segmentations) for track in results)
    if empty:
        yield f"{empty} of {len(results)} tracks have no mask in any frame"
    with_tracks = {track.video_id for track in results}
    without = [video.id for video in split.videos if video.id not in with_tracks]
    if without:
        yield f"{len(without)} of {len(split.videos)} videos have no tracks: {listed(without)}"
    if split.annotations is not None and all(annotation.iscrowd for annotation in split.annotations):
        yield "the ground truth has no object to be found: no figure is defined"


def listed(ids: Sequence[int]) -> str:
    """The first ten ids, for a message."""
    shown = ", ".join(str(identifier) for identifier in ids[:SHOWN_IDS])
    return shown if len(ids) <= SHOWN_IDS else f"{shown}, ..."


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
