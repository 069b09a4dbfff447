"""COCO files of still images, read and checked as a split whose videos have one frame each."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, PositiveInt

from vis_pipeline import masks
from vis_pipeline.data.entries import MEMORY_RATIO, Entry, Id, one_line, parsed
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import open_json
from vis_pipeline.files.json_stream import JsonStream
from vis_pipeline.files.memory import require_memory
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Annotation, Category, Split, Video

ANNOTATIONS = "annotations"
_EntryT = TypeVar("_EntryT", bound=Entry)


def read_coco(path: Path) -> Split:
    """Read the instances of still images: each image is a video of length 1 under the image's id.

    Masks may be compressed or uncompressed RLE or polygons; an annotation without one has None. Crowds are kept and
    marked as such.

    Raises:
        DataError: the file is missing, not JSON, not COCO's form, without images or annotations, or contradicts itself,
            or there is less memory free than it will need.
    """
    try:
        with open_json(path) as (file, size):
            require_memory(MEMORY_RATIO * size)
            stream = JsonStream(file)
            split = _read(stream)
            stream.finish()
    except DataError as error:
        raise DataError(f"COCO file {path}: {one_line(error)}") from error
    return split


class _ImageEntry(Entry):
    id: Id
    width: PositiveInt
    height: PositiveInt
    file_name: str = Field(min_length=1)


class _CategoryEntry(Entry):
    id: Id
    name: str


class _AnnotationEntry(Entry):
    id: Id
    image_id: Id
    category_id: Id
    segmentation: Any = None
    iscrowd: Literal[0, 1, False, True] = 0


def _read(stream: JsonStream) -> Split:
    if stream.peek() == "[":
        raise DataError("not COCO's form: a list")
    content: dict[str, Any] = {}
    annotations: tuple[Annotation, ...] | None = None
    for key in stream.members():
        if key == ANNOTATIONS and "images" in content and stream.peek() == "[":
            annotations = tuple(_annotations(stream.entries(), _videos(content["images"])))
        else:
            content[key] = stream.value()
    for key in ("images", "categories"):
        if not isinstance(content.get(key), list):
            hint = " (it lists videos: a split?)" if "videos" in content else ""
            raise DataError(f"not COCO's form: no list `{key}`{hint}")
    videos = _videos(content["images"])
    if annotations is None:
        if not isinstance(content.get(ANNOTATIONS), list):
            raise DataError(f"not COCO's form: no list `{ANNOTATIONS}`")
        annotations = tuple(_annotations(content[ANNOTATIONS], videos))
    categories = tuple(_entries(_CategoryEntry, "categories", content["categories"]))
    _require_categories(annotations, {entry.id for entry in categories})
    return Split(tuple(videos.values()), tuple(Category(entry.id, entry.name) for entry in categories), annotations)


def _entries(kind: type[_EntryT], key: str, listed: Iterable[Any]) -> Iterator[_EntryT]:
    for index, content in enumerate(listed):
        try:
            yield parsed(kind, content)
        except DataError as error:
            raise DataError(f"{key}.{index}: {error}") from error


def _videos(listed: Any) -> dict[int, Video]:
    if not isinstance(listed, list) or not listed:
        raise DataError("lists no images")
    videos: dict[int, Video] = {}
    for entry in _entries(_ImageEntry, "images", listed):
        if entry.id in videos:
            raise DataError(f"image id {entry.id} is there more than once; ids must be unique")
        videos[entry.id] = Video(entry.id, entry.width, entry.height, 1, (entry.file_name,))
    return videos


def _annotations(listed: Iterable[Any], videos: Mapping[int, Video]) -> Iterator[Annotation]:
    for entry in _entries(_AnnotationEntry, ANNOTATIONS, listed):
        if entry.image_id not in videos:
            raise DataError(f"annotation {entry.id}: no image has the id {entry.image_id}")
        video = videos[entry.image_id]
        try:
            mask = _mask(entry.segmentation, video.height, video.width)
        except DataError as error:
            raise DataError(f"annotation {entry.id}: {error}") from error
        yield Annotation(entry.id, video.id, entry.category_id, (mask,), None, bool(entry.iscrowd))


def _mask(segmentation: Any, height: int, width: int) -> Rle | None:
    if segmentation is None or segmentation == []:
        return None
    return masks.from_segmentation(segmentation, height, width)


def _require_categories(annotations: Iterable[Annotation], known: Collection[int]) -> None:
    for annotation in annotations:
        if annotation.category_id not in known:
            raise DataError(f"annotation {annotation.id}: no category has the id {annotation.category_id}")
