"""CVAT for video 1.1 read back: masks, polygons and boxes of tracks, from our files and from CVAT's own exports."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.parsers import expat

import numpy as np

from vis_pipeline import masks
from vis_pipeline.data.entries import one_line
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.boxes import BOXES, rectangle
from vis_pipeline.exchange.content import Conventions, Notes, VideoTracks
from vis_pipeline.exchange.cvat import CROWD, SCORE, SUFFIX
from vis_pipeline.exchange.folders import video_files
from vis_pipeline.exchange.gathering import Gatherer, require_frame, require_score
from vis_pipeline.exchange.names import category_of_label, shown
from vis_pipeline.exchange.text_lines import number, whole_number
from vis_pipeline.files.regular_files import MOST_JSON, open_regular
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Split, Video

WITHOUT_AREA = "{count} shapes without an area (points, lines, cuboids, skeletons, ellipses) were left out"
_WITH_AREA = ("mask", "polygon", "box")
_SHAPES = (*_WITH_AREA, "points", "polyline", "cuboid", "skeleton", "ellipse")


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read a folder of files, called as the videos, or the one file of a split of one video.

    Raises:
        DataError: a file is of no video, no XML of this form, or does not fit the split; its line is named.
    """
    for video, file in video_files(path, SUFFIX, split, notes):
        yield _Reader(file, video, split, conventions, notes).tracks()


class _Reader:
    """One file, element by element; nothing of it is kept but the tracks."""

    def __init__(self, path: Path, video: Video, split: Split, conventions: Conventions, notes: Notes) -> None:
        self._path, self._video, self._split, self._notes = path, video, split, notes
        self._conventions = conventions
        self._gatherer = Gatherer(video, conventions, notes)
        self._track: tuple[int, int] | None = None
        self._shape: tuple[str, Mapping[str, str]] | None = None
        self._attribute: str | None = None
        self._attributes: dict[str, str] = {}
        self._root = ""

    def tracks(self) -> VideoTracks:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            with open_regular(self._path, MOST_JSON) as file:
                parser.ParseFile(file)
        except OSError as error:
            raise DataError(f"{self._path}: cannot be read ({error.strerror})") from error
        except (LookupError, ValueError) as error:
            raise DataError(f"{self._path}: in an encoding that cannot be read ({error})") from error
        except expat.ExpatError as error:
            raise DataError(f"{self._path}: not XML, or cut short ({error})") from error
        except DataError as error:
            raise DataError(f"{self._path}: line {parser.CurrentLineNumber}: {one_line(error)}") from error
        return self._gatherer.tracks()

    def _refuse(self, *declared: object) -> None:
        raise DataError("has a document type, which CVAT's files do not")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._root = self._root or name
        if self._root != "annotations":
            raise DataError(f"an element {shown(name)}, not the `annotations` of CVAT")
        if name == "image":
            raise DataError("images without tracks: export the task as `CVAT for video 1.1`")
        if name == "track":
            category = category_of_label(_value(attributes, "label"), self._split.categories)
            self._track = whole_number(_value(attributes, "id")), category
        elif name in _SHAPES and self._track is not None and self._shape is None:
            self._shape, self._attributes = (name, attributes), {}
        elif name == "attribute" and self._shape is not None:
            self._attribute = attributes.get("name", "")
            self._attributes[self._attribute] = ""

    def _text(self, text: str) -> None:
        if self._attribute is not None:
            self._attributes[self._attribute] += text

    def _end(self, name: str) -> None:
        if name == "attribute":
            self._attribute = None
        elif name == "track":
            self._track = None
        elif self._shape is not None and name == self._shape[0]:
            self._add(*self._shape)
            self._shape = None

    def _add(self, kind: str, attributes: Mapping[str, str]) -> None:
        assert self._track is not None
        if kind not in _WITH_AREA:
            self._notes.say(WITHOUT_AREA)
            return
        if attributes.get("outside") == "1":
            return
        track, category = self._track
        frame = require_frame(whole_number(_value(attributes, "frame")), self._video, self._conventions.first_frame)
        score = require_score(number(self._attributes.get(SCORE, "1") or "1"))
        self._gatherer.add(track, frame, self._mask(kind, attributes), category, score)
        if self._attributes.get(CROWD) == "true":
            self._gatherer.mark_crowd(track)

    def _mask(self, kind: str, attributes: Mapping[str, str]) -> Rle:
        if kind == "mask":
            return _mask(attributes, self._video)
        if kind == "polygon":
            return _filled(_points(_value(attributes, "points")), self._video)
        self._notes.say(BOXES)
        left, top, right, bottom = (number(_value(attributes, key)) for key in ("xtl", "ytl", "xbr", "ybr"))
        turn = number(attributes.get("rotation", "0"))
        if not turn:
            return rectangle([left, top, right - left, bottom - top], self._video)
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        return _filled(_turned(corners, math.radians(turn)), self._video)


def _value(attributes: Mapping[str, str], key: str) -> str:
    if key not in attributes:
        raise DataError(f"an element without `{key}`")
    return attributes[key]


def _mask(attributes: Mapping[str, str], video: Video) -> Rle:
    """Run-lengths along the rows of a box, background first."""
    left, top, width, height = (whole_number(_value(attributes, key)) for key in ("left", "top", "width", "height"))
    if min(left, top) < 0 or min(width, height) < 1 or left + width > video.width or top + height > video.height:
        raise DataError(f"a mask at {left},{top} of {width}x{height} is not inside {video.width}x{video.height}")
    try:
        runs = np.array([int(run) for run in _value(attributes, "rle").split(",")], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise DataError("damaged RLE: not whole numbers") from error
    if runs.min() < 0 or runs.max() > width * height or runs.sum() != width * height:
        raise DataError(f"damaged RLE: its runs do not add up to {width}x{height} pixels")
    inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
    mask = np.zeros((1, video.height, video.width), dtype=np.bool_)
    mask[0, top : top + height, left : left + width] = inside
    return masks.encode(mask)[0]


def _points(text: str) -> list[tuple[float, float]]:
    points = []
    for pair in text.split(";"):
        x, _, y = pair.partition(",")
        points.append((number(x), number(y)))
    return points


def _turned(corners: list[tuple[float, float]], turn: float) -> list[tuple[float, float]]:
    """Corners turned clockwise about the middle of the first and the third, by radians."""
    x, y = (corners[0][0] + corners[2][0]) / 2, (corners[0][1] + corners[2][1]) / 2
    sine, cosine = math.sin(turn), math.cos(turn)
    return [
        (x + (left - x) * cosine - (top - y) * sine, y + (left - x) * sine + (top - y) * cosine)
        for left, top in corners
    ]


def _filled(points: list[tuple[float, float]], video: Video) -> Rle:
    return masks.from_segmentation([[value for point in points for value in point]], video.height, video.width)
