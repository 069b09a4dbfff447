"""The evaluator as a metric of mmengine and mmdet: `dict(type="vis_pipeline.YouTubeVIS", ann_file=...)`.

mmengine finds it by that name alone (see :mod:`vis_pipeline.registry`); nothing has to be imported before.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from evaluation.scores import Figures
from evaluation.youtube_vis import evaluate
from vis_pipeline import masks
from vis_pipeline.data.results import results_to_json, tracks_from_json
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.files.whole_files import write_json_list
from vis_pipeline.masks import Rle
from vis_pipeline.registry import METRICS
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult

FIGURES = tuple(figure.name for figure in fields(Figures))


@METRICS.register_module()
class YouTubeVIS(BaseMetric):  # type: ignore[misc]
    """AP and AR of YouTube-VIS over a whole split, equal to :func:`evaluation.youtube_vis.evaluate`.

    A data sample is one whole video, in one of three forms:

    - mmdet's `TrackDataSample`: its frames' `pred_track_instances` have `masks` bool [N, H, W], `labels`, `scores` and
      `instances_id` [N]. A track's score is the mean over its frames, its class the most frequent one (of equally
      frequent ones the first); labels index the dataset's `classes`, which are found in the split by name.
    - `{"video_id": int, "tracks": [...]}`, the tracks :class:`~vis_pipeline.structures.tracks.TrackResult` or the
      entries of a results.json.
    - a list of such tracks.

    Videos of the split without a sample count as empty, with a warning. mmdet's own `YouTubeVISMetric` scores the
    videos that it has seen, takes the areas of the ground truth's boxes for those of its masks, so that its figures by
    size differ, and rounds to three digits.
    """

    default_prefix = "youtube_vis"

    def __init__(
        self,
        ann_file: str | Path | None = None,
        split: Split | None = None,
        metrics: Sequence[str] = FIGURES,
        outfile_prefix: str | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        """Take the ground truth from `ann_file` (the official JSON, not mmdet's conversion) or as a `split`.

        Without either, the dataset's `metainfo` names the file under `ann_file`.

        `metrics` are the figures to report, `<outfile_prefix>.json` gets the results in the form of a submission; the
        other arguments are those of mmengine's `BaseMetric`.

        Raises:
            ConfigError: both `ann_file` and `split`, or an unknown figure.
            DataError: the ground truth cannot be read.
        """
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        unknown = [name for name in metrics if name not in FIGURES]
        if unknown:
            raise ConfigError(f"metrics: {unknown[0]!r} is none of {', '.join(FIGURES)}")
        if ann_file is not None and split is not None:
            raise ConfigError("ann_file, split: give the ground truth as one of the two")
        self._split = split if ann_file is None else read_split(Path(ann_file))
        self.metrics = tuple(metrics)
        self.outfile_prefix = outfile_prefix

    @property
    def split(self) -> Split:
        """The ground truth.

        Raises:
            DataError: it was not given, and the dataset's metainfo names none; or the file cannot be read.
        """
        if self._split is None:
            path = (self.dataset_meta or {}).get("ann_file")
            # mmengine reads a metainfo that is text as a list of lines where it can.
            if not isinstance(path, str | Path):
                raise DataError("no ground truth: give `ann_file` or `split`, or a dataset with `ann_file` as metainfo")
            self._split = read_split(Path(path))
        return self._split

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Take a batch of videos; the result of each is (its ids, its tracks).

        Raises:
            DataError: a sample has none of the three forms, or is not a whole video.
        """
        self.results.extend(self._video(sample) for sample in data_samples)

    def compute_metrics(self, results: Sequence[tuple[set[int], list[TrackResult]]]) -> dict[str, float]:
        """The figures as fractions, -1 where no ground truth makes one possible.

        Raises:
            DataError: a video came twice, or a track does not fit the ground truth.
        """
        seen: set[int] = set()
        for video_ids, _ in results:
            if seen & video_ids:
                raise DataError(f"video {min(seen & video_ids)} came twice; a dataset must hold each video once")
            seen |= video_ids
        self._warn_of_missing(seen)
        tracks = [track for _, found in results for track in found]
        if self.outfile_prefix is not None:
            _write_results(Path(f"{self.outfile_prefix}.json"), tracks)
        scores = evaluate(tracks, self.split).to_json()
        return {name: scores[name] for name in self.metrics}

    def _video(self, sample: Any) -> tuple[set[int], list[TrackResult]]:
        if isinstance(sample, Mapping) and "video_data_samples" in sample:
            return self._from_frames(sample["video_data_samples"])
        if isinstance(sample, Mapping) and {"video_id", "tracks"} <= sample.keys():
            tracks = _tracks(sample["tracks"], f"video {sample['video_id']}")
            stray = next((track.video_id for track in tracks if track.video_id != sample["video_id"]), None)
            if stray is not None:
                raise DataError(f"data sample of video {sample['video_id']}: holds a track of video {stray}")
            return {sample["video_id"]}, tracks
        if isinstance(sample, Sequence) and not isinstance(sample, str):
            tracks = _tracks(sample, "a data sample")
            return {track.video_id for track in tracks}, tracks
        form = f"a dict of {', '.join(map(str, sample))}" if isinstance(sample, Mapping) else type(sample).__name__
        raise DataError(
            f"data sample: {form}; give a TrackDataSample, a list of tracks, or a dict of video_id and tracks"
        )

    def _from_frames(self, frames: Sequence[Any]) -> tuple[set[int], list[TrackResult]]:
        """The tracks of mmdet's `DetDataSample` frames, in the order in which they first show."""
        video_id, length = frames[0].video_id, frames[0].get("ori_video_length", len(frames))
        if length != len(frames):
            raise DataError(f"video {video_id}: a sample holds {len(frames)} of {length} frames; sample whole videos")
        tracks: dict[int, _Identity] = {}
        for index, frame in enumerate(frames):
            found = frame.get("pred_track_instances")
            if found is None or "masks" not in found:
                raise DataError(f"video {video_id}, frame {index}: no `pred_track_instances` with `masks`")
            rles = masks.encode(found.masks.detach().cpu().numpy())
            columns = (found.instances_id.tolist(), found.labels.tolist(), found.scores.tolist(), rles)
            for identity, label, score, rle in zip(*columns, strict=True):
                track = tracks.setdefault(identity, _Identity(length))
                if track.segmentations[index] is not None:
                    raise DataError(f"video {video_id}, frame {index}: more than one instance has the id {identity}")
                track.add(index, label, score, rle)
        return {video_id}, [track.result(video_id, self._category_id(track.label())) for track in tracks.values()]

    def _category_id(self, label: int) -> int:
        classes = (self.dataset_meta or {}).get("classes")
        if classes is None:
            raise DataError("the dataset's metainfo has no `classes`, by which labels become categories")
        name = classes[label] if label < len(classes) else None
        found = [category.id for category in self.split.categories if category.name == name]
        if not found:
            raise DataError(f"class {label} of the dataset, {name!r}, is no category of the ground truth")
        return found[0]

    def _warn_of_missing(self, seen: set[int]) -> None:
        missing = [video.id for video in self.split.videos if video.id not in seen]
        if missing:
            named = ", ".join(map(str, missing[:5]))
            text = f"{len(missing)} videos of the ground truth have had no data sample and count as empty: {named}"
            print_log(text, logger="current", level=logging.WARNING)


class _Identity:
    """One identity over a video, frame by frame."""

    def __init__(self, length: int) -> None:
        self.segmentations: list[Rle | None] = [None] * length
        self._labels: list[int] = []
        self._scores: list[float] = []

    def add(self, frame: int, label: int, score: float, rle: Rle) -> None:
        self.segmentations[frame] = rle
        self._labels.append(label)
        self._scores.append(score)

    def label(self) -> int:
        return int(np.bincount(self._labels).argmax())

    def result(self, video_id: int, category_id: int) -> TrackResult:
        return TrackResult(video_id, category_id, float(np.mean(self._scores)), tuple(self.segmentations))


def _tracks(tracks: Sequence[Any], source: str) -> list[TrackResult]:
    if all(isinstance(track, TrackResult) for track in tracks):
        return list(tracks)
    return list(tracks_from_json(list(tracks), source))


def _write_results(path: Path, tracks: Sequence[TrackResult]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"results {path}: cannot be written ({error.strerror})") from error
    write_json_list(path, results_to_json(tracks))
