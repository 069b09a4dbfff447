"""A finished run and a list of edits make another run, in a folder of its own."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vis_pipeline import __version__
from vis_pipeline.corrections.apply import apply
from vis_pipeline.corrections.edit_list import Edit, EditList, Rename, edit_name, read_edits
from vis_pipeline.corrections.events import corrected_events
from vis_pipeline.data.fit import listed
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import copy_file
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.identity import content_digest
from vis_pipeline.runs.start import SPLIT_NAME
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import VideoOutcome

EDITED = "edited"
EDITS_NAME = "edits.json"


@dataclass(frozen=True)
class CorrectedRun:
    """What was written.

    Attributes:
        path: the new run's folder.
        edits, videos: how many edits changed how many videos.
        tracks_before, tracks_after: in all videos.
        warnings: lines for whoever asked for it; the log has them too.
    """

    path: Path
    edits: int
    videos: int
    tracks_before: int
    tracks_after: int
    warnings: tuple[str, ...]


def write_corrected_run(run: Path, edits: Path, out: Path, split: Path | None = None) -> CorrectedRun:
    """Apply an edit list to a finished run and write the run that comes of it; the finished one is only read.

    The new folder has everything that a run leaves but saved detections and pictures, and the list as `edits.json`. Its
    config says in `edited` of which run and list it came, with their digests, and its hash is of these, so that no
    other run takes its videos for its own. It comes into its place whole or not at all.

    Args:
        run: folder of the finished run.
        edits: see :mod:`vis_pipeline.corrections.edit_list`.
        out: folder of the new run, where nothing is yet.
        split: in place of the one that the run was made with.

    Raises:
        DataError: no finished video in the run, a list that is wrong or of another run, a place that is taken or cannot
            be written, or a class that the split does not have.
    """
    folder = RunFolder.open(run)
    edit_list = read_edits(edits)
    if edit_list.run != folder.config_hash():
        raise DataError(
            f"edits {edits}: made for the run with hash {edit_list.run!r}, and that of {run} is "
            f"{folder.config_hash()!r}; give the run that it was made for"
        )
    finished = folder.finished()
    if not finished:
        raise DataError(f"run folder {run}: no finished video in it; run it again to go on")
    known = _split(folder, split, edit_list)
    _require_known(edits, edit_list, finished, known)
    order = [video.id for video in known.videos if video.id in finished] if known else sorted(finished)
    warnings = _unfinished(known, finished)
    with _new_folder(run, out) as filling:
        config, config_hash = _config(folder, order, edits)
        if split is not None:
            config["split"] = str(split.resolve())
        new = RunFolder.create(filling, config, config_hash)
        for name in ("versions.json", SPLIT_NAME):
            if (folder.path / name).is_file():
                copy_file(folder.path / name, filling / name)
        copy_file(edits, filling / EDITS_NAME)
        new.log(f"edited: the run {run.resolve()} by {len(edit_list.edits)} edits of {edits.resolve()}")
        before = after = 0
        of_videos = edit_list.by_video()
        for video_id in order:
            outcome = replace(folder.read_video(video_id), events=folder.read_events(video_id))
            corrected, notes = _corrected(outcome, of_videos.get(video_id, []), folder, video_id, edits)
            new.write_video(video_id, corrected)
            warnings += notes
            before, after = before + len(outcome.tracks), after + len(corrected.tracks)
        for warning in warnings:
            new.log(warning)
        new.assemble_results(order)
    return CorrectedRun(out, len(edit_list.edits), len(of_videos), before, after, tuple(warnings))


def _corrected(
    outcome: VideoOutcome, edits: Sequence[tuple[int, Edit]], folder: RunFolder, video_id: int, source: Path
) -> tuple[VideoOutcome, list[str]]:
    """The outcome of a video after the edits, and what to say of it."""
    if not edits:
        return outcome, []
    try:
        corrected = apply(edits, outcome.tracks)
    except DataError as error:
        raise DataError(f"edits {source}: {error}") from error
    try:
        # Of a run that was imported nobody knows how its tracks came about.
        known = outcome.events
        events = None if known is None else corrected_events(known, edits, corrected)
    except DataError as error:
        events_file = folder.path / "events" / f"{video_id}.json"
        raise DataError(f"{events_file}: {error}; remove it to do without them") from error
    named = dict(edits)
    notes = [
        f"{edit_name(index, named[index])}: {count} masks of video {video_id} left out, where a better scored track "
        "that was joined shows one"
        for index, count in corrected.masks_left_out.items()
        if count
    ]
    return replace(outcome, tracks=corrected.tracks, events=events), notes


def _split(folder: RunFolder, given: Path | None, edits: EditList) -> Split | None:
    path = given or folder.input_path("split")
    if path is not None and (given or path.is_file()):
        return replace(read_split(path), annotations=None)
    if any(isinstance(edit, Rename) for edit in edits.edits):
        missing = "was not made from a split" if path is None else f"its split {path} is not there"
        raise DataError(f"run folder {folder.path}: {missing}, which has the classes; give --split")
    return None


def _require_known(source: Path, edits: EditList, finished: Collection[int], split: Split | None) -> None:
    categories = {category.id for category in split.categories} if split else set()
    for index, edit in enumerate(edits.edits):
        where = f"edits {source}: {edit_name(index, edit)}"
        if edit.video not in finished:
            raise DataError(f"{where}: video {edit.video} is not among the run's finished videos")
        if isinstance(edit, Rename) and edit.category not in categories:
            raise DataError(f"{where}: category {edit.category} is none of the split's ({listed(sorted(categories))})")


def _unfinished(split: Split | None, finished: Collection[int]) -> list[str]:
    videos = split.videos if split else ()
    missing = [video.id for video in videos if video.id not in finished]
    if not missing:
        return []
    return [
        f"{len(missing)} of {len(videos)} videos of the run are not finished, and the edited run does without them: "
        f"{listed(missing)}"
    ]


@contextmanager
def _new_folder(run: Path, out: Path) -> Iterator[Path]:
    """Where to fill what becomes `out` when the block ends; after an error nothing of it is left.

    Raises:
        DataError: something is there, it lies in the run, or nothing can be written there.
    """
    if out.resolve().is_relative_to(run.resolve()):
        raise DataError(f"run folder {out}: in the finished run, which stays as it is; give another --out")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise DataError(f"run folder {out}: is there already; give another --out, or remove it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        filling = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    except OSError as error:
        raise DataError(f"run folder {out}: cannot be written ({error.strerror}); give another --out") from error
    try:
        # What mkdtemp makes is for its owner alone, other than all else that a run writes.
        filling.chmod(out.parent.stat().st_mode & 0o777)
        yield filling
        filling.rename(out)
    except OSError as error:
        raise DataError(f"run folder {out}: cannot be written ({error.strerror}); give another --out") from error
    finally:
        shutil.rmtree(filling, ignore_errors=True)


def _config(folder: RunFolder, video_ids: Iterable[int], edits: Path) -> tuple[dict[str, Any], str]:
    """The new run's config, and its hash."""
    config = folder.config()
    origin = {
        "run": str(folder.path.resolve()),
        "config_hash": folder.config_hash(),
        "videos_sha256": _videos_digest(folder, video_ids),
        "edits_sha256": content_digest(edits),
        "version": __version__,
    }
    earlier = config.get(EDITED)
    config[EDITED] = [*(earlier if isinstance(earlier, list) else []), origin]
    # A split of the run's own is copied; frames stay where they are.
    for key in ("split", "frames", "video"):
        path = folder.input_path(key)
        if path is not None and config[key] != SPLIT_NAME:
            config[key] = str(path.resolve())
    return config, hashlib.sha256(_text(_identity(origin)).encode()).hexdigest()[:16]


def _identity(origin: Mapping[str, str]) -> dict[str, str]:
    """What the new run depends on; not the place of the old one."""
    return {key: value for key, value in origin.items() if key != "run"}


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=True)


def _videos_digest(folder: RunFolder, video_ids: Iterable[int]) -> str:
    """The content of the finished videos' files, in this order."""
    named = [[video_id, content_digest(folder.path / "videos" / f"{video_id}.json")] for video_id in video_ids]
    return hashlib.sha256(_text(named).encode()).hexdigest()
