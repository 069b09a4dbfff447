"""YouTube-VIS: the results list of the challenge, or `instances.json` where ground truth is written.

Everything is kept: overlaps, scores, classes, tracks without a mask; of ground truth also ids and levels of occlusion.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vis_pipeline.data.entries import one_line
from vis_pipeline.data.results import RESULTS_NAME, result_from_json, results_to_json
from vis_pipeline.data.splits import ANNOTATIONS, read_split, split_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks, of_annotations
from vis_pipeline.exchange.json_index import EntriesByVideo, seekable_json
from vis_pipeline.files.json_objects import write_json_object
from vis_pipeline.files.json_stream import JsonStream
from vis_pipeline.files.whole_files import write_json_list
from vis_pipeline.structures.splits import Annotation, Split


def write(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write one file."""
    if not content.is_truth:
        write_json_list(out, (entry for found in content.tracks for entry in results_to_json(found.tracks)))
        return
    head = split_to_json(Split(tuple(content.videos), content.split.categories, None))
    write_json_object(out, head, {ANNOTATIONS: _annotations(content)})


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read results (a file, a zip or a run's folder) or an `instances.json`.

    Raises:
        DataError: the file is damaged or none of these, or does not fit the split.
    """
    try:
        with seekable_json(path, RESULTS_NAME) as file:
            stream = JsonStream(file)
            if stream.peek() != "[":
                yield from _truth(path, split)
                return
            index = EntriesByVideo()
            index.scan(stream, _video_of)
            stream.finish()
            videos, categories = split.videos_by_id(), {category.id for category in split.categories}
            for identifier in index.videos():
                if identifier not in videos:
                    place, entry = next(index.entries(file, identifier))
                    result_from_json(entry, place, videos, categories)
            for video in split.videos:
                entries = index.entries(file, video.id)
                tracks = [result_from_json(entry, place, videos, categories) for place, entry in entries]
                yield VideoTracks(video, tracks)
    except DataError as error:
        raise DataError(f"results {path}: {one_line(error)}") from error


def _video_of(entry: Any, index: int) -> int:
    video = entry.get("video_id") if isinstance(entry, dict) else None
    if type(video) is not int:
        raise DataError(f"result {index}: not an object with a `video_id`")
    return video


def _truth(path: Path, split: Split) -> Iterator[VideoTracks]:
    truth = read_split(path)
    if truth.annotations is None:
        raise DataError("a split without annotations")
    videos = split.videos_by_id()
    of_video: dict[int, list[Annotation]] = {}
    for entry in truth.annotations:
        of_video.setdefault(entry.video_id, []).append(entry)
    for video in truth.videos:
        if (known := videos.get(video.id)) is None or known.file_names != video.file_names:
            raise DataError(f"video {video.id}: is not that of the split")
        yield of_annotations(known, of_video.get(video.id, []))


def _annotations(content: SplitTracks) -> Iterator[dict[str, Any]]:
    for found in content.tracks:
        part = Split((found.video,), content.split.categories, tuple(found.annotations or ()))
        yield from split_to_json(part)[ANNOTATIONS]
