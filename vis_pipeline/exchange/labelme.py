"""labelme: `<video>/<frame>.json`, called as the frames, with polygons whose `group_id` is the track's number.

A polygon goes along the edges of pixels; each part of a mask is one, holes are joined to their outline by a seam. The
score is the shape's own key `score`, which labelme keeps. Read back, polygons, masks and rectangles of one group are
one mask, exactly that which was written.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from vis_pipeline import masks
from vis_pipeline.data.entries import Entry, Id, one_line, parsed
from vis_pipeline.data.label_images import stored_values
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.boxes import BOXES, rectangle
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.exchange.folders import EMPTY, frame_files, new_folder, subfolder, video_folders
from vis_pipeline.exchange.gathering import Gatherer, mean, require_score
from vis_pipeline.exchange.names import category_of_label, frame_stems, labels, shown, video_stems
from vis_pipeline.exchange.outlines import polygons
from vis_pipeline.files.images import open_picture, png_is_whole
from vis_pipeline.files.json_files import open_json
from vis_pipeline.files.json_stream import JsonStream
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Split, Video

SUFFIX = ".json"
VERSION = "5.5.0"
CROWD = "crowd"
NO_FRAMES = "where the frames are is not known: files name their images as the split does; give --frames"
LONE = "{count} shapes have no group_id: each is a track of one frame"
WITHOUT_AREA = "{count} shapes that are no polygon, rectangle or mask were left out"
_KINDS = ("polygon", "rectangle", "mask")


def write(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write a folder: one a video, a file a frame, which names its image by the way from it to the split's frames."""
    folder = new_folder(out)
    stems, called = video_stems(content.split, notes), labels(content.split.categories)
    notes.say(NO_FRAMES, int(content.frames is None))
    for found in content.seen(notes):
        of_video = subfolder(folder, stems[found.video.id])
        names = zip(frame_stems(found.video), found.video.file_names, strict=True)
        for frame, (stem, name) in enumerate(names):
            image = name if content.frames is None else os.path.relpath(content.frames / name, of_video)
            content_of_frame: dict[str, Any] = {
                "version": VERSION,
                "flags": {},
                "shapes": list(_shapes(found, frame, called, notes)),
                "imagePath": image,
                "imageData": None,
                "imageHeight": found.video.height,
                "imageWidth": found.video.width,
            }
            write_text(of_video / f"{stem}{SUFFIX}", json.dumps(content_of_frame, indent=1) + "\n")


def _shapes(found: VideoTracks, frame: int, called: Mapping[int, str], notes: Notes) -> Iterator[dict[str, Any]]:
    for place, track in enumerate(found.tracks):
        rle = track.segmentations[frame]
        if rle is None:
            continue
        rings = polygons(masks.decode(rle))
        notes.say(EMPTY, int(not rings))
        for ring in rings:
            yield {
                "label": called[track.category_id],
                "points": [[float(x), float(y)] for x, y in ring],
                "group_id": place + 1,
                "description": "",
                "shape_type": "polygon",
                "flags": {CROWD: True} if place in found.crowds else {},
                "mask": None,
                "score": track.score,
            }


class _Shape(Entry):
    label: str
    points: list[list[float]] = Field(min_length=1)
    shape_type: str = "polygon"
    group_id: Id | None = None
    flags: dict[str, bool] | None = None
    mask: str | None = None
    score: float = 1.0


