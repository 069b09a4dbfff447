"""Detections on disk, gone through once and then read video by video, so that no process ever holds them all."""

import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.class_maps import build_class_map, build_recorded_map
from detectors.detection_entries import FoundObject, read_entry
from vis_pipeline.data.entries import one_line
from vis_pipeline.data.splits import CATEGORIES, categories_from_json
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import open_json, parsed_json
from vis_pipeline.files.json_stream import DamagedJsonError, JsonStream
from vis_pipeline.files.regular_files import MOST_JSON, open_regular
from vis_pipeline.structures.splits import Category, Split, Video

FOLDER_NAME = "detections"
CATEGORIES_NAME = "categories.json"
_DETECTIONS = "detections"
_CHANGED = "has changed since the run began"


@dataclass(frozen=True)
class _Stretches:
    """Where a video's entries lie in a file.

    Attributes:
        file: that has them.
        size: of the file in bytes.
        places: int64 [S, 3]; of each stretch of entries that follow each other the bytes from which to which
            (exclusive) it lies, and the position of its first entry in the file's list.
    """

    file: Path
    size: int
    places: NDArray[np.int64]


@dataclass(frozen=True)
class Recording:
    """Detections by video: small, since it does not hold them but knows where to find them.

    Attributes:
        files: what they are read from.
        labels: the category id of the split for each that occurs in the files; None drops its detections.
    """

    files: tuple[Path, ...]
    labels: Mapping[int, int | None]
    _videos: Mapping[int, Video]
    _stretches: Mapping[int, _Stretches]

    def of_video(self, video_id: int) -> list[FoundObject]:
        """The detections of a video in the order of the file, with category ids of the split.

        Raises:
            DataError: the file is not as it was when it was gone through.
        """
        found = self._stretches.get(video_id)
        if found is None:
            return []
        entries = list(_read(found, {video_id: self._videos[video_id]}))
        if not self.labels.keys() >= {entry.category_id for entry in entries}:
            raise DataError(f"detections {found.file}: {_CHANGED}")
        labelled = ((entry, self.labels[entry.category_id]) for entry in entries)
        return [replace(entry, category_id=label) for entry, label in labelled if label is not None]


@dataclass(frozen=True)
class ScannedDetections:
    """Detections that fit their videos.

    Attributes:
        files: what they were read from.
        categories: those that the entries' ids belong to; None where nobody states them.
        first_seen: for each category id that occurs, what to call the first entry that has it.
    """

    files: tuple[Path, ...]
    categories: tuple[Category, ...] | None
    first_seen: Mapping[int, str]
    _videos: Mapping[int, Video]
    _stretches: Mapping[int, _Stretches]

    def as_they_are(self) -> tuple[tuple[Category, ...], Recording]:
        """The stated categories, or one named by its number for each id that occurs, and the detections under these.

        Raises:
            DataError: an entry has a category that is not among those that are stated.
        """
        numbered = tuple(Category(number, str(number)) for number in sorted(self.first_seen) or [1])
        categories = self.categories or numbered
        return categories, self._labelled({category.id: category.id for category in categories}.__getitem__)

    def recording(self, categories: Sequence[Category], class_map: str | None) -> Recording:
        """The detections with the category ids of a split.

        Where categories are stated, `class_map` is about their names, as that of a detector
        (:func:`~detectors.class_maps.build_class_map`; None is `by-name`). Else it is about the ids
        (:func:`~detectors.class_maps.build_recorded_map`).

        Raises:
            ConfigError: the class map cannot be used.
            DataError: it does not know the category of an entry.
        """
        if self.categories is None:
            return self._labelled(build_recorded_map(categories, class_map))
        ids = build_class_map([known.name for known in self.categories], categories, class_map or "by-name")
        return self._labelled(dict(zip([known.id for known in self.categories], ids, strict=True)).__getitem__)

    def _labelled(self, category: Callable[[int], int | None]) -> Recording:
        labels: dict[int, int | None] = {}
        for number, entry in self.first_seen.items():
            try:
                labels[number] = category(number)
            except KeyError:
                remedy = f"`{CATEGORIES}` lacks it" if self.categories else "give a --class-map that knows it"
                raise DataError(f"{entry}: category {number} is unknown; {remedy}") from None
        return Recording(self.files, labels, self._videos, self._stretches)


def open_recording(path: Path, split: Split, class_map: str | None = None) -> Recording:
    """The detections of a split's videos; see :func:`scan_detections` and :meth:`ScannedDetections.recording`."""
    return scan_detections(path, split.videos).recording(split.categories, class_map)


