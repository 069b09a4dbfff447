"""Results: the predicted tracks of a split, as the challenge takes them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vis_pipeline import masks
from vis_pipeline.data.entries import MEMORY_RATIO, Entry, Id, one_line, parsed
from vis_pipeline.data.fit import UNKNOWN_VIDEO, entry_name, fault
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import open_json
from vis_pipeline.files.json_stream import DamagedJsonError, JsonStream
from vis_pipeline.files.memory import require_memory
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Split, Video
from vis_pipeline.structures.tracks import TrackResult

RESULTS_NAME = "results.json"


def read_results(path: Path, split: Split) -> tuple[TrackResult, ...]:
    """Read and check the results of a split: a list of `{video_id, category_id, score, segmentations}`.

    `path` is a JSON file, or a run's folder or a zip with `results.json` at its root. Masks may be compressed or
    uncompressed RLE or polygons. The list is read entry by entry, so no more is held than the compressed masks:
    measured, 1.2 to 1.7 times the size of a file of compressed RLE with 1,400 to 400 characters a mask, 0.6 times that
    of a file of uncompressed RLE, but 3 times where a mask has only 100 characters.

    Raises:
        DataError: the file is missing, damaged or no such list, an entry does not fit the split (its index and video
            are named), or there is less memory free than the file will need.
    """
    try:
        with open_json(path, RESULTS_NAME) as (file, size):
            require_memory(MEMORY_RATIO * size)
            return _read(JsonStream(file), split)
    except DataError as error:
        raise DataError(f"results {path}: {one_line(error)}") from error


def tracks_from_json(content: Any, source: str) -> tuple[TrackResult, ...]:
    """Turn parsed JSON into results where no split is at hand: masks are RLE, and say their size themselves.

    Raises:
        DataError: it is not a list of such results; the line begins with `source`.
    """
    if not isinstance(content, list):
        raise DataError(f"{source}: not a list of results")
    return tuple(_without_split(entry, index, source) for index, entry in enumerate(content))


def results_to_json(results: Iterable[TrackResult]) -> list[dict[str, Any]]:
    """The results as the challenge takes them."""
    return [
        {
            "video_id": track.video_id,
            "category_id": track.category_id,
            "score": track.score,
            "segmentations": list(track.segmentations),
        }
        for track in results
    ]


def result_from_json(
    content: Any, index: int, videos: Mapping[int, Video], category_ids: Collection[int]
) -> TrackResult:
    """One entry of a list of results, parsed from JSON; `videos` and `category_ids` are the split's.

    Raises:
        DataError: it is no such entry or does not fit the split; the line begins with its `index` and video.
    """
    try:
        entry = parsed(_ResultEntry, content)
        video = videos.get(entry.video_id)
        if video is None:
            raise DataError(UNKNOWN_VIDEO)
        result = _with_masks(entry, masks.from_segmentations(entry.segmentations, video.height, video.width))
        found = fault(result, videos, category_ids)
        if found is None and not 0 <= result.score <= 1:
            found = f"score {result.score} is not in 0..1"
        if found is not None:
            raise DataError(found)
    except DataError as error:
        raise DataError(f"{_name(content, index)}: {error}") from error
    return result


class _ResultEntry(Entry):
    video_id: Id
    category_id: Id
    score: float
    segmentations: list[Any]


def _read(stream: JsonStream, split: Split) -> tuple[TrackResult, ...]:
    if stream.peek() == "{":
        raise DataError("not a list of results, as YouTube-VIS asks, but an object; is it a split?")
    videos = split.videos_by_id()
    category_ids = {category.id for category in split.categories}
    results: list[TrackResult] = []
    try:
        for entry in stream.entries():
            results.append(result_from_json(entry, len(results), videos, category_ids))
        stream.finish()
    except DamagedJsonError as error:
        where = f", after {entry_name(len(results) - 1, results[-1].video_id)}" if results else ""
        raise DataError(f"{error}{where}") from error
    return tuple(results)


def _without_split(content: Any, index: int, source: str) -> TrackResult:
    try:
        entry = parsed(_ResultEntry, content)
        return _with_masks(entry, masks.from_segmentations(entry.segmentations, *_own_size(entry.segmentations)))
    except DataError as error:
        raise DataError(f"{source}: {one_line(f'{_name(content, index)}: {error}')}") from error


def _with_masks(entry: _ResultEntry, segmentations: tuple[Rle | None, ...]) -> TrackResult:
    return TrackResult(entry.video_id, entry.category_id, entry.score, segmentations)


def _own_size(segmentations: Sequence[Any]) -> tuple[int, int]:
    """Height and width of the first mask; any of the others' are checked against it."""
    for frame, segmentation in enumerate(segmentations):
        if segmentation is None:
            continue
        size = segmentation.get("size") if isinstance(segmentation, dict) else None
        if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)):
            raise DataError(f"frame {frame}: neither RLE nor null")
        return size[0], size[1]
    return 0, 0


def _name(content: Any, index: int) -> str:
    video_id = content.get("video_id") if isinstance(content, dict) else None
    return entry_name(index, video_id if type(video_id) is int else None)
