"""MOTS PNG: `instances/<video>/<frame>.png` of 16 bits, the value of a pixel being the id of its object, 0 none.

Files are called by the number of their frame, six digits, from 0 (KITTI) or 1 (MOTSChallenge). `instances/labels.txt`
names the classes, a line each from 1, as datumaro and CVAT have it; where it is there, it decides.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.entries import one_line
from vis_pipeline.data.label_images import object_masks, png_bytes
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.class_numbers import MOTS_IGNORED, MOTS_NAMES, mots_classes
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.exchange.exclusive import label_maps
from vis_pipeline.exchange.folders import frame_files, new_folder, subfolder, video_folders
from vis_pipeline.exchange.gathering import require_frame
from vis_pipeline.exchange.mots import INSTANCES, MotsReading, object_ids
from vis_pipeline.exchange.names import LABELS_NAME, frame_stems, shown, video_stems
from vis_pipeline.exchange.names import one_line as line_of
from vis_pipeline.exchange.text_lines import numbered_lines
from vis_pipeline.exchange.tracks_table import writing_table
from vis_pipeline.files.images import grey_or_colour
from vis_pipeline.files.whole_files import write_bytes, write_text
from vis_pipeline.structures.splits import Category, Split, Video

INSTANCES_NAME = "instances"
SUFFIX = ".png"
# CVAT calls the frames of a video so.
_NUMBER = re.compile(r"(?:frame_)?([0-9]{1,9})")
MISSING_FRAMES = "{count} frames have no file: nothing is seen in them"


def write(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write a folder: `instances` and `tracks.csv`."""
    out = new_folder(out)
    folder = subfolder(out, INSTANCES_NAME)
    stems, classes = video_stems(content.split, notes), mots_classes(content.split.categories)
    write_text(folder / LABELS_NAME, "".join(f"{label}\n" for label in class_labels(content.split.categories)))
    with writing_table(out, content.split) as add:
        for found in content.seen(notes):
            stem = stems[found.video.id]
            of_video = subfolder(folder, stem)
            maps = label_maps(found, object_ids(found, classes), notes)
            for frame, labels in enumerate(maps, start=conventions.first_frame):
                write_bytes(of_video / f"{frame:06d}{SUFFIX}", encoded(labels))
            add(found, stem)


def class_labels(categories: Sequence[Category]) -> list[str]:
    """The names of the classes from 1 to the last that a category has, each on one line."""
    classes = mots_classes(categories)
    names = {number: name for name, number in reversed(MOTS_NAMES.items())} | {MOTS_IGNORED: "ignored"}
    names |= {classes[category.id]: label_of(category) for category in categories}
    return [names[number] for number in range(1, max(classes.values()) + 1)]


def label_of(category: Category) -> str:
    """What a category is called in a line of its own."""
    return line_of(category.name).strip() or str(category.id)


def encoded(labels: NDArray[np.uint16]) -> bytes:
    """A grey PNG of 16 bits, [H, W]."""
    _, data = cv2.imencode(SUFFIX, labels)
    return data.tobytes()


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read a folder that holds `instances`, or `instances` itself.

    Raises:
        DataError: a folder is of no video, or an image is damaged or does not fit the split; it is named.
    """
    inside = path / INSTANCES_NAME
    folder, beside = (inside, path) if inside.is_dir() else (path, path.parent)
    found = video_folders(folder, split, notes)
    reading = MotsReading.of(beside, split, notes, _stated_classes(folder / LABELS_NAME, split))
    for video, of_video in found:
        gatherer = reading.gatherer(video, of_video.name, conventions, notes)
        files = frame_files(of_video, SUFFIX)
        indices = {name: index for index, name in enumerate(frame_stems(video))}
        for file in files:
            try:
                frame = _frame(file.stem, video, indices, conventions)
                for identifier, mask in object_masks(decoded(file, video)).items():
                    gatherer.add(identifier, identifier // INSTANCES, frame, mask)
            except DataError as error:
                raise DataError(f"{of_video}: {shown(file.name)}: {one_line(error)}") from error
        notes.say(MISSING_FRAMES, max(0, video.length - len(files)))
        yield gatherer.tracks()


def decoded(path: Path, video: Video) -> NDArray[np.uint16]:
    """The ids of a frame's pixels, uint16 [H, W].

    Raises:
        DataError: the file is missing, damaged, not of 16 bits or not of the video's size; the text does not say where.
    """
    labels = grey_or_colour(png_bytes(path))
    if labels is None:
        raise DataError("a PNG that cannot be decoded")
    if labels.dtype != np.uint16 or labels.ndim != 2:
        raise DataError("not a grey PNG of 16 bits, as MOTS has them; is it of another form?")
    if labels.shape != (video.height, video.width):
        height, width = labels.shape
        raise DataError(f"is {width}x{height}, the frames are {video.width}x{video.height}")
    return np.asarray(labels, dtype=np.uint16)


def _stated_classes(path: Path, split: Split) -> Mapping[int, int] | None:
    """The class of each category by its label in `labels.txt`, by its id; None where there is no such file."""
    if not path.is_file():
        return None
    classes = {label: number for number, label in numbered_lines(path)}
    called = {category.id: label_of(category) for category in split.categories}
    return {identifier: classes[label] for identifier, label in called.items() if label in classes}


def _frame(stem: str, video: Video, indices: Mapping[str, int], conventions: Conventions) -> int:
    """The frame, from 0, whose number a file is called by, or, where it is no number, whose image is called so."""
    if (numbered := _NUMBER.fullmatch(stem)) is not None:
        return require_frame(int(numbered[1]), video, conventions.first_frame)
    if stem not in indices:
        raise DataError(f"neither the number nor the name of a frame of video {video.id}")
    return indices[stem]
