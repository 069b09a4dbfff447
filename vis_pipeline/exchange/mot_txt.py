"""MOT txt: a file a video, a line a box, as MOTChallenge has them; masks become their boxes.

Results are `frame,id,left,top,width,height,score,-1,-1,-1`, ground truth `...,flag,class,visibility` with flag 0 for
what is to be ignored. Frames are numbered from 1, pixels from 0. Read back, boxes become rectangular masks.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from vis_pipeline import masks
from vis_pipeline.data.entries import one_line
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.boxes import BOXES, rectangle
from vis_pipeline.exchange.class_numbers import category_of_class, mot_classes
from vis_pipeline.exchange.content import Conventions, Notes, SplitTracks, VideoTracks
from vis_pipeline.exchange.folders import EMPTY, new_folder, video_files
from vis_pipeline.exchange.gathering import Gatherer, require_frame, require_score
from vis_pipeline.exchange.names import TABLE_NAME, video_stems
from vis_pipeline.exchange.text_lines import number, numbered_lines, whole_number
from vis_pipeline.exchange.tracks_table import Facts, read_table, writing_table
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.structures.splits import Split, Video

SUFFIX = ".txt"
ONLY_BOXES = "the form has boxes: {count} masks were written as theirs"
_FEWEST, _CLASS = 7, 7


def write(out: Path, content: SplitTracks, conventions: Conventions, notes: Notes) -> None:
    """Write a folder: a file a video, and `tracks.csv`, which has the classes."""
    folder = new_folder(out)
    stems, classes = video_stems(content.split, notes), mot_classes(content.split.categories)
    with writing_table(folder, content.split) as add:
        for found in content.seen(notes):
            stem = stems[found.video.id]
            lines = _truth_lines(found, classes) if content.is_truth else _result_lines(found)
            text = "".join(f"{frame + conventions.first_frame},{line}\n" for frame, line in sorted(lines, key=_frame))
            write_text(folder / f"{stem}{SUFFIX}", text)
            notes.say(ONLY_BOXES, text.count("\n"))
            notes.say(EMPTY, _masks_without_pixels(found))
            add(found, stem)


def read(path: Path, split: Split, conventions: Conventions, notes: Notes) -> Iterator[VideoTracks]:
    """Read a folder, or the one file of a split of one video.

    A class is that of `tracks.csv`, or of the line, or else the one that the conventions say.

    Raises:
        DataError: a file is of no video, or a line is damaged or does not fit the split; it is named.
    """
    found = video_files(path, SUFFIX, split, notes)
    beside = path if path.is_dir() else path.parent
    # Lines have scores themselves: there is nothing to be said where there is no table.
    table = read_table(beside, split, Notes()) if (beside / TABLE_NAME).is_file() else None
    classes = mot_classes(split.categories)
    for video, file in found:
        gatherer = Gatherer(video, conventions, notes)
        of_table = (
            None if table is None else {track: facts for (stem, track), facts in table.items() if stem == file.stem}
        )
        for line, text in numbered_lines(file):
            try:
                _add(gatherer, text, video, conventions, of_table, classes)
            except DataError as error:
                raise DataError(f"{file}: line {line}: {one_line(error)}") from error
            notes.say(BOXES)
        yield gatherer.tracks()


def _result_lines(found: VideoTracks) -> Iterator[tuple[int, str]]:
    for frame, place, box in _boxes(found):
        yield frame, f"{place + 1},{box},{found.tracks[place].score!r},-1,-1,-1"


def _truth_lines(found: VideoTracks, classes: Mapping[int, int]) -> Iterator[tuple[int, str]]:
    for frame, place, box in _boxes(found):
        flag = int(place not in found.crowds)
        yield frame, f"{place + 1},{box},{flag},{classes[found.tracks[place].category_id]},1"


def _boxes(found: VideoTracks) -> Iterator[tuple[int, int, str]]:
    for place, track in enumerate(found.tracks):
        for frame, rle in enumerate(track.segmentations):
            if rle is not None:
                box = masks.bounding_boxes([rle])[0]
                if box[2]:
                    yield frame, place, ",".join(f"{value:g}" for value in box)


def _masks_without_pixels(found: VideoTracks) -> int:
    shown = [rle for track in found.tracks for rle in track.segmentations if rle is not None]
    return int((masks.area(shown) == 0).sum())


def _frame(line: tuple[int, str]) -> int:
    return line[0]


def _add(
    gatherer: Gatherer,
    text: str,
    video: Video,
    conventions: Conventions,
    table: Mapping[int, Facts] | None,
    classes: Mapping[int, int],
) -> None:
    cells = text.replace(",", " ").split()
    if len(cells) < _FEWEST:
        raise DataError(f"{len(cells)} numbers, not the frame, id, left, top, width, height and score of MOT")
    frame = require_frame(whole_number(cells[0]), video, conventions.first_frame)
    track = whole_number(cells[1])
    if track < 0:
        raise DataError(f"id {track}: a detection without a track; only tracks can be read")
    stated = number(cells[_CLASS]) if len(cells) > _CLASS else -1
    is_truth = stated >= 1
    category = category_of_class(int(stated), classes) if is_truth else None
    score = number(cells[_FEWEST - 1])
    mask = rectangle([number(cell) for cell in cells[2:6]], video)
    if table is not None:
        if track not in table:
            raise DataError(f"track {track}: {TABLE_NAME} has none of this number for this file")
        category = table[track].category_id
    gatherer.add(track, frame, mask, category, 1.0 if is_truth else require_score(score))
    if is_truth and score == 0:
        gatherer.mark_crowd(track)
