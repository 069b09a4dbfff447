"""Mask AP of single frames as a metric of mmengine: `dict(type="vis_pipeline.FrameAP")`, for detectors in training.

A detector gives frames and not tracks, so YouTube-VIS AP cannot be had from it. This is the same evaluator with each
frame taken for a video of length 1: the same matching, thresholds and limits, but no identities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from mmengine.evaluator import BaseMetric

from evaluation.scores import Figures
from evaluation.youtube_vis import evaluate
from vis_pipeline import masks
from vis_pipeline.data.single_frames import as_single_frames
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.registry import METRICS
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult

FIGURES = tuple(figure.name for figure in fields(Figures))


@METRICS.register_module()
class FrameAP(BaseMetric):  # type: ignore[misc]
    """AP and AR of the frames that it was given, equal to evaluating them as videos of length 1.

    A data sample is mmdet's `DetDataSample`: `img_id` is the frame's id in
    :func:`~vis_pipeline.data.single_frames.as_single_frames`, and `pred_instances` has `masks` bool [N, H, W] at the
    size of the frame, `labels` and `scores` [N]. Labels index the dataset's `classes`, which are found in the split by
    name. Frames that did not come do not count, so the dataset alone says which ones are scored.

    COCO's figures differ: there a crowd covers a prediction by its share, small objects end at 32 x 32 pixels (here at
    128 x 128), and 100 predictions a frame count (here 100 of each category).
    """

    default_prefix = "frame"

    def __init__(
        self,
        ann_file: str | Path | None = None,
        split: Split | None = None,
        metrics: Sequence[str] = FIGURES,
        collect_device: str = "cpu",
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        """Take the ground truth from `ann_file` or as a `split`; else the dataset's `metainfo` names the file.

        `metrics` are the figures to report; the other arguments are those of mmengine's `BaseMetric`.

        Raises:
            ConfigError: an unknown figure.
            DataError: the ground truth cannot be read, or has no annotations.
        """
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        unknown = [name for name in metrics if name not in FIGURES]
        if unknown:
            raise ConfigError(f"metrics: {unknown[0]!r} is none of {', '.join(FIGURES)}")
        self.metrics = tuple(metrics)
        self._frames: Split | None = None
        if split is not None or ann_file is not None:
            self._frames = as_single_frames(split) if split is not None else _read_frames(str(ann_file))

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Take a batch of frames; the result of each is (its id, its detections as tracks of one frame)."""
        self.results.extend((sample["img_id"], self._detections(sample)) for sample in data_samples)

    def compute_metrics(self, results: Sequence[tuple[int, list[TrackResult]]]) -> dict[str, float]:
        """The figures as fractions, -1 where no ground truth makes one possible.

        Raises:
            DataError: a frame came twice or is unknown, or a mask does not have its size.
        """
        given = [frame_id for frame_id, _ in results]
        if len(set(given)) < len(given):
            raise DataError("a frame came twice; a dataset must hold each frame once")
        scores = evaluate([track for _, found in results for track in found], _only(self._truth(), set(given)))
        figures = scores.to_json()
        return {name: figures[name] for name in self.metrics}

    def _truth(self) -> Split:
        if self._frames is None:
            self._frames = _read_frames(self._from_dataset("ann_file"))
        return self._frames

    def _detections(self, sample: Mapping[str, Any]) -> list[TrackResult]:
        found, ids = sample["pred_instances"], self._category_ids()
        rles = masks.encode(found["masks"].detach().cpu().numpy())
        rows = zip(found["labels"].tolist(), found["scores"].tolist(), rles, strict=True)
        return [
            TrackResult(sample["img_id"], category, score, (rle,))
            for label, score, rle in rows
            if (category := ids[label]) is not None
        ]

    def _category_ids(self) -> list[int | None]:
        """The id in the ground truth of each class of the dataset, None where it has no such category."""
        classes = self._from_dataset("classes")
        ids = {category.name: category.id for category in self._truth().categories}
        if not ids.keys() & set(classes):
            raise DataError(f"no class of the dataset ({', '.join(classes)}) is a category of the ground truth")
        return [ids.get(name) for name in classes]

    def _from_dataset(self, key: str) -> Any:
        value = (self.dataset_meta or {}).get(key)
        if value is None:
            raise DataError(f"the dataset's metainfo has no `{key}`, which scoring its frames needs")
        return value


def _read_frames(path: str) -> Split:
    split = read_split(Path(path))
    if split.annotations is None:
        raise DataError(f"split {path}: a test form without ground truth; give one with annotations")
    return as_single_frames(split)


def _only(frames: Split, given: set[int]) -> Split:
    unknown = given - {frame.id for frame in frames.videos}
    if unknown:
        raise DataError(f"frame {min(unknown)} is none of the ground truth's {len(frames.videos)}")
    return replace(
        frames,
        videos=tuple(frame for frame in frames.videos if frame.id in given),
        annotations=tuple(entry for entry in frames.annotations or () if entry.video_id in given),
    )
