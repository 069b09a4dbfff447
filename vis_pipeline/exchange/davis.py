"""DAVIS: `<video>/<frame>.png` with a palette, called as the frames; the value of a pixel is its track's number.

A video has at most 254 tracks: 255 is void, which ground truth has where an object is to be ignored. Scores and classes
are in `tracks.csv`. Read by :mod:`vis_pipeline.data.davis`'s rules; without a table all tracks are of one class.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.data.davis import VOID
from vis_pipeline.data.davis import label_maps as stored_maps
from vis_pipeline.data.entries import one_line
from vis_pipeline.data.label_images import object_masks, read_label_image
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.exchange.exclusive import label_maps
from vis_pipeline.exchange.folders import frame_files, new_folder, subfolder, video_folders
from vis_pipeline.exchange.gathering import Gatherer
from vis_pipeline.exchange.names import TABLE_NAME, frame_stems, shown, video_stems
from vis_pipeline.exchange.tracks_table import read_table, writing_table
from vis_pipeline.files.palette_images import palette_png
from vis_pipeline.files.whole_files import write_bytes
from vis_pipeline.structures.splits import Split, Video

SUFFIX = ".png"
MOST_TRACKS = VOID - 1
MISSING_FRAMES = "{count} frames have no file: nothing is seen in them"
VOID_PIXELS = "void (255) is nobody's"


def write(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write a folder: one a video, and `tracks.csv`.

    Raises:
        DataError: a video has more than 254 tracks; or nothing can be written there.
    """
    folder = new_folder(out)
    stems = video_stems(content.split, notes)
    with writing_table(folder, content.split) as add:
        for found in content.seen(notes):
            numbers = track_numbers(found)
            of_video = subfolder(folder, stems[found.video.id])
            maps = label_maps(found, numbers, notes)
            for name, labels in zip(frame_stems(found.video), maps, strict=True):
                write_bytes(of_video / f"{name}{SUFFIX}", palette_png(labels.astype(np.uint8)))
            add(found, of_video.name)


def track_numbers(found: VideoTracks) -> dict[int, int]:
    """The value of each track, by its place; of what is to be ignored 255.

    Raises:
        DataError: there are more tracks than values.
    """
    if len(found.tracks) > MOST_TRACKS:
        raise DataError(
            f"video {found.video.id}: {len(found.tracks)} tracks, and a PNG with a palette has values for "
            f"{MOST_TRACKS}; give a higher --score-thr, or --form mots-png"
        )
    return {place: VOID if place in found.crowds else place + 1 for place in range(len(found.tracks))}


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read a folder.

    Raises:
        DataError: a folder is of no video, or an image is damaged or does not fit the split; it is named.
    """
    found = video_folders(path, split, notes)
    table = read_table(path, split, notes)
    for video, folder in found:
        gatherer = Gatherer(video, conventions, notes)
        for frame, labels in _frames(video, folder, notes):
            for value, mask in object_masks(labels).items():
                facts = None if table is None else table.get((folder.name, value))
                if value == VOID:
                    notes.say(VOID_PIXELS)
                elif facts is not None:
                    gatherer.add(value, frame, mask, facts.category_id, facts.score)
                elif table is not None:
                    raise DataError(f"{folder}: track {value}: {TABLE_NAME} has none of this number for this video")
                else:
                    gatherer.add(value, frame, mask)
        yield gatherer.tracks()


def _frames(video: Video, folder: Path, notes: Notes) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The frames of a video that have an image, from 0, with the values of their pixels, uint8 [H, W]."""
    indices = {name: index for index, name in enumerate(frame_stems(video))}
    files = frame_files(folder, SUFFIX)
    for file in files:
        if file.stem not in indices:
            raise DataError(f"{folder}: {shown(file.name)}: video {video.id} has no frame of this name")
    notes.say(MISSING_FRAMES, video.length - len(files))
    numbered = _has_numbers(files, video)
    for file in files:
        values, _ = _stored(file, video)
        yield indices[file.stem], stored_maps(values[None], numbered)[0]


def _has_numbers(files: Sequence[Path], video: Video) -> bool:
    """Whether the values of a sequence's masks are numbers of objects, and not black and white: one frame may tell."""
    for file in files:
        values, has_palette = _stored(file, video)
        if has_palette or ((values > 0) & (values < VOID)).any():
            return True
    return False


def _stored(file: Path, video: Video) -> tuple[NDArray[np.uint8], bool]:
    try:
        return read_label_image(file, video)
    except DataError as error:
        raise DataError(f"{file.parent}: {shown(file.name)}: {one_line(error)}") from error
