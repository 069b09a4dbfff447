"""`tracks.csv` beside the files of a form that has no place for them: the class and the score of each track.

Other tools pass over it. Columns: `video_id`, `file` (what the video's file or folder is called), `track` (its number
in that file), `category_id`, `category` (for people; ids decide), `score`.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vis_pipeline.errors import DataError
from vis_pipeline.exchange.content import Notes, VideoTracks
from vis_pipeline.exchange.names import TABLE_NAME, cell
from vis_pipeline.exchange.tables import table_rows
from vis_pipeline.files.whole_files import replacing
from vis_pipeline.structures.splits import Split

_COLUMNS = ("video_id", "file", "track", "category_id", "category", "score")
NO_SCORES = f"no {TABLE_NAME} there, and the form has no scores: every track has the score 1"


@dataclass(frozen=True)
class Facts:
    """What a table says of one track."""

    category_id: int
    score: float


@contextmanager
def writing_table(folder: Path, split: Split) -> Iterator[Callable[[VideoTracks, str], None]]:
    """Gives what adds the tracks of a video, whose file is called by the second argument; in place at the end.

    Raises:
        DataError: nothing can be written there.
    """
    names = {category.id: category.name for category in split.categories}
    path = folder / TABLE_NAME
    try:
        with replacing(path) as filled, filled.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_COLUMNS)

            def add(found: VideoTracks, stem: str) -> None:
                for number, track in enumerate(found.tracks, start=1):
                    name = cell(names[track.category_id])
                    writer.writerow([found.video.id, stem, number, track.category_id, name, repr(track.score)])

            yield add
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error


def read_table(folder: Path, split: Split, notes: Notes) -> Mapping[tuple[str, int], Facts] | None:
    """The tracks by what their videos' files are called and their numbers; None, and a note, where there is no table.

    Raises:
        DataError: it is damaged, or names a category that the split does not have; the line is named.
    """
    path = folder / TABLE_NAME
    if not path.is_file():
        notes.say(NO_SCORES)
        return None
    ids = {category.id for category in split.categories}
    facts: dict[tuple[str, int], Facts] = {}
    for line, row in table_rows(path, _COLUMNS):
        try:
            category_id, score = int(row["category_id"]), float(row["score"])
            if category_id not in ids:
                raise DataError(f"{path}: line {line}: the split has no category {category_id}")
            if not 0 <= score <= 1:
                raise ValueError
            facts[row["file"], int(row["track"])] = Facts(category_id, score)
        except ValueError as error:
            raise DataError(f"{path}: line {line}: not a track's numbers and score in 0..1") from error
    return facts
