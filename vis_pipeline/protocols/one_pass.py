"""Benchmarks that start a tracker once in a sequence, by a box, and take a text file of boxes for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.single_object.boxes import has_area
from evaluation.single_object.number_files import read_boxes
from vis_pipeline.data.image_files import image_paths
from vis_pipeline.data.sequence_names import require_all
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.files.zips import write_zip
from vis_pipeline.protocols.benchmark import Listing, Trackers
from vis_pipeline.protocols.box_sequences import BoxSequence, box_rows, follow_boxes

ZIP_NAME = "submission.zip"


@dataclass(frozen=True)
class OnePass:
    """Such a benchmark; a :class:`~vis_pipeline.protocols.benchmark.Benchmark`.

    Attributes:
        find: the files of the true boxes by the sequences' names, in a data folder.
        read: a sequence by its name and that file; DataError if it cannot be run.
        origin: what the corner of the image's first pixel is called, in the truth and so in the results: 0, or 1 where
            MATLAB is the benchmark's tongue.
        result: the file of a sequence's boxes in the folder of results, by its name.
        times: the file of its seconds a frame; None where the benchmark has no such.
        sent: whether a server takes the results, as a zip of their folder.
    """

    find: Callable[[Path], Mapping[str, Path]]
    read: Callable[[str, Path], BoxSequence]
    origin: int = 0
    result: Callable[[str], str] = "{}.txt".format
    times: Callable[[str], str] | None = None
    sent: bool = False

    def listing(self, data: Path, wanted: Sequence[str] | None) -> Listing[BoxSequence]:
        """See :class:`~vis_pipeline.protocols.benchmark.Benchmark`."""
        if not data.is_dir():
            raise DataError(f"data {data}: not a folder")
        files = self.find(data)
        if not files:
            raise DataError(f"data {data}: holds no sequence of this benchmark's form")
        names = tuple(files) if wanted is None else tuple(wanted)
        found: list[BoxSequence] = []
        left_out: dict[str, str] = {}
        for name in names:
            try:
                require_all([name], set(files), f"data {data}")
                found.append(self._counted_from_zero(self.read(name, files[name])))
            except DataError as error:
                left_out[name] = str(error)
        return Listing(tuple(found), left_out)

    def is_done(self, given: BoxSequence, results: Path) -> bool:
        """See :class:`~vis_pipeline.protocols.benchmark.Benchmark`."""
        try:
            read_boxes(results / self.result(given.name), given.length)
        except DataError:
            return False
        return True

    def run(self, given: BoxSequence, trackers: Trackers, results: Path, report: Callable[[int], None]) -> None:
        """See :class:`~vis_pipeline.protocols.benchmark.Benchmark`."""
        followed = follow_boxes(given, trackers, report)
        path = results / self.result(given.name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{path.parent}: cannot be made ({error.strerror})") from error
        if self.times is not None:
            write_text(results / self.times(given.name), "".join(f"{value:.8f}\n" for value in followed.seconds))
        write_text(path, box_rows(followed.boxes + np.array([self.origin, self.origin, 0, 0])))

    def submission(self, listed: Sequence[BoxSequence], results: Path) -> Path | None:
        """See :class:`~vis_pipeline.protocols.benchmark.Benchmark`."""
        if not self.sent:
            return None
        made = [form for form in (self.result, self.times) if form is not None]
        names = [form(given.name) for given in listed for form in made]
        packed = results.parent / ZIP_NAME
        write_zip(packed, {name: results / name for name in names})
        return packed

    def _counted_from_zero(self, given: BoxSequence) -> BoxSequence:
        x, y, w, h = given.box
        box = (x - self.origin, y - self.origin, w, h)
        return BoxSequence(given.name, given.folder, given.first, given.length, box)


def whole_folder(name: str, truth_file: Path, folder: Path, first_box_alone: bool = False) -> BoxSequence:
    """A sequence that is all images of a folder, as many as the truth has rows.

    With `first_box_alone` the truth may have but one, as that of a test set.

    Raises:
        DataError: there are no images or another number of them, or the first box has NaN or no area.
    """
    truth, images = read_boxes(truth_file), image_paths(folder)
    if len(truth) != len(images) and not (first_box_alone and len(truth) == 1):
        raise DataError(f"{truth_file}: {len(truth)} rows, and {len(images)} images in {folder}")
    return BoxSequence(name, folder.resolve(), 0, len(images), first_box(truth_file, truth))


def first_box(truth_file: Path, truth: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """The box x, y, w, h in the first frame, of boxes [F, 4].

    Raises:
        DataError: it has NaN or no area.
    """
    if not has_area(truth[:1]).all():
        raise DataError(f"{truth_file}, line 1: the first box has NaN or no area; there is nothing to follow")
    x, y, w, h = truth[0].tolist()
    return x, y, w, h
