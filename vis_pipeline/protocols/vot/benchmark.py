"""VOT's experiments as benchmarks: a folder of sequences in, the result files of PyPI's vot-toolkit out.

A tracker's folder of results holds `<experiment>/<sequence>/<sequence>_001.txt`, a line a frame: a region, or a code
alone (1 a start, 2 a failure, 0 not tracked); beside it `<sequence>_001_time.value`, seconds, empty where not tracked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.single_object.number_files import read_rows
from evaluation.single_object.vot_folders import (
    TRUTH_NAME,
    image_files,
    image_size,
    require_frames,
    true_regions,
    truth_files,
)
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.protocols.benchmark import Listing, Trackers
from vis_pipeline.protocols.vot.experiments import Experiment, Outcome, VotVideo, supervised, unsupervised
from vis_pipeline.protocols.vot.regions import line_of


@dataclass(frozen=True)
class VotSequence:
    """One sequence: its name, its frames, and its folder."""

    name: str
    length: int
    folder: Path


@dataclass(frozen=True)
class VotBenchmark:
    """One experiment of VOT, of all its years: they differ in the sequences, and in how they are scored.

    Attributes:
        experiment: its name, and that of the results' folder.
        track: what it does with a sequence.
    """

    experiment: str
    track: Experiment

    def listing(self, data: Path, wanted: Sequence[str] | None) -> Listing[VotSequence]:
        """The sequences of a folder or of a toolkit's workspace, or those `wanted`.

        Raises:
            DataError: it holds none.
        """
        if not data.is_dir():
            raise DataError(f"data {data}: not a folder")
        files = truth_files(data)
        if not files:
            raise DataError(
                f"{data}: neither VOT's sequences, folders with {TRUTH_NAME}, nor a workspace of its toolkit"
            )
        found: list[VotSequence] = []
        left_out: dict[str, str] = {}
        for name in files if wanted is None else wanted:
            try:
                if name not in files:
                    raise DataError(f"no such sequence in {data}")
                folder = files[name].parent
                found.append(VotSequence(name, len(_video(name, folder).images), folder.resolve()))
            except DataError as error:
                left_out[name] = str(error)
        return Listing(tuple(found), left_out)

    def is_done(self, given: VotSequence, results: Path) -> bool:
        """Whether the result has a line for each frame; it is written after the times."""
        try:
            return len(read_rows(self._result(given, results))) == given.length
        except DataError:
            return False

    def run(self, given: VotSequence, trackers: Trackers, results: Path, report: Callable[[int], None]) -> None:
        """Track a sequence and write its result.

        Raises:
            UserError: a file is missing or unsound, or a frame cannot be tracked.
        """
        outcomes = self.track(_video(given.name, given.folder), trackers, report)
        path = self._result(given, results)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{path.parent}: cannot be made ({error.strerror})") from error
        write_text(path.with_name(f"{path.stem}_time.value"), "".join(_seconds(outcome) for outcome in outcomes))
        write_text(path, "".join(_line(outcome) for outcome in outcomes))

    def submission(self, listed: Sequence[VotSequence], results: Path) -> Path | None:
        """None: the folder of results is what the toolkit takes, and packs."""
        return None

    def _result(self, given: VotSequence, results: Path) -> Path:
        return results / self.experiment / given.name / f"{given.name}_001.txt"


SUPERVISED = VotBenchmark("baseline", supervised)
UNSUPERVISED = VotBenchmark("unsupervised", unsupervised)


def _video(name: str, folder: Path) -> VotVideo:
    truth = true_regions(folder / TRUTH_NAME)
    images = image_files(folder)
    require_frames(images, truth, folder / TRUTH_NAME)
    return VotVideo(name, images, truth, image_size(folder))


def _line(outcome: Outcome) -> str:
    return f"{outcome.result if isinstance(outcome.result, int) else line_of(outcome.result)}\n"


def _seconds(outcome: Outcome) -> str:
    return "\n" if outcome.seconds is None else f"{outcome.seconds:.6f}\n"
