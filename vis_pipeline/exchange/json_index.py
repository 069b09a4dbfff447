"""Lists of a JSON file gone through video by video, whatever their order, with one video's part in memory."""

import io
import shutil
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import open_json, parsed_json
from vis_pipeline.files.json_stream import DamagedJsonError, JsonStream


@contextmanager
def seekable_json(path: Path, in_archive: str | None = None) -> Iterator[IO[bytes]]:
    """A JSON file to be read here and there; one that comes out of a zip lies on the disk meanwhile.

    Raises:
        DataError: see :func:`vis_pipeline.files.json_files.open_json`.
    """
    with open_json(path, in_archive) as (file, _):
        if isinstance(file, io.BufferedReader):
            yield file
            return
        with tempfile.TemporaryFile() as unpacked:
            shutil.copyfileobj(file, unpacked)
            unpacked.seek(0)
            yield unpacked


class EntriesByVideo:
    """Where in a file the entries of a list lie, by the video that each is of."""

    def __init__(self) -> None:
        self._places: dict[int, array[int]] = {}

    def scan(self, stream: JsonStream, video_of: Callable[[Any, int], int]) -> None:
        """Go through the list that begins here; `video_of` says of an entry and its index which video it is of."""
        for index, (entry, begin, end) in enumerate(stream.located_entries()):
            self._places.setdefault(video_of(entry, index), array("q")).extend((index, begin, end))

    def videos(self) -> Iterator[int]:
        """The videos that have entries."""
        return iter(self._places)

    def entries(self, file: IO[bytes], video: int) -> Iterator[tuple[int, Any]]:
        """The entries of one video, each with its index in the list.

        Raises:
            DataError: the file has been changed meanwhile.
        """
        places = self._places.get(video, array("q"))
        for index, begin, end in zip(places[::3], places[1::3], places[2::3], strict=True):
            file.seek(begin)
            try:
                yield index, parsed_json(file.read(end - begin))
            except DamagedJsonError as error:
                raise DataError("was changed while it was read") from error
