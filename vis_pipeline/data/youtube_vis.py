"""YouTube-VIS files: splits (2019, 2021 and 2022; with and without annotations) and results, read, checked and written.

The form is that of COCO with `videos` for `images` and, in each annotation or result, `segmentations` (one a frame,
null where the object is absent) for `segmentation`.
"""

import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, Field, PositiveInt, TypeAdapter, ValidationError

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle


@dataclass(frozen=True)
class Category:
    """A class of objects; ids differ from year to year (person is 1 in 2019, 26 in 2021)."""

    id: int
    name: str


@dataclass(frozen=True)
class Video:
    """One video: sizes in pixels, `length` frames, `file_names` relative to the folder of all frames."""

    id: int
    width: int
    height: int
    length: int
    file_names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The folder that holds the frames, as in the file names; the id as text where there is none."""
        folder = str(PurePosixPath(self.file_names[0]).parent)
        return str(self.id) if folder == "." else folder


@dataclass(frozen=True)
class Annotation:
    """One object of the ground truth over the whole video.

    Attributes:
        segmentations: `length` masks, None where the object is not visible.
        areas: the file's own areas in pixels, one a frame, or None where the file has none.
        iscrowd: the evaluator ignores the object.
    """

    id: int
    video_id: int
    category_id: int
    segmentations: tuple[Rle | None, ...]
    areas: tuple[float | None, ...] | None
    iscrowd: bool


@dataclass(frozen=True)
class Split:
    """Videos, categories and, where the file has them, annotations (None in the valid and test forms)."""

    videos: tuple[Video, ...]
    categories: tuple[Category, ...]
    annotations: tuple[Annotation, ...] | None

    def videos_by_id(self) -> dict[int, Video]:
        """The videos under their ids."""
        return {video.id: video for video in self.videos}


@dataclass(frozen=True)
class TrackResult:
    """One predicted object over the whole video: `segmentations` has one mask or None for every frame."""

    video_id: int
    category_id: int
    score: float
    segmentations: tuple[Rle | None, ...]


def read_split(path: Path) -> Split:
    """Read and check a split; masks may be compressed or uncompressed RLE or polygons and become :class:`Rle`.

    Raises:
        DataError: the file is missing, not JSON, not YouTube-VIS, empty, or contradicts itself.
    """
    content = _read_json(path, "split")
    if not isinstance(content, dict) or "videos" not in content:
        found = "a list" if isinstance(content, list) else "an object without `videos`"
        hint = " (this is COCO's form for images)" if isinstance(content, dict) and "images" in content else ""
        raise DataError(f"split {path}: not YouTube-VIS JSON: {found}{hint}")
    file = _validate(TypeAdapter(_SplitFile), content, f"split {path}: not YouTube-VIS JSON")
    if not file.videos:
        raise DataError(f"split {path}: empty, it lists no videos")
    try:
        _require_unique("category", (category.id for category in file.categories))
        _require_unique("video", (video.id for video in file.videos))
        videos = tuple(_video(entry) for entry in file.videos)
        categories = tuple(Category(entry.id, entry.name) for entry in file.categories)
        annotations = None if file.annotations is None else tuple(_annotations(file.annotations, videos, categories))
    except DataError as error:
        raise DataError(f"split {path}: {error}") from error
    return Split(videos, categories, annotations)


def split_to_json(split: Split) -> dict[str, Any]:
    """The split as YouTube-VIS JSON; boxes (x, y, w, h) come from the masks, areas are written where they are known."""
    videos = split.videos_by_id()
    content: dict[str, Any] = {
        "videos": [
            {
                "id": video.id,
                "width": video.width,
                "height": video.height,
                "length": video.length,
                "file_names": list(video.file_names),
            }
            for video in split.videos
        ],
        "categories": [{"id": category.id, "name": category.name} for category in split.categories],
    }
    if split.annotations is not None:
        content["annotations"] = [_annotation_to_json(entry, videos[entry.video_id]) for entry in split.annotations]
    return content


def read_results(path: Path | zipfile.Path) -> tuple[TrackResult, ...]:
    """Read `results.json`, in a folder or in a zip: a list of `{video_id, category_id, score, segmentations}`.

    What needs the split to judge is left to :mod:`vis_pipeline.submission` and to the evaluator.

    Raises:
        DataError: the file is missing, not JSON, or not a list of such results.
    """
    content = _read_json(path, "results")
    if not isinstance(content, list):
        raise DataError(f"results {path}: not a list of tracks as YouTube-VIS asks")
    return tracks_from_json(content, f"results {path}")


def tracks_from_json(content: Any, source: str) -> tuple[TrackResult, ...]:
    """Turn parsed JSON into results; `source` begins the error's line."""
    entries = _validate(TypeAdapter(list[_ResultFile]), content, f"{source}: not YouTube-VIS results")
    return tuple(
        TrackResult(
            entry.video_id, entry.category_id, entry.score, _result_masks(entry.segmentations, source, position)
        )
        for position, entry in enumerate(entries)
    )


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


