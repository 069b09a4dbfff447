"""MOTS PNG: `instances/<video>/<frame>.png` of 16 bits, the value of a pixel being the id of its object, 0 none.

Files are called by the number of their frame, six digits, from 0 (KITTI) or 1 (MOTSChallenge). `instances/labels.txt`
names the classes, a line each from 1, for readers that ask for them (datumaro).
"""

from collections.abc import Iterator, Sequence
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
from vis_pipeline.exchange.mots import INSTANCES, MotsGatherer, MotsReading, object_ids
from vis_pipeline.exchange.names import LABELS_NAME, shown, video_stems
from vis_pipeline.exchange.names import one_line as line_of
from vis_pipeline.exchange.tracks_table import writing_table
from vis_pipeline.files.whole_files import write_bytes, write_text
from vis_pipeline.structures.splits import Category, Split, Video

INSTANCES_NAME = "instances"
SUFFIX = ".png"
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
    names |= {classes[category.id]: line_of(category.name).strip() or str(category.id) for category in categories}
    return [names[number] for number in range(1, max(classes.values()) + 1)]


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
    reading = MotsReading.of(beside, split, notes)
    for video, of_video in found:
        gatherer = reading.gatherer(video, of_video.name, conventions, notes)
        files = frame_files(of_video, SUFFIX)
        for file in files:
            try:
                _add(gatherer, file, video, conventions)
            except DataError as error:
                raise DataError(f"{of_video}: {shown(file.name)}: {one_line(error)}") from error
        notes.say(MISSING_FRAMES, max(0, video.length - len(files)))
        yield gatherer.tracks()


def decoded(path: Path, video: Video) -> NDArray[np.uint16]:
    """The ids of a frame's pixels, uint16 [H, W].

    Raises:
        DataError: the file is missing, damaged, not of 16 bits or not of the video's size; the text does not say where.
    """
    labels = cv2.imdecode(np.frombuffer(png_bytes(path), dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise DataError("a PNG that cannot be decoded")
    if labels.dtype != np.uint16 or labels.ndim != 2:
        raise DataError("not a grey PNG of 16 bits, as MOTS has them; is it of another form?")
    if labels.shape != (video.height, video.width):
        height, width = labels.shape
        raise DataError(f"is {width}x{height}, the frames are {video.width}x{video.height}")
    return np.asarray(labels, dtype=np.uint16)


def _add(gatherer: MotsGatherer, file: Path, video: Video, conventions: Conventions) -> None:
    if not (file.stem.isascii() and file.stem.isdecimal()):
        raise DataError("a frame's file is called by its number")
    frame = require_frame(int(file.stem), video, conventions.first_frame)
    for identifier, mask in object_masks(decoded(file, video)).items():
        gatherer.add(identifier, identifier // INSTANCES, frame, mask)
