"""What can be exported: a run's finished videos, or the ground truth of a split."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vis_pipeline.data.fit import fault, listed
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError
from vis_pipeline.exchange.content import SplitTracks, VideoTracks, of_annotations
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.splits import Annotation, Split, Video


def run_tracks(
    run: Path, split_path: Path | None, frames: Path | None, videos: Sequence[int] | None, least_score: float
) -> SplitTracks:
    """The tracks of a run's finished videos, or of some of them, that score `least_score` or more.

    The split and the frames are those of the run's config unless they are given.

    Raises:
        DataError: no run there, nothing finished in it, one of `videos` is not, or the split is not the run's.
    """
    folder = RunFolder.open(run)
    split_path = split_path or folder.input_path("split")
    if split_path is None:
        raise DataError(f"run folder {run}: its config does not say where the split is; give --split")
    split = replace(read_split(split_path), annotations=None)
    finished = folder.finished()
    if not finished:
        raise DataError(f"run folder {run}: no finished video in it; run it again to go on")
    known = [video for video in split.videos if video.id in finished]
    if len(known) < len(finished):
        strange = sorted(finished - {video.id for video in known})
        raise DataError(f"run folder {run}: split {split_path} has no video {listed(strange)}; give the run's --split")
    chosen = _chosen(known, videos, f"run folder {run}: not among its finished videos")
    return SplitTracks(
        split, chosen, _of_run(folder, split, chosen, least_score), frames or folder.input_path("frames")
    )


def truth_tracks(split_path: Path, frames: Path | None, videos: Sequence[int] | None) -> SplitTracks:
    """The ground truth of a split's videos, or of some of them.

    Raises:
        DataError: it has none, or not one of `videos`.
    """
    split = read_split(split_path)
    if split.annotations is None:
        raise DataError(f"split {split_path}: a test form without ground truth; give one with annotations")
    chosen = _chosen(split.videos, videos, f"split {split_path}: has no such video")
    return SplitTracks(split, chosen, _of_split(split, chosen), frames)


def _chosen(known: Sequence[Video], videos: Sequence[int] | None, complaint: str) -> tuple[Video, ...]:
    if videos is None:
        return tuple(known)
    by_id: Mapping[int, Video] = {video.id: video for video in known}
    for identifier in videos:
        if identifier not in by_id:
            raise DataError(f"{complaint}: {identifier}")
    return tuple(by_id[identifier] for identifier in dict.fromkeys(videos))


def _of_run(folder: RunFolder, split: Split, videos: Sequence[Video], least_score: float) -> Iterator[VideoTracks]:
    by_id, categories = split.videos_by_id(), {category.id for category in split.categories}
    for video in videos:
        tracks = folder.read_video(video.id).tracks
        for place, track in enumerate(tracks):
            if found := fault(track, by_id, categories):
                raise DataError(
                    f"run folder {folder.path}: video {video.id}: track {place}: {found}; is --split the run's?"
                )
        yield VideoTracks(video, [track for track in tracks if track.score >= least_score])


def _of_split(split: Split, videos: Sequence[Video]) -> Iterator[VideoTracks]:
    of_video: defaultdict[int, list[Annotation]] = defaultdict(list)
    for annotation in split.annotations or ():
        of_video[annotation.video_id].append(annotation)
    for video in videos:
        yield of_annotations(video, of_video[video.id])