class _CategoryFile(BaseModel):
    id: int
    name: str


class _VideoFile(BaseModel):
    id: int
    width: PositiveInt
    height: PositiveInt
    length: PositiveInt | None = None
    file_names: list[str] = Field(min_length=1)


class _AnnotationFile(BaseModel):
    id: int
    video_id: int
    category_id: int
    segmentations: list[Any]
    areas: list[float | None] | None = None
    iscrowd: bool = False


class _SplitFile(BaseModel):
    videos: list[_VideoFile]
    categories: list[_CategoryFile] = Field(min_length=1)
    annotations: list[_AnnotationFile] | None = None


class _ResultFile(BaseModel):
    video_id: int
    category_id: int
    score: float
    segmentations: list[Any]


_Content = TypeVar("_Content")


def _read_json(path: Path | zipfile.Path, kind: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{kind} {path}: cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{kind} {path}: damaged zip ({error})") from error
    except ValueError as error:
        raise DataError(f"{kind} {path}: not JSON, or cut short ({error})") from error


def _validate(adapter: TypeAdapter[_Content], content: Any, source: str) -> _Content:
    try:
        return adapter.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "top level"
        raise DataError(f"{source}: {where}: {first['msg']}") from error


def _require_unique(kind: str, ids: Iterable[int]) -> None:
    seen: set[int] = set()
    for identifier in ids:
        if identifier in seen:
            raise DataError(f"{kind} id {identifier} is there more than once; ids must be unique")
        seen.add(identifier)


def _video(entry: _VideoFile) -> Video:
    names = tuple(entry.file_names)
    if entry.length not in (None, len(names)):
        raise DataError(f"video {entry.id}: length {entry.length}, but {len(names)} file names")
    return Video(entry.id, entry.width, entry.height, len(names), names)


def _annotations(
    entries: Sequence[_AnnotationFile], videos: Sequence[Video], categories: Sequence[Category]
) -> Iterator[Annotation]:
    _require_unique("annotation", (entry.id for entry in entries))
    by_id = {video.id: video for video in videos}
    category_ids = {category.id for category in categories}
    for entry in entries:
        try:
            if entry.video_id not in by_id:
                raise DataError(f"no video has the id {entry.video_id}")
            if entry.category_id not in category_ids:
                raise DataError(f"no category has the id {entry.category_id}")
            yield _annotation(entry, by_id[entry.video_id])
        except DataError as error:
            raise DataError(f"annotation {entry.id}: {error}") from error


def _annotation(entry: _AnnotationFile, video: Video) -> Annotation:
    lengths = {"segmentations": len(entry.segmentations)}
    if entry.areas is not None:
        lengths["areas"] = len(entry.areas)
    for name, length in lengths.items():
        if length != video.length:
            raise DataError(f"{length} {name}, but video {video.id} has {video.length} frames")
    return Annotation(
        id=entry.id,
        video_id=entry.video_id,
        category_id=entry.category_id,
        segmentations=_masks(entry.segmentations, video.height, video.width),
        areas=None if entry.areas is None else tuple(entry.areas),
        iscrowd=entry.iscrowd,
    )


def _masks(segmentations: Sequence[Any], height: int, width: int) -> tuple[Rle | None, ...]:
    try:
        return masks.from_segmentations(segmentations, height, width)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise DataError(f"a damaged segmentation ({error})") from error


def _result_masks(segmentations: Sequence[Any], source: str, position: int) -> tuple[Rle | None, ...]:
    sizes = []
    for frame, segmentation in enumerate(segmentations):
        size = segmentation.get("size") if isinstance(segmentation, dict) else None
        if segmentation is not None and not (
            isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)
        ):
            raise DataError(f"{source}: track {position}, frame {frame}: neither RLE nor null")
        if size is not None:
            sizes.append(size)
    try:
        return _masks(segmentations, *(sizes[0] if sizes else (0, 0)))
    except DataError as error:
        raise DataError(f"{source}: track {position}, {error}") from error


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
    return content
