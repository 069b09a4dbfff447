"""Scoring a detector alone: frames, batches and ids, and the command."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from evaluation.youtube_vis import evaluate
from vis_pipeline import masks
from vis_pipeline.bench.detector import detect_split
from vis_pipeline.cli import bench
from vis_pipeline.data.single_frames import as_single_frames
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Annotation, Category, Split, Video

SIZES = {3: (40, 60), 5: (30, 50), 8: (40, 60)}
LENGTH = 5


@pytest.fixture
def material(tmp_path: Path) -> tuple[Split, Path]:
    """Three videos on black; a white square walks to the right, and is gone in frame 2."""
    videos, annotations = [], []
    for number, (height, width) in SIZES.items():
        names = tuple(f"{number}/{index:05d}.png" for index in range(LENGTH))
        (tmp_path / str(number)).mkdir()
        rles = []
        for index, name in enumerate(names):
            mask = np.zeros((height, width), dtype=bool)
            if index != 2:
                mask[8:20, 4 + 3 * index + number : 16 + 3 * index + number] = True
            cv2.imwrite(str(tmp_path / name), np.repeat(mask[..., None] * np.uint8(255), 3, axis=2))
            rles.append(masks.encode(mask[None])[0] if mask.any() else None)
        videos.append(Video(number, width, height, LENGTH, names))
        annotations.append(Annotation(number, number, 7, tuple(rles), None, iscrowd=False))
    return Split(tuple(videos), (Category(7, "square"),), tuple(annotations)), tmp_path


class Thresholder:
    """Finds what is white; keeps the sizes of its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.batches.append(len(frames))
        assert len({frame.image.shape for frame in frames}) == 1
        return [self._found(frame.image[..., 0] > 128) for frame in frames]

    def _found(self, mask: np.ndarray) -> Detections:
        count = int(mask.any())
        return Detections(
            torch.zeros(count, 4),
            torch.full((count,), 0.9),
            torch.full((count,), 7),
            torch.from_numpy(mask)[None][:count],
        )


@pytest.mark.parametrize("every", [1, 2])
def test_a_detector_that_is_right_scores_fully(material: tuple[Split, Path], every: int) -> None:
    split, frames = material
    truth = as_single_frames(split, every)
    detector = Thresholder()
    parts = list(detect_split(detector, truth, frames, 2))
    assert [count for count, _ in parts] == detector.batches == ([2, 2, 1] * 3 if every == 1 else [2, 1] * 3)
    found = [result for _, results in parts for result in results]
    shown = [index for index in range(0, LENGTH, every) if index != 2]
    assert [result.video_id for result in found] == [5 * video + index + 1 for video in range(3) for index in shown]
    assert evaluate(found, truth).AP == 1.0


def test_the_command_scores_the_detector_of_a_pipeline(material: tuple[Split, Path], tmp_path: Path) -> None:
    split, frames = material
    (tmp_path / "split.json").write_text(json.dumps(split_to_json(split)))
    app = typer.Typer(pretty_exceptions_enable=False)
    bench.register(app)
    given = ["bench", "detector", "--split", str(tmp_path / "split.json"), "--frames", str(frames), "--device", "cpu"]
    options = ["--cfg-options", "detector.class_map=agnostic", "--json", str(tmp_path / "out.json")]
    outcome = CliRunner().invoke(app, [*given, "--every", "4", "--only", "3,8", *options])
    assert outcome.exit_code == 0, outcome.output
    assert "square" in outcome.output
    assert 0 <= json.loads((tmp_path / "out.json").read_text())["AP"] <= 1
    (tmp_path / "split.json").write_text(json.dumps(split_to_json(Split(split.videos, split.categories, None))))
    outcome = CliRunner().invoke(app, given)
    assert isinstance(outcome.exception, DataError) and "test form without ground truth" in str(outcome.exception)
