"""The challenge's submission: a zip with `results.json` at its root, checked before the server does it."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vis_pipeline.data.fit import entry_name, fault, listed, oddities
from vis_pipeline.data.results import RESULTS_NAME, read_results, results_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import write_bytes
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult

MOST_TRACKS = 100
SHOWN_FAULTS = 3
EARLIEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Submission:
    """A written zip; `warnings` are lines on what the server takes but will not score as one may think."""

    path: Path
    tracks: int
    videos: int
    warnings: tuple[str, ...]


def submit(run: RunFolder, split: Split, out: Path) -> Submission:
    """Check that every video of the split is finished and that its results obey the challenge's rules; write the zip.

    The results are those of `results.json`, also where somebody has changed it since the run wrote it. The same results
    give the same bytes.

    Raises:
        DataError: videos are missing, or results break a rule; nothing is written then.
    """
    _require_finished(run, split)
    results = read_results(run.current_results([video.id for video in split.videos]), split)
    found = list(faults(results, split))
    if found:
        more = f"; and {len(found) - SHOWN_FAULTS} more faults" if len(found) > SHOWN_FAULTS else ""
        raise DataError(f"run {run.path}: the server would refuse this: {'; '.join(found[:SHOWN_FAULTS])}{more}")
    write_bytes(out, zipped(results))
    return Submission(out, len(results), len(split.videos), tuple(warnings(results, split)))


def zipped(results: Sequence[TrackResult]) -> bytes:
    """The zip file of these results."""
    entry = zipfile.ZipInfo(RESULTS_NAME, EARLIEST_ZIP_TIME)
    entry.external_attr = 0o644 << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        content = json.dumps(results_to_json(results), separators=(",", ":"))
        archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return file.getvalue()


def faults(results: Sequence[TrackResult], split: Split) -> Iterator[str]:
    """Every result that breaks the challenge's rules, one line each.

    There must be one at least; each must fit the split, as :func:`vis_pipeline.data.fit.fault` says, and have a score
    in 0..1.
    """
    if not results:
        yield "there is not a single track"
    videos = split.videos_by_id()
    category_ids = {category.id for category in split.categories}
    for index, result in enumerate(results):
        found = fault(result, videos, category_ids)
        if found is None and not 0 <= result.score <= 1:
            found = f"score {result.score} is not in 0..1"
        if found is not None:
            yield f"{entry_name(index, result.video_id)}: {found}"


def warnings(results: Sequence[TrackResult], split: Split) -> Iterator[str]:
    """What the server takes without a word: repeated or empty tracks, more than it scores, videos without any."""
    yield from oddities(results, split)
    counts = Counter(track.video_id for track in results)
    for video_id, count in counts.items():
        if count > MOST_TRACKS:
            yield f"video {video_id} has {count} tracks; the server scores the best {MOST_TRACKS} of a category"


def _require_finished(run: RunFolder, split: Split) -> None:
    finished = run.finished()
    missing = [video.id for video in split.videos if video.id not in finished]
    if missing:
        raise DataError(
            f"run {run.path}: {len(missing)} of {len(split.videos)} videos are not finished: {listed(missing)}; "
            "run again with the same --out to finish them"
        )
