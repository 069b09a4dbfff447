"""Splits: the videos and categories of a data set and, in the training form, the annotations."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import AfterValidator, Field, PositiveInt

from vis_pipeline import masks
from vis_pipeline.data.entries import MEMORY_RATIO, Entry, Id, one_line, parsed
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import open_json
from vis_pipeline.files.json_stream import JsonStream
from vis_pipeline.files.memory import require_memory
from vis_pipeline.masks.run_lengths import MOST_PIXELS
from vis_pipeline.structures.splits import Annotation, Category, Split, Video

ANNOTATIONS = "annotations"
CATEGORIES = "categories"
# Ours, a list a video: when each frame is shown, in seconds or null. YouTube-VIS knows no times; others ignore the key.
TIMES = "frame_times"
# What the annotations are read by.
HEAD = {"videos", CATEGORIES}


def read_split(path: Path) -> Split:
    """Read and check a split; masks may be compressed or uncompressed RLE or polygons and become :class:`Rle`.

    The annotations are read one by one, so no more is held than the compressed masks. Where they come before the videos
    or the categories, the file is read twice.

    Raises:
        DataError: the file is missing, not JSON, not YouTube-VIS, empty, or contradicts itself, or there is less memory
            free than it will need.
    """
    try:
        with open_json(path) as (file, size):
            require_memory(MEMORY_RATIO * size)
            return _read(file)
    except DataError as error:
        raise DataError(f"split {path}: {one_line(error)}") from error


def categories_from_json(content: Any) -> tuple[Category, ...]:
    """Categories from parsed JSON, `[{id, name}, ...]`.

    Raises:
        DataError: it is no such list, it is empty, or an id is there twice.
    """
    entries = parsed(_Categories, {CATEGORIES: content}).categories
    _require_unique("category", (category.id for category in entries))
    return tuple(Category(entry.id, entry.name) for entry in entries)


def split_to_json(split: Split) -> dict[str, Any]:
    """The split as YouTube-VIS JSON, with `frame_times` for videos that have times.

    Boxes (x, y, w, h) come from the masks; areas are written where they are known.
    """
    videos = split.videos_by_id()
    content: dict[str, Any] = {
        "videos": [_video_to_json(video) for video in split.videos],
        "categories": [{"id": category.id, "name": category.name} for category in split.categories],
    }
    if split.annotations is not None:
        content["annotations"] = [_annotation_to_json(entry, videos[entry.video_id]) for entry in split.annotations]
    return content


def _encodable(text: str) -> str:
    """JSON can hold halves of characters (`\\ud800`), that no terminal and no file system takes."""
    text.encode()
    return text


_Name = Annotated[str, AfterValidator(_encodable)]


class _CategoryEntry(Entry):
    id: Id
    name: _Name


_Time = Annotated[float, Field(allow_inf_nan=False)]


class _VideoEntry(Entry):
    id: Id
    width: PositiveInt
    height: PositiveInt
    length: PositiveInt | None = None
    file_names: list[_Name] = Field(min_length=1)
    frame_times: list[_Time | None] | None = None


_Area = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _AnnotationEntry(Entry):
    id: Id
    video_id: Id
    category_id: Id
    segmentations: list[Any]
    areas: list[_Area | None] | None = None
    iscrowd: Literal[0, 1, False, True] = 0
    occlusion: list[str | None] | None = None


class _Head(Entry):
    videos: list[_VideoEntry]
    categories: list[_CategoryEntry] = Field(min_length=1)


class _Categories(Entry):
    categories: list[_CategoryEntry] = Field(min_length=1)


def _read(file: IO[bytes]) -> Split:
    stream = JsonStream(file)
    if stream.peek() == "[":
        raise DataError("not YouTube-VIS JSON: a list; is it a file of results?")
    content: dict[str, Any] = {}
    annotations, passed_over = None, False
    for key in stream.members():
        if key != ANNOTATIONS or stream.peek() != "[":
            content[key] = stream.value()
        elif content.keys() >= HEAD:
            annotations = tuple(_annotations(stream.entries(), _without_annotations(content)))
        else:
            passed_over = True
            for _ in stream.entries():
                pass
    stream.finish()
    if content.get(ANNOTATIONS) is not None:
        raise DataError("not YouTube-VIS JSON: `annotations` is neither a list nor null")
    head = _without_annotations(content)
    if passed_over:
        file.seek(0)
        annotations = tuple(_annotations(_entries_of_annotations(JsonStream(file)), head))
    return replace(head, annotations=annotations)


def _entries_of_annotations(stream: JsonStream) -> Iterator[Any]:
    for key in stream.members():
        if key == ANNOTATIONS:
            yield from stream.entries()
        else:
            stream.value()


def _without_annotations(content: Mapping[str, Any]) -> Split:
    if "videos" not in content:
        hint = " (this is COCO's form for images)" if "images" in content else ""
        raise DataError(f"not YouTube-VIS JSON: an object without `videos`{hint}")
    try:
        head = parsed(_Head, content)
    except DataError as error:
        raise DataError(f"not YouTube-VIS JSON: {error}") from error
    if not head.videos:
        raise DataError("empty, it lists no videos")
    _require_unique("category", (category.id for category in head.categories))
    _require_unique("video", (video.id for video in head.videos))
    categories = tuple(Category(entry.id, entry.name) for entry in head.categories)
    return Split(tuple(_video(entry) for entry in head.videos), categories, None)


def _require_unique(kind: str, ids: Iterable[int]) -> None:
    seen: set[int] = set()
    for identifier in ids:
        if identifier in seen:
            raise DataError(f"{kind} id {identifier} is there more than once; ids must be unique")
        seen.add(identifier)


def _video(entry: _VideoEntry) -> Video:
    names = tuple(entry.file_names)
    if entry.length not in (None, len(names)):
        raise DataError(f"video {entry.id}: length {entry.length}, but {len(names)} file names")
    if entry.width * entry.height > MOST_PIXELS:
        raise DataError(f"video {entry.id}: {entry.width}x{entry.height} is more than {MOST_PIXELS} pixels")
    times = None if entry.frame_times is None else tuple(entry.frame_times)
    if times is not None and len(times) != len(names):
        raise DataError(f"video {entry.id}: {len(times)} {TIMES}, but {len(names)} file names")
    return Video(entry.id, entry.width, entry.height, len(names), names, times)


def _annotations(entries: Iterable[Any], split: Split) -> Iterator[Annotation]:
    videos = split.videos_by_id()
    category_ids = {category.id for category in split.categories}
    seen: set[int] = set()
    for index, content in enumerate(entries):
        try:
            entry = parsed(_AnnotationEntry, content)
        except DataError as error:
            raise DataError(f"annotations.{index}: {error}") from error
        try:
            yield _annotation(entry, videos, category_ids)
        except DataError as error:
            raise DataError(f"annotation {entry.id}: {error}") from error
        if entry.id in seen:
            raise DataError(f"annotation id {entry.id} is there more than once; ids must be unique")
        seen.add(entry.id)


def _annotation(entry: _AnnotationEntry, videos: Mapping[int, Video], category_ids: Collection[int]) -> Annotation:
    if entry.video_id not in videos:
        raise DataError(f"no video has the id {entry.video_id}")
    if entry.category_id not in category_ids:
        raise DataError(f"no category has the id {entry.category_id}")
    video = videos[entry.video_id]
    lists = {"segmentations": entry.segmentations, "areas": entry.areas, "levels of occlusion": entry.occlusion}
    for name, values in lists.items():
        if values is not None and len(values) != video.length:
            raise DataError(f"{len(values)} {name}, but video {video.id} has {video.length} frames")
    return Annotation(
        id=entry.id,
        video_id=entry.video_id,
        category_id=entry.category_id,
        segmentations=masks.from_segmentations(entry.segmentations, video.height, video.width),
        areas=None if entry.areas is None else tuple(entry.areas),
        iscrowd=bool(entry.iscrowd),
        occlusion=None if entry.occlusion is None else tuple(entry.occlusion),
    )


def _video_to_json(video: Video) -> dict[str, Any]:
    content: dict[str, Any] = {
        "id": video.id,
        "width": video.width,
        "height": video.height,
        "length": video.length,
        "file_names": list(video.file_names),
    }
    return content if video.times is None else {**content, TIMES: list(video.times)}


def _annotation_to_json(annotation: Annotation, video: Video) -> dict[str, Any]:
    content: dict[str, Any] = {
        "id": annotation.id,
        "video_id": annotation.video_id,
        "category_id": annotation.category_id,
        "iscrowd": int(annotation.iscrowd),
        "width": video.width,
        "height": video.height,
        "length": video.length,
        "segmentations": list(annotation.segmentations),
        "bboxes": [
            None if rle is None else masks.bounding_boxes([rle])[0].tolist() for rle in annotation.segmentations
        ],
    }
    if annotation.areas is not None:
        content["areas"] = list(annotation.areas)
    if annotation.occlusion is not None:
        content["occlusion"] = list(annotation.occlusion)
    return content
