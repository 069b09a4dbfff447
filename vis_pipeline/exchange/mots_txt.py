"""MOTS txt: a file a video, a line a mask, `frame id class height width rle`, as KITTI MOTS and MOTSChallenge have it.

Frames are numbered from 0 (KITTI), or from 1 (MOTSChallenge) where that is asked for.
"""

from collections.abc import Iterator
from pathlib import Path

from vis_pipeline import masks
from vis_pipeline.data.entries import one_line
from vis_pipeline.data.label_images import object_masks
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.class_numbers import mots_classes
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.exchange.exclusive import label_maps
from vis_pipeline.exchange.folders import new_folder, video_files
from vis_pipeline.exchange.gathering import require_frame
from vis_pipeline.exchange.mots import INSTANCES, MotsGatherer, MotsReading, object_ids
from vis_pipeline.exchange.names import video_stems
from vis_pipeline.exchange.text_lines import numbered_lines, whole_number
from vis_pipeline.exchange.tracks_table import writing_table
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.structures.splits import Split, Video

SUFFIX = ".txt"
_COLUMNS = 6


def write(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write a folder: a file a video, and `tracks.csv`."""
    folder = new_folder(out)
    stems, classes = video_stems(content.split, notes), mots_classes(content.split.categories)
    with writing_table(folder, content.split) as add:
        for found in content.seen(notes):
            stem = stems[found.video.id]
            lines = video_lines(found, object_ids(found, classes), conventions, notes)
            write_text(folder / f"{stem}{SUFFIX}", "".join(f"{line}\n" for line in lines))
            add(found, stem)


def video_lines(found: VideoTracks, ids: dict[int, int], conventions: Conventions, notes: Notes) -> Iterator[str]:
    """The lines of one video, whose tracks have these ids by their places."""
    for frame, labels in enumerate(label_maps(found, ids, notes), start=conventions.first_frame):
        for identifier, rle in object_masks(labels).items():
            height, width = rle["size"]
            yield f"{frame} {identifier} {identifier // INSTANCES} {height} {width} {rle['counts']}"


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read a folder, or the one file of a split of one video.

    Raises:
        DataError: a file is of no video, or a line is damaged or does not fit the split; it is named.
    """
    found = video_files(path, SUFFIX, split, notes)
    reading = MotsReading.of(path if path.is_dir() else path.parent, split, notes)
    for video, file in found:
        gatherer = reading.gatherer(video, file.stem, conventions, notes)
        for line, text in numbered_lines(file):
            try:
                _add(gatherer, text, video, conventions)
            except DataError as error:
                raise DataError(f"{file}: line {line}: {one_line(error)}") from error
        yield gatherer.tracks()


def _add(gatherer: MotsGatherer, text: str, video: Video, conventions: Conventions) -> None:
    cells = text.split()
    if len(cells) != _COLUMNS:
        raise DataError(f"{len(cells)} words, not the frame, id, class, height, width and RLE of MOTS")
    frame, identifier, number, height, width = (whole_number(cell) for cell in cells[:-1])
    if identifier < 0 or (identifier >= INSTANCES and identifier // INSTANCES != number):
        raise DataError(f"id {identifier} is not of class {number}: an id is class * 1000 + instance")
    frame = require_frame(frame, video, conventions.first_frame)
    segmentation = {"size": [height, width], "counts": cells[-1]}
    rle = masks.from_segmentation(segmentation, video.height, video.width)
    gatherer.add(identifier, number, frame, rle)
