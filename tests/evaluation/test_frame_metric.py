"""Mask AP of single frames: equal to evaluating frames as videos, and to figures worked out by hand."""

from typing import Any

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import METRICS

from evaluation.frame_metric import FrameAP
from evaluation.youtube_vis import evaluate
from vis_pipeline import masks
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

HEIGHT, WIDTH = 12, 16
CATEGORIES = (Category(30, "cat"), Category(20, "dog"))
META = {"classes": ("dog", "cat")}


def _box(x: int, y: int, size: int = 6) -> np.ndarray[Any, Any]:
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    mask[y : y + size, x : x + size] = True
    return mask


def _rle(mask: np.ndarray[Any, Any]) -> masks.Rle:
    return masks.encode(mask[None])[0]


def _sample(frame_id: int, found: list[tuple[np.ndarray[Any, Any], int, float]]) -> dict[str, Any]:
    shapes = np.stack([mask for mask, _, _ in found]) if found else np.zeros((0, HEIGHT, WIDTH), dtype=np.bool_)
    return {
        "img_id": frame_id,
        "pred_instances": {
            "masks": torch.from_numpy(shapes),
            "labels": torch.tensor([label for _, label, _ in found], dtype=torch.int64),
            "scores": torch.tensor([score for _, _, score in found], dtype=torch.float64),
        },
    }


def _figures(metric: FrameAP, samples: list[dict[str, Any]]) -> dict[str, float]:
    metric.dataset_meta = META
    metric.process(None, samples)
    figures: dict[str, float] = metric.evaluate(len(samples))
    return figures


def test_equals_the_evaluator_on_videos_of_one_frame() -> None:
    generator = np.random.default_rng(0)
    videos = (Video(8, WIDTH, HEIGHT, 3, ("a", "b", "c")), Video(2, WIDTH, HEIGHT, 2, ("d", "e")))
    split_annotations, frame_annotations, samples, results = [], [], [], []
    first_frame = {8: 1, 2: 4}
    for number in range(6):
        video, category = videos[number % 2], CATEGORIES[number % 3 % 2].id
        shapes = [_box(*generator.integers(0, (10, 6))) if generator.random() < 0.8 else None for _ in range(5)]
        rles = tuple(None if shape is None else _rle(shape) for shape in shapes[: video.length])
        crowd = number == 5
        split_annotations.append(Annotation(number + 1, video.id, category, rles, None, crowd))
        for index, rle in enumerate(rles):
            if rle is not None:
                place = first_frame[video.id] + index
                frame_annotations.append(Annotation(number * 10 + index, place, category, (rle,), None, crowd))
    truth = {frame_id: [] for frame_id in range(1, 6)}
    for entry in frame_annotations:
        truth[entry.video_id].append(masks.decode(entry.segmentations[0]))
    for frame_id, shown in truth.items():
        found = []
        for shape in [*shown, _box(9, 5, 3)]:
            moved = np.roll(shape, int(generator.integers(0, 3)), axis=1)
            label, score = int(generator.integers(0, 2)), float(generator.random())
            found.append((moved, label, score))
            category = {"dog": 20, "cat": 30}[META["classes"][label]]
            results.append(TrackResult(frame_id, category, score, (_rle(moved),)))
        samples.append(_sample(frame_id, found))
    frames = tuple(Video(frame_id, WIDTH, HEIGHT, 1, (str(frame_id),)) for frame_id in range(1, 6))
    expected = evaluate(results, Split(frames, CATEGORIES, tuple(frame_annotations))).to_json()

    figures = _figures(FrameAP(split=Split(videos, CATEGORIES, tuple(split_annotations))), samples)
    assert figures == {f"frame/{name}": expected[name] for name in FrameAP(split=Split(videos, CATEGORIES, ())).metrics}
    assert 0 < figures["frame/AP"] < 1 and figures["frame/AR1"] < figures["frame/AR100"]


VIDEO = Video(1, WIDTH, HEIGHT, 3, ("a", "b", "c"))
ONE_DOG = Split((VIDEO,), CATEGORIES, (Annotation(1, 1, 20, (_rle(_box(2, 2)), None, None), None, False),))


def test_a_false_positive_in_an_empty_frame_counts_if_the_frame_was_given() -> None:
    right = _sample(1, [(_box(2, 2), 0, 0.8)])
    wrong = _sample(2, [(_box(7, 4), 0, 0.9)])
    assert _figures(FrameAP(split=ONE_DOG), [right])["frame/AP"] == pytest.approx(1.0)
    assert _figures(FrameAP(split=ONE_DOG), [right, wrong])["frame/AP"] == pytest.approx(0.5)
    assert _figures(FrameAP(split=ONE_DOG), [wrong])["frame/AP"] == -1
    assert _figures(FrameAP(split=ONE_DOG), [_sample(1, []), wrong])["frame/AP"] == 0


def test_by_name_in_a_config() -> None:
    evaluator = Evaluator([METRICS.build({"type": "vis_pipeline.FrameAP", "split": ONE_DOG, "metrics": ["AP50"]})])
    evaluator.dataset_meta = META
    evaluator.process([_sample(1, [(_box(2, 2), 0, 0.8)])], None)
    assert evaluator.evaluate(1) == {"frame/AP50": pytest.approx(1.0)}


def test_what_cannot_be_scored() -> None:
    with pytest.raises(ConfigError, match="metrics: 'mAP' is none of AP"):
        FrameAP(split=ONE_DOG, metrics=["mAP"])
    with pytest.raises(DataError, match="a frame came twice"):
        _figures(FrameAP(split=ONE_DOG), [_sample(1, []), _sample(1, [])])
    with pytest.raises(DataError, match="frame 9 is none of the ground truth's 3"):
        _figures(FrameAP(split=ONE_DOG), [_sample(9, [])])
    with pytest.raises(DataError, match="no `ann_file`"):
        _figures(FrameAP(), [_sample(1, [])])
    metric = FrameAP(split=ONE_DOG)
    metric.dataset_meta = {"classes": ("newt", "eel")}
    with pytest.raises(DataError, match=r"no class of the dataset \(newt, eel\) is a category"):
        metric.process(None, [_sample(1, [(_box(2, 2), 0, 0.8)])])


def test_classes_that_the_ground_truth_lacks_do_not_count() -> None:
    metric = FrameAP(split=ONE_DOG)
    metric.dataset_meta = {"classes": ("eel", "dog")}
    metric.process(None, [_sample(1, [(_box(2, 2), 0, 0.9), (_box(2, 2), 1, 0.8)])])
    assert metric.evaluate(1)["frame/AP"] == pytest.approx(1.0)