def scan_detections(path: Path, videos: Sequence[Video]) -> ScannedDetections:
    """Go once through a file or folder of detections and check every entry; little of it is ever in memory.

    Raises:
        DataError: it cannot be read, is no file of detections, or an entry (numbered from 0) does not fit the videos.
    """
    by_id = {video.id: video for video in videos}
    scan = _Scan()
    if not path.is_dir():
        categories = scan.go_through(path, by_id)
        return ScannedDetections((path,), categories, scan.first_seen, by_id, scan.stretches)
    folder = path / FOLDER_NAME if (path / FOLDER_NAME).is_dir() else path
    files = [folder / f"{video_id}.json" for video_id in by_id]
    for file, video in zip(files, videos, strict=True):
        if not file.is_file():
            raise DataError(
                f"detections {path}: no {file.name} there for video {video.id} ({video.name}); "
                "a run writes them with --save-detections, video by video"
            )
        scan.go_through(file, {video.id: video})
    categories_file = folder / CATEGORIES_NAME
    categories = _stated(categories_file) if categories_file.is_file() else None
    if categories is not None:
        files.append(categories_file)
    return ScannedDetections(tuple(files), categories, scan.first_seen, by_id, scan.stretches)


class _Scan:
    """What is kept of the files that are gone through.

    Attributes:
        first_seen, stretches: see :class:`ScannedDetections`.
    """

    def __init__(self) -> None:
        self.first_seen: dict[int, str] = {}
        self.stretches: dict[int, _Stretches] = {}

    def go_through(self, file: Path, videos: Mapping[int, Video]) -> tuple[Category, ...] | None:
        """Check all of a file; the categories that it states."""
        places: dict[int, array[int]] = {}
        categories, keys = None, {_DETECTIONS}
        try:
            with open_json(file) as (opened, size):
                stream = JsonStream(opened)
                if stream.peek() == "{":
                    keys.clear()
                    for key in stream.members():
                        keys.add(key)
                        if key == _DETECTIONS:
                            self._check(stream, file, videos, places)
                        elif key == CATEGORIES:
                            categories = categories_from_json(stream.value())
                        else:
                            stream.value()
                else:
                    self._check(stream, file, videos, places)
                stream.finish()
            if _DETECTIONS not in keys:
                hint = "; is it a split?" if "videos" in keys else ""
                raise DataError(f"neither a list of detections nor an object with `{_DETECTIONS}`{hint}")
        except DataError as error:
            raise DataError(f"detections {file}: {one_line(error)}") from error
        for video_id, of_video in places.items():
            self.stretches[video_id] = _Stretches(file, size, np.array(of_video, dtype=np.int64).reshape(-1, 3))
        return categories

    def _check(
        self, stream: JsonStream, file: Path, videos: Mapping[int, Video], places: dict[int, "array[int]"]
    ) -> None:
        """Check a list of entries and note their places, of each stretch of a video begin, end and first position."""
        position, last = -1, None
        try:
            for position, (content, begin, end) in enumerate(stream.located_entries()):
                entry = _entry(content, position, videos)
                if entry.category_id not in self.first_seen:
                    self.first_seen[entry.category_id] = f"detections {file}: entry {position}"
                if entry.video_id == last:
                    places[last][-2] = end
                else:
                    last = entry.video_id
                    places.setdefault(last, array("q")).extend((begin, end, position))
        except DamagedJsonError as error:
            where = f", after entry {position}" if position >= 0 else ""
            raise DataError(f"{error}{where}") from error


def _read(found: _Stretches, videos: Mapping[int, Video]) -> Iterator[FoundObject]:
    try:
        with open_regular(found.file, MOST_JSON) as file:
            if os.fstat(file.fileno()).st_size != found.size:
                raise DataError(_CHANGED)
            for begin, end, first in found.places.tolist():
                file.seek(begin)
                entries = parsed_json(b"[" + file.read(end - begin) + b"]")
                for position, content in enumerate(entries, start=first):
                    yield _entry(content, position, videos)
    except OSError as error:
        raise DataError(f"detections {found.file}: cannot be read ({error.strerror})") from error
    except (DamagedJsonError, ValueError) as error:
        raise DataError(f"detections {found.file}: {_CHANGED}") from error
    except DataError as error:
        raise DataError(f"detections {found.file}: {one_line(error)}") from error


def _entry(content: object, position: int, videos: Mapping[int, Video]) -> FoundObject:
    try:
        return read_entry(content, videos)
    except DataError as error:
        raise DataError(f"entry {position}: {error}") from error


def _stated(file: Path) -> tuple[Category, ...]:
    try:
        with open_json(file) as (opened, _):
            stream = JsonStream(opened)
            categories = categories_from_json(stream.value())
            stream.finish()
    except DataError as error:
        raise DataError(f"detections {file}: {one_line(error)}") from error
    return categories