class _File(Entry):
    shapes: list[Any]
    imageHeight: PositiveInt | None = None  # noqa: N815
    imageWidth: PositiveInt | None = None  # noqa: N815


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read a folder.

    Raises:
        DataError: a folder is of no video, or a file is damaged or does not fit the split; it is named.
    """
    for video, folder in video_folders(path, split, notes):
        indices = {name: index for index, name in enumerate(frame_stems(video))}
        gatherer = Gatherer(video, conventions, notes)
        lone = 0
        for file in frame_files(folder, SUFFIX):
            try:
                if file.stem not in indices:
                    raise DataError(f"video {video.id} has no frame of this name")
                shapes = _read(file, video)
                for number, group in _groups(shapes, lone, notes).items():
                    _add(gatherer, number, indices[file.stem], group, split, video, notes)
                lone += sum(shape.group_id is None for shape in shapes)
            except DataError as error:
                raise DataError(f"{folder}: {shown(file.name)}: {one_line(error)}") from error
        yield gatherer.tracks()


def _read(file: Path, video: Video) -> list[_Shape]:
    with open_json(file) as (opened, _):
        stream = JsonStream(opened)
        content = stream.value()
        stream.finish()
    entry = parsed(_File, content)
    size = (entry.imageWidth, entry.imageHeight)
    if None not in size and size != (video.width, video.height):
        raise DataError(f"is of an image of {size[0]}x{size[1]}, the frames are {video.width}x{video.height}")
    shapes = []
    for index, shape in enumerate(entry.shapes):
        try:
            shapes.append(parsed(_Shape, shape))
        except DataError as error:
            raise DataError(f"shapes.{index}: {error}") from error
    return shapes


def _groups(shapes: Sequence[_Shape], lone: int, notes: Notes) -> dict[int, list[_Shape]]:
    """The shapes of each track; those without a group have numbers below all others."""
    groups: dict[int, list[_Shape]] = {}
    for shape in shapes:
        if shape.shape_type not in _KINDS:
            notes.say(WITHOUT_AREA)
            continue
        number = shape.group_id
        if number is None:
            notes.say(LONE)
            lone += 1
            number = -(2**63) - lone
        groups.setdefault(number, []).append(shape)
    return groups


def _add(
    gatherer: Gatherer, number: int, frame: int, group: Sequence[_Shape], split: Split, video: Video, notes: Notes
) -> None:
    if len({shape.label for shape in group}) > 1:
        raise DataError(f"group {number}: has shapes of several labels")
    category = category_of_label(group[0].label, split.categories)
    outlines = [_corners(shape) for shape in group if shape.shape_type == "polygon"]
    parts = [masks.from_segmentation(outlines, video.height, video.width)] if outlines else []
    parts += [_part(shape, video, notes) for shape in group if shape.shape_type != "polygon"]
    mask = (
        parts[0] if len(parts) == 1 else masks.encode(np.any([masks.decode(part) for part in parts], axis=0)[None])[0]
    )
    gatherer.add(number, frame, mask, category, require_score(mean([shape.score for shape in group])))
    if any((shape.flags or {}).get(CROWD) for shape in group):
        gatherer.mark_crowd(number)


def _corners(shape: _Shape) -> list[float]:
    if any(len(point) != 2 for point in shape.points):
        raise DataError("a point that is no x and y")
    return [value for point in shape.points for value in point]


def _part(shape: _Shape, video: Video, notes: Notes) -> Rle:
    corners = _corners(shape)
    if shape.shape_type == "mask":
        return _pasted(shape.mask, corners, video)
    if len(corners) != 4:
        raise DataError("a rectangle that has not two corners")
    notes.say(BOXES)
    left, right = sorted(corners[::2])
    top, bottom = sorted(corners[1::2])
    return rectangle([left, top, right - left, bottom - top], video)


def _pasted(text: str | None, corners: Sequence[float], video: Video) -> Rle:
    """A mask that lies in a PNG, at its first corner."""
    pixels = _png(text)
    left, top = round(corners[0]), round(corners[1])
    height, width = pixels.shape
    if min(left, top) < 0 or left + width > video.width or top + height > video.height:
        raise DataError(f"a mask at {left},{top} of {width}x{height} is not inside {video.width}x{video.height}")
    mask = np.zeros((1, video.height, video.width), dtype=np.bool_)
    mask[0, top : top + height, left : left + width] = pixels > 0
    return masks.encode(mask)[0]


def _png(text: str | None) -> NDArray[np.uint8]:
    try:
        data = base64.b64decode(text or "", validate=True)
        if not png_is_whole(data):
            raise DataError("a mask that is no PNG, or one that is cut short or damaged")
        with open_picture(data) as image:
            return stored_values(image)
    except (binascii.Error, OSError) as error:
        raise DataError("a mask that cannot be decoded") from error
