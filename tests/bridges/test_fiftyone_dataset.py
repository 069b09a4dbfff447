"""Datasets of FiftyOne, with its database."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from made_runs import CATEGORIES, HEIGHT, LENGTH, TRACKS, VIDEO_ID, WIDTH, dense, run_of_a_clip, run_of_images

from vis_pipeline.bridges.fiftyone_dataset import make_dataset
from vis_pipeline.bridges.finished import FinishedRun
from vis_pipeline.cli.app import main
from vis_pipeline.errors import ConfigError, DataError


@pytest.fixture
def name() -> Iterator[str]:
    """Of a dataset that is gone after the test."""
    fiftyone = pytest.importorskip("fiftyone", reason="the fiftyone extra is not installed")
    name = f"vis-pipeline-test-{uuid4().hex}"
    try:
        fiftyone.dataset_exists(name)
    except Exception as error:
        pytest.skip(f"FiftyOne's database does not start here: {error}")
    yield name
    if fiftyone.dataset_exists(name):
        fiftyone.delete_dataset(name)


def assert_shows(detections: Any, frame: int) -> None:
    shown = [track for track in (0, 1) if frame in TRACKS[track][3]]
    assert [one.index for one in detections] == shown
    for one, track in zip(detections, shown, strict=True):
        assert one.label == CATEGORIES[track].name and one.confidence == TRACKS[track][1]
        assert one.state == ("predicted" if frame in TRACKS[track][4] else "detected")
        # The masks as FiftyOne itself lays them into the frame.
        whole = one.to_segmentation(frame_size=(WIDTH, HEIGHT), target=1).mask
        np.testing.assert_array_equal(whole.astype(bool), dense()[track, frame])


def test_images_are_samples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fiftyone

    run = run_of_images(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vis-pipeline", "fiftyone", str(run), name])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    dataset = fiftyone.load_dataset(name)
    assert dataset.persistent and dataset.media_type == "image"
    assert [(sample.frame, sample.video_id, Path(sample.filepath).name) for sample in dataset] == [
        (frame, VIDEO_ID, f"{frame:05}.png") for frame in range(LENGTH)
    ]
    for sample in dataset:
        assert_shows(sample.tracks.detections, sample.frame)
    (group,) = dataset.group_by("video", order_by="frame").iter_dynamic_groups()
    assert [sample.frame for sample in group] == list(range(LENGTH))


def test_a_video_file_is_one_sample(name: str, tmp_path: Path) -> None:
    import fiftyone

    assert make_dataset(FinishedRun(run_of_a_clip(tmp_path)), name, [VIDEO_ID]) == 1
    dataset = fiftyone.load_dataset(name)
    sample = dataset.first()
    assert dataset.media_type == "video" and sample.filepath == str(tmp_path / "clip.mp4")
    assert sorted(sample.frames) == [frame + 1 for frame in range(LENGTH)]
    for number in sample.frames:
        assert_shows(sample.frames[number].tracks.detections, number - 1)


def test_a_name_is_taken_once_and_a_fault_leaves_nothing(name: str, tmp_path: Path) -> None:
    import fiftyone

    run = run_of_images(tmp_path)
    (run / "videos/9.json").write_text((run / "videos/7.json").read_text())
    with pytest.raises(DataError, match="is of video 7"):
        make_dataset(FinishedRun(run), name, [VIDEO_ID, 9])
    assert not fiftyone.dataset_exists(name)
    make_dataset(FinishedRun(run), name, [VIDEO_ID])
    with pytest.raises(ConfigError, match="already; give another name"):
        make_dataset(FinishedRun(run), name, [VIDEO_ID])
