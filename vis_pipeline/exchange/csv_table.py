"""CSV, ours: a line a mask, for spreadsheets and data frames, and with the mask as RLE also to be read back.

Columns: `video_id`, `video`, `frame` (from 0), `file`, `track` (its number in the video), `category_id`, `category`,
`score`, `crowd`, the box `x`, `y`, `width`, `height` and the `area` in pixels, `mask` (COCO's compressed `counts`).
Where text would be a formula to spreadsheets, an apostrophe comes first. Names are for people: `video_id` and
`category_id` decide.
"""

import csv
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from vis_pipeline import masks
from vis_pipeline.data.entries import one_line
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.boxes import BOXES, rectangle
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.exchange.gathering import Gatherer, require_frame, require_score
from vis_pipeline.exchange.names import cell
from vis_pipeline.exchange.tables import table_rows
from vis_pipeline.exchange.text_lines import number, whole_number
from vis_pipeline.files.whole_files import replacing
from vis_pipeline.masks import Rle
from vis_pipeline.structures.splits import Split, Video

BOX = ("x", "y", "width", "height")
NEEDED = ("video_id", "frame", "track", "category_id", "score")
COLUMNS = (
    *("video_id", "video", "frame", "file", "track", "category_id", "category", "score", "crowd"),
    *(*BOX, "area", "mask"),
)


def write(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write one file."""
    names = {category.id: cell(category.name) for category in content.split.categories}
    try:
        with replacing(out) as filled, filled.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for found in content.seen(notes):
                writer.writerows(_rows(found, names))
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror})") from error


def _rows(found: VideoTracks, names: Mapping[int, str]) -> Iterator[list[object]]:
    for place, track in enumerate(found.tracks):
        for frame, rle in enumerate(track.segmentations):
            if rle is None:
                continue
            box = [f"{value:g}" for value in masks.bounding_boxes([rle])[0]]
            yield [
                *(found.video.id, cell(found.video.name), frame, cell(found.video.file_names[frame]), place + 1),
                *(track.category_id, names[track.category_id], repr(track.score), int(place in found.crowds)),
                *(*box, int(masks.area([rle])[0]), cell(rle["counts"])),
            ]


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read a file, in which the lines of a video follow each other; without `mask`, boxes become rectangles.

    Raises:
        DataError: it is no such table, or a line does not fit the split; it is named.
    """
    videos, categories = split.videos_by_id(), {category.id for category in split.categories}
    seen: set[int] = set()
    gatherer: Gatherer | None = None
    here: int | None = None
    for line, row in table_rows(path, NEEDED):
        try:
            identifier = whole_number(row["video_id"])
            if identifier != here:
                if gatherer is not None:
                    yield gatherer.tracks()
                _require_new(identifier, videos, seen)
                here, gatherer = identifier, Gatherer(videos[identifier], conventions, notes)
                seen.add(identifier)
            assert gatherer is not None
            _add(gatherer, row, videos[identifier], categories, notes)
        except DataError as error:
            raise DataError(f"{path}: line {line}: {one_line(error)}") from error
    if gatherer is not None:
        yield gatherer.tracks()
    for video in split.videos:
        if video.id not in seen:
            yield VideoTracks(video, ())


def _require_new(identifier: int, videos: Collection[int], seen: Collection[int]) -> None:
    if identifier not in videos:
        raise DataError(f"the split has no video {identifier}")
    if identifier in seen:
        raise DataError(f"video {identifier} is there in two places: sort by video_id")


def _add(gatherer: Gatherer, row: Mapping[str, str], video: Video, categories: set[int], notes: Notes) -> None:
    frame, track, category = (whole_number(row[key]) for key in ("frame", "track", "category_id"))
    if category not in categories:
        raise DataError(f"the split has no category {category}")
    frame = require_frame(frame, video)
    gatherer.add(track, frame, _mask(row, video, notes), category, require_score(number(row["score"])))
    if row.get("crowd") == "1":
        gatherer.mark_crowd(track)


def _mask(row: Mapping[str, str], video: Video, notes: Notes) -> Rle:
    if row.get("mask"):
        # Run-lengths have no apostrophe: one at the beginning keeps them from being a formula.
        counts = row["mask"].removeprefix("'")
        segmentation = {"size": [video.height, video.width], "counts": counts}
        return masks.from_segmentation(segmentation, video.height, video.width)
    if any(not row.get(key) for key in BOX):
        raise DataError("has neither a mask nor a box")
    notes.say(BOXES)
    return rectangle([number(row[key]) for key in BOX], video)
